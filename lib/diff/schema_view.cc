#include "lib/diff/schema_view.h"

#include <algorithm>

#include "lib/json_schema/number.h"
#include "lib/json_schema/uri.h"

namespace tasker::diff {
namespace {

using json_schema::Keyword;

std::string_view Text(const Json& value) { return {value.get_string().data(), value.get_string().size()}; }
std::string_view Text(boost::json::string_view text) { return {text.data(), text.size()}; }

const Json* At(const Json& root, std::string_view pointer) {
  boost::json::error_code error;
  return root.find_pointer({pointer.data(), pointer.size()}, error);
}

// Whether some value below `schema`, but not itself, has one of the keys that change what references mean.
bool HasOwnIdentityBelow(const Json& schema) {
  const auto has = [](const Json& value) {
    if (!value.is_object()) return false;
    for (const char* key : {"$id", "id", "$schema"}) {
      const Json* found = value.get_object().if_contains(key);
      if (found != nullptr && found->is_string()) return true;
    }
    return false;
  };
  const auto below = [&](const Json& child) { return has(child) || HasOwnIdentityBelow(child); };
  if (schema.is_array()) return std::any_of(schema.get_array().begin(), schema.get_array().end(), below);
  if (!schema.is_object()) return false;
  for (const auto& member : schema.get_object()) {
    if (below(member.value())) return true;
  }
  return false;
}

// The values with that $anchor; more than one where some are data that only look like it.
void FindAnchors(const Json& value, std::string_view name, std::vector<const Json*>& found) {
  if (value.is_array()) {
    for (const Json& item : value.get_array()) FindAnchors(item, name, found);
  }
  if (!value.is_object()) return;
  const Json* anchor = value.get_object().if_contains("$anchor");
  if (anchor != nullptr && anchor->is_string() && Text(*anchor) == name) found.push_back(&value);
  for (const auto& member : value.get_object()) FindAnchors(member.value(), name, found);
}

const Json* FindAnchor(const Json& root, std::string_view name) {
  std::vector<const Json*> found;
  FindAnchors(root, name, found);
  return found.size() == 1 ? found[0] : nullptr;
}

uint8_t KindsOfType(std::string_view type) {
  if (type == "null") return kNullKind;
  if (type == "boolean") return kBooleanKind;
  if (type == "integer") return kIntegerKind;
  if (type == "number") return kNumberKinds;
  if (type == "string") return kStringKind;
  if (type == "array") return kArrayKind;
  return kObjectKind;
}

void Tighten(std::optional<Limit>& limit, const Json& value, bool exclusive, int direction) {
  const int order = limit ? direction * json_schema::CompareNumbers(value, limit->value) : 1;
  if (order > 0 || (order == 0 && exclusive)) limit = Limit{value, exclusive};
}

}  // namespace

Kind KindOf(const Json& value) {
  switch (value.kind()) {
    case boost::json::kind::null:
      return kNullKind;
    case boost::json::kind::bool_:
      return kBooleanKind;
    case boost::json::kind::string:
      return kStringKind;
    case boost::json::kind::array:
      return kArrayKind;
    case boost::json::kind::object:
      return kObjectKind;
    default:
      return json_schema::IsInteger(value) ? kIntegerKind : kFractionKind;
  }
}

// Fills one view. The schema is valid, so every keyword has a value of the right kind.
class SchemaReader {
 public:
  SchemaReader(SchemaDocument& document, const Json& schema, SchemaView& view)
      : document_(document), pointer_(document.pointers_.at(&schema)), view_(view) {}

  void Read(const base::JsonObject& object) {
    object_ = &object;
    const Json* reference = object.if_contains("$ref");
    if (reference != nullptr && reference->is_string() && document_.rules_.ref_hides_siblings()) {
      ++view_.keywords;
      return ReadReference(*reference);
    }
    for (const auto& member : object) {
      const json_schema::KeywordInfo* info = document_.rules_.Find(Text(member.key()));
      if (info == nullptr) continue;
      key_ = std::string(Text(member.key()));
      ++view_.keywords;
      ReadKeyword(info->keyword, member.value());
    }
    if (!view_.condition) view_.on_true = view_.on_false = std::nullopt;
  }

 private:
  SchemaNode Child(const Json& schema, std::string pointer) {
    document_.pointers_.try_emplace(&schema, std::move(pointer));
    return {&document_, &schema};
  }
  SchemaNode Here(const Json& schema) { return Child(schema, base::JsonPointer(pointer_, key_)); }
  std::vector<SchemaNode> List(const Json& list) {
    std::vector<SchemaNode> nodes;
    for (size_t i = 0; i < list.get_array().size(); ++i) {
      nodes.push_back(Child(list.get_array()[i], base::JsonPointer(base::JsonPointer(pointer_, key_), i)));
    }
    return nodes;
  }
  SchemaNode MemberNode(const Json& schema, std::string_view name) {
    return Child(schema, base::JsonPointer(base::JsonPointer(pointer_, key_), name));
  }
  static std::set<std::string> Names(const Json& list) {
    std::set<std::string> names;
    for (const Json& item : list.get_array()) names.emplace(Text(item));
    return names;
  }
  static size_t Count(const Json& value) {
    if (value.is_int64()) return static_cast<size_t>(value.get_int64());
    if (value.is_uint64()) return value.get_uint64();
    const double real = value.get_double();
    return real >= 1e18 ? static_cast<size_t>(1e18) : static_cast<size_t>(real);
  }
  // Draft-04's boolean form.
  bool LegacyExclusive(const char* key) const {
    const Json* found = object_->if_contains(key);
    return found != nullptr && found->is_bool() && found->get_bool();
  }

  void ReadKeyword(Keyword keyword, const Json& value) {
    if (ReadScalarRule(keyword, value) || ReadArrayRule(keyword, value) || ReadObjectRule(keyword, value) ||
        ReadInPlace(keyword, value)) {
      return;
    }
    switch (keyword) {
      case Keyword::kDynamicRef:
      case Keyword::kRecursiveRef:
      case Keyword::kUnevaluatedItems:
      case Keyword::kUnevaluatedProperties:
        view_.unreadable = key_;
        return;
      case Keyword::kFormat:
        if (!document_.assert_formats_) break;
        view_.format = Text(value);
        return;
      default:
        break;
    }
    --view_.keywords;  // an annotation
  }

  bool ReadScalarRule(Keyword keyword, const Json& value) {
    switch (keyword) {
      case Keyword::kType:
        view_.kinds = 0;
        if (value.is_string()) view_.kinds = KindsOfType(Text(value));
        if (value.is_array()) {
          for (const Json& type : value.get_array()) view_.kinds |= KindsOfType(Text(type));
        }
        return true;
      case Keyword::kEnum:
        return AddValues(value.get_array());
      case Keyword::kConst:
        return AddValues({value});
      case Keyword::kMultipleOf:
        view_.multiple_of = value;
        return true;
      case Keyword::kMinimum:
        Tighten(view_.lower, value, LegacyExclusive("exclusiveMinimum"), 1);
        return true;
      case Keyword::kMaximum:
        Tighten(view_.upper, value, LegacyExclusive("exclusiveMaximum"), -1);
        return true;
      case Keyword::kExclusiveMinimum:
        if (value.is_number()) Tighten(view_.lower, value, true, 1);
        return true;
      case Keyword::kExclusiveMaximum:
        if (value.is_number()) Tighten(view_.upper, value, true, -1);
        return true;
      case Keyword::kMinLength:
        view_.length.AtLeast(Count(value));
        return true;
      case Keyword::kMaxLength:
        view_.length.AtMost(Count(value));
        return true;
      case Keyword::kPattern:
        view_.pattern = Text(value);
        return true;
      default:
        return false;
    }
  }

  bool AddValues(const base::JsonArray& values) {
    std::vector<Json> kept;
    for (const Json& value : values) {
      const auto equal = [&](const Json& other) { return json_schema::Equal(value, other); };
      if (!view_.values || std::any_of(view_.values->begin(), view_.values->end(), equal)) kept.push_back(value);
    }
    view_.values = std::move(kept);
    return true;
  }

  bool ReadArrayRule(Keyword keyword, const Json& value) {
    switch (keyword) {
      case Keyword::kMinItems:
        view_.items.AtLeast(Count(value));
        return true;
      case Keyword::kMaxItems:
        view_.items.AtMost(Count(value));
        return true;
      case Keyword::kUniqueItems:
        view_.unique = value.get_bool();
        return true;
      case Keyword::kPrefixItems:
        Array().prefix = List(value);
        return true;
      case Keyword::kItems:
        if (value.is_array()) {
          Array().prefix = List(value);
        } else {
          Array().rest = Here(value);
        }
        return true;
      case Keyword::kAdditionalItems:
        // Without a list in `items` it has no effect.
        if (const Json* items = object_->if_contains("items"); items != nullptr && items->is_array()) {
          Array().rest = Here(value);
        }
        return true;
      case Keyword::kContains:
        Contains().schema = Here(value);
        return true;
      case Keyword::kMinContains:
        if (object_->contains("contains")) Contains().least = Count(value);
        return true;
      case Keyword::kMaxContains:
        if (object_->contains("contains")) Contains().most = Count(value);
        return true;
      default:
        return false;
    }
  }

  bool ReadObjectRule(Keyword keyword, const Json& value) {
    switch (keyword) {
      case Keyword::kMinProperties:
        view_.members.AtLeast(Count(value));
        return true;
      case Keyword::kMaxProperties:
        view_.members.AtMost(Count(value));
        return true;
      case Keyword::kRequired:
        view_.required = Names(value);
        return true;
      case Keyword::kPropertyNames:
        view_.names = Here(value);
        return true;
      case Keyword::kAdditionalProperties:
        Object().additional = Here(value);
        return true;
      case Keyword::kProperties:
        for (const auto& member : value.get_object()) {
          Object().properties.emplace(Text(member.key()), MemberNode(member.value(), Text(member.key())));
        }
        return true;
      case Keyword::kPatternProperties:
        for (const auto& member : value.get_object()) {
          Object().patterns.emplace_back(Text(member.key()), MemberNode(member.value(), Text(member.key())));
        }
        return true;
      case Keyword::kDependentRequired:
      case Keyword::kDependentSchemas:
      case Keyword::kDependencies:
        for (const auto& member : value.get_object()) {
          const std::string name(Text(member.key()));
          if (member.value().is_array()) {
            view_.dependent_required[name].merge(Names(member.value()));
          } else {
            view_.dependent_schemas.emplace_back(name, MemberNode(member.value(), name));
          }
        }
        return true;
      default:
        return false;
    }
  }

  bool ReadInPlace(Keyword keyword, const Json& value) {
    switch (keyword) {
      case Keyword::kRef:
        ReadReference(value);
        return true;
      case Keyword::kAllOf:
        view_.all_of = List(value);
        return true;
      case Keyword::kAnyOf:
        view_.any_of = List(value);
        return true;
      case Keyword::kOneOf:
        view_.one_of = List(value);
        return true;
      case Keyword::kNot:
        view_.negated = Here(value);
        return true;
      case Keyword::kIf:
        view_.condition = Here(value);
        return true;
      case Keyword::kThen:
        view_.on_true = Here(value);
        return true;
      case Keyword::kElse:
        view_.on_false = Here(value);
        return true;
      default:
        return false;
    }
  }

  void ReadReference(const Json& value) {
    view_.unreadable = "$ref";
    if (!document_.plain_references_ || !value.is_string()) return;
    const json_schema::SplitUri uri = json_schema::Split(Text(value));
    if (!uri.resource.empty()) return;
    const std::string fragment = json_schema::PercentDecoded(uri.fragment);
    const bool pointer = fragment.empty() || fragment[0] == '/';
    const Json* target = pointer ? At(document_.schema_, fragment) : FindAnchor(document_.schema_, fragment);
    if (target == nullptr || (!target->is_object() && !target->is_bool())) return;
    view_.unreadable.clear();
    view_.reference = Child(*target, pointer ? fragment : "#" + fragment);
  }

  ArrayRule& Array() { return view_.array ? *view_.array : view_.array.emplace(); }
  ObjectRule& Object() { return view_.object ? *view_.object : view_.object.emplace(); }
  ContainsRule& Contains() { return view_.contains ? *view_.contains : view_.contains.emplace(); }

  SchemaDocument& document_;
  const std::string pointer_;
  SchemaView& view_;
  const base::JsonObject* object_ = nullptr;
  std::string key_;
};

SchemaDocument::SchemaDocument(Json schema, const json_schema::CompileOptions& options)
    : schema_(std::move(schema)), options_(options), rules_(json_schema::RulesOf(options.dialect)) {
  options_.resources = nullptr;
  options_.limits.lint_steps = 0;  // only errors matter here
  pointers_.emplace(&schema_, "");
  json_schema::CompileResult compiled = json_schema::Compile(schema_, options_);
  if (compiled.schema == nullptr) {
    for (const auto& problem : compiled.problems) {
      if (problem.severity == base::Severity::kError && problem_.empty()) problem_ = problem.message;
    }
    return;
  }
  const Json* meta = schema_.is_object() ? schema_.get_object().if_contains("$schema") : nullptr;
  if (meta != nullptr && meta->is_string()) {
    const auto dialect = json_schema::DialectOfUri(Text(*meta));
    if (!dialect) {
      problem_ = "its $schema is not one of the known dialects";
      return;
    }
    rules_ = json_schema::RulesOf(*dialect);
  }
  validator_ = std::move(compiled.schema);
  assert_formats_ =
      options_.formats == json_schema::FormatMode::kAssert ||
      (options_.formats == json_schema::FormatMode::kByDialect && rules_.dialect <= json_schema::Dialect::kDraft7);
  plain_references_ = !HasOwnIdentityBelow(schema_);
}

const SchemaView& SchemaDocument::View(const Json* schema) {
  std::unique_ptr<SchemaView>& view = views_[schema];
  if (view != nullptr) return *view;
  view = std::make_unique<SchemaView>();
  // Filling it adds other views, which may move the map's slots but not the view.
  SchemaView& filled = *view;
  if (schema->is_object()) {
    SchemaReader(*this, *schema, filled).Read(schema->get_object());
  } else if (schema->is_bool() && !schema->get_bool()) {
    filled.never = true;
    filled.keywords = 1;
    filled.kinds = 0;
  }
  return filled;
}

std::optional<bool> SchemaDocument::Accepts(const Json* schema, const Json& value) {
  const auto [place, fresh] = validators_.try_emplace(schema);
  if (fresh && schema == &schema_) place->second = validator_;
  if (fresh && schema != &schema_ && plain_references_) {
    const std::string& pointer = pointers_.at(schema);
    const std::map<std::string, Json> resources{{"tasker-diff:document", schema_}};
    json_schema::CompileOptions options = options_;
    options.resources = &resources;
    const std::string fragment = pointer.starts_with('#') ? pointer : "#" + pointer;
    std::string escaped;
    for (const char c : fragment) escaped += c == '%' ? std::string("%25") : std::string(1, c);
    place->second = json_schema::Compile(base::JsonObject{{"$ref", "tasker-diff:document" + escaped}}, options).schema;
  }
  if (place->second == nullptr) return std::nullopt;
  switch (place->second->Validate(value)) {
    case json_schema::Verdict::kValid:
      return true;
    case json_schema::Verdict::kInvalid:
      return false;
    default:
      return std::nullopt;
  }
}

}  // namespace tasker::diff
