#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "lib/base/nearest.h"
#include "lib/base/utf8.h"
#include "lib/json_schema/compiler.h"
#include "lib/json_schema/excerpt.h"
#include "lib/json_schema/formats.h"
#include "lib/json_schema/number.h"

namespace tasker::json_schema {
namespace {

constexpr std::array<std::string_view, 7> kTypeNames = {"null",   "boolean", "integer", "number",
                                                        "string", "array",   "object"};

NumberRules& Number(Node& node) {
  if (node.number == nullptr) node.number = std::make_unique<NumberRules>();
  return *node.number;
}
StringRules& String(Node& node) {
  if (node.string == nullptr) node.string = std::make_unique<StringRules>();
  return *node.string;
}
ArrayRules& Array(Node& node) {
  if (node.array == nullptr) node.array = std::make_unique<ArrayRules>();
  return *node.array;
}
ObjectRules& Object(Node& node) {
  if (node.object == nullptr) node.object = std::make_unique<ObjectRules>();
  return *node.object;
}

std::string_view Text(const Json& value) { return {value.get_string().data(), value.get_string().size()}; }

}  // namespace

void Compiler::CompileValidation(const Subject& subject, const Member& member) {
  switch (member.info->keyword) {
    case Keyword::kType:
      return CompileType(subject, member);
    case Keyword::kEnum:
    case Keyword::kConst:
      return CompileValues(subject, member);
    case Keyword::kMultipleOf:
    case Keyword::kMaximum:
    case Keyword::kExclusiveMaximum:
    case Keyword::kMinimum:
    case Keyword::kExclusiveMinimum:
      return CompileNumberRule(subject, member);
    case Keyword::kMaxLength:
    case Keyword::kMinLength:
    case Keyword::kPattern:
      return CompileStringRule(subject, member);
    case Keyword::kRequired:
    case Keyword::kDependentRequired:
      return CompileObjectRule(subject, member);
    default:
      return CompileSizeRule(subject, member);
  }
}

void Compiler::CompileType(const Subject& subject, const Member& member) {
  const Json& value = *member.value;
  if (value.is_string()) {
    subject.node->types = TypeBitOf(subject, value, Below(member));
    return;
  }
  if (!value.is_array()) return WrongKind(subject, member, "a string or an array of strings");
  if (value.get_array().empty()) {
    return Error(subject, "SCHEMA_KEYWORD_VALUE", Below(member), "'type' must not be empty");
  }
  uint8_t types = 0;
  for (size_t i = 0; i < value.get_array().size(); ++i) {
    const std::string below = base::JsonPointer(Below(member), i);
    const uint8_t bit = TypeBitOf(subject, value.get_array()[i], below);
    if ((types & bit) == bit && bit != kAllTypes) {
      Error(subject, "SCHEMA_KEYWORD_VALUE", below, "a type is listed twice");
    }
    types |= bit;
  }
  subject.node->types = types;
}

// kAllTypes, with an error reported, for what is no type's name.
uint8_t Compiler::TypeBitOf(const Subject& subject, const Json& value, const std::string& below) {
  if (!value.is_string()) {
    Error(subject, "SCHEMA_KEYWORD_VALUE", below,
          fmt::format("a type must be a string, not {}", base::JsonKindName(value)),
          value.is_object() && below == "/type" ? "a property named 'type' belongs below 'properties'"
                                                : (value.is_null() ? "write \"null\" in quotes" : ""));
    return kAllTypes;
  }
  const std::string_view name = Text(value);
  const auto found = std::find(kTypeNames.begin(), kTypeNames.end(), name);
  if (found != kTypeNames.end()) return static_cast<uint8_t>(1u << (found - kTypeNames.begin()));
  std::string hint = base::DidYouMean(name, kTypeNames);
  if (name == "float" || name == "double" || name == "decimal") hint = "did you mean 'number'?";
  if (name == "int" || name == "long") hint = "did you mean 'integer'?";
  if (name == "hash" || name == "map" || name == "dict") hint = "did you mean 'object'?";
  if (name == "list") hint = "did you mean 'array'?";
  if (name == "text" || name == "str") hint = "did you mean 'string'?";
  if (hint.empty()) hint = fmt::format("types are {}", fmt::join(kTypeNames, ", "));
  Error(subject, "SCHEMA_TYPE_UNKNOWN", below, fmt::format("unknown type '{}'", base::Shortened(name)),
        std::move(hint));
  return kAllTypes;
}

void Compiler::CompileNumberRule(const Subject& subject, const Member& member) {
  const Keyword keyword = member.info->keyword;
  const bool exclusive = keyword == Keyword::kExclusiveMaximum || keyword == Keyword::kExclusiveMinimum;
  if (exclusive && subject.rules.dialect == Dialect::kDraft4) return CompileLegacyExclusive(subject, member);
  if (!member.value->is_number()) {
    return WrongKind(
        subject, member, "a number",
        exclusive && member.value->is_bool() ? "the boolean form is draft-04's: write the bound itself" : "");
  }
  NumberRules& rules = Number(*subject.node);
  switch (keyword) {
    case Keyword::kMultipleOf:
      if (CompareNumbers(*member.value, Json(0)) <= 0) {
        return Error(subject, "SCHEMA_KEYWORD_VALUE", Below(member), "'multipleOf' must be greater than 0");
      }
      rules.multiple_of = *member.value;
      return;
    case Keyword::kMaximum:
      rules.maximum = *member.value;
      return;
    case Keyword::kMinimum:
      rules.minimum = *member.value;
      return;
    case Keyword::kExclusiveMaximum:
      rules.exclusive_maximum = *member.value;
      return;
    default:
      rules.exclusive_minimum = *member.value;
  }
}

// Draft-04: a boolean that makes the bound beside it an exclusive one.
void Compiler::CompileLegacyExclusive(const Subject& subject, const Member& member) {
  if (!member.value->is_bool()) return WrongKind(subject, member, "a boolean in draft-04");
  const bool upper = member.info->keyword == Keyword::kExclusiveMaximum;
  const Json* bound = subject.object->if_contains(upper ? "maximum" : "minimum");
  if (bound == nullptr) {
    return Error(subject, "SCHEMA_KEYWORD_VALUE", Below(member),
                 fmt::format("'{}' needs '{}' beside it in draft-04", member.name, upper ? "maximum" : "minimum"));
  }
  if (!member.value->get_bool() || !bound->is_number()) return;
  (upper ? Number(*subject.node).exclusive_maximum : Number(*subject.node).exclusive_minimum) = *bound;
}

void Compiler::CompileStringRule(const Subject& subject, const Member& member) {
  if (member.info->keyword == Keyword::kPattern) {
    if (!member.value->is_string()) return WrongKind(subject, member, "a string");
    String(*subject.node).pattern = PatternAt(subject, Text(*member.value), Below(member));
    return;
  }
  const std::optional<size_t> count = CountAt(subject, member);
  (member.info->keyword == Keyword::kMinLength ? String(*subject.node).min_length : String(*subject.node).max_length) =
      count;
}

void Compiler::CompileSizeRule(const Subject& subject, const Member& member) {
  if (member.info->keyword == Keyword::kUniqueItems) {
    if (!member.value->is_bool()) return WrongKind(subject, member, "a boolean");
    if (member.value->get_bool()) Array(*subject.node).unique = true;
    return;
  }
  const std::optional<size_t> count = CountAt(subject, member);
  switch (member.info->keyword) {
    case Keyword::kMaxItems:
      Array(*subject.node).size.most = count;
      return;
    case Keyword::kMinItems:
      Array(*subject.node).size.least = count;
      return;
    case Keyword::kMaxContains:
      Array(*subject.node).max_contains = count;
      return;
    case Keyword::kMinContains:
      Array(*subject.node).min_contains = count;
      return;
    case Keyword::kMaxProperties:
      Object(*subject.node).size.most = count;
      return;
    default:
      Object(*subject.node).size.least = count;
  }
}

std::optional<size_t> Compiler::CountAt(const Subject& subject, const Member& member) {
  const Json& value = *member.value;
  const bool number = value.is_number();
  if (!number || !IsInteger(value) || CompareNumbers(value, Json(0)) < 0) {
    Error(subject, "SCHEMA_KEYWORD_VALUE", Below(member),
          fmt::format("'{}' must be a whole number of at least 0, not {}", member.name,
                      number ? Excerpt(value) : std::string(base::JsonKindName(value))));
    return std::nullopt;
  }
  if (value.is_int64()) return static_cast<size_t>(value.get_int64());
  // No instance has that many of anything.
  if (CompareNumbers(value, Json(INT64_MAX)) > 0) return static_cast<size_t>(INT64_MAX);
  return static_cast<size_t>(value.is_uint64() ? value.get_uint64() : static_cast<uint64_t>(value.get_double()));
}

std::optional<std::vector<std::string>> Compiler::NamesAt(const Subject& subject, const Json& value,
                                                          const std::string& below, std::string_view keyword) {
  if (!value.is_array()) {
    std::string hint;
    if (value.is_string()) hint = fmt::format("write [{}]", Excerpt(value));
    if (value.is_bool()) hint = "list the names of the required properties in the schema of the object";
    Error(subject, "SCHEMA_KEYWORD_VALUE", below,
          fmt::format("'{}' must be an array of property names, not {}", keyword, base::JsonKindName(value)),
          std::move(hint));
    return std::nullopt;
  }
  std::vector<std::string> names;
  std::set<std::string_view> seen;
  for (size_t i = 0; i < value.get_array().size(); ++i) {
    const Json& item = value.get_array()[i];
    if (!item.is_string()) {
      Error(subject, "SCHEMA_KEYWORD_VALUE", base::JsonPointer(below, i),
            fmt::format("a property's name must be a string, not {}", base::JsonKindName(item)));
    } else if (!seen.insert(Text(item)).second) {
      Error(subject, "SCHEMA_KEYWORD_VALUE", base::JsonPointer(below, i),
            fmt::format("the name {} is listed twice", Excerpt(item)));
    } else {
      names.emplace_back(Text(item));
    }
  }
  return names;
}

void Compiler::CompileObjectRule(const Subject& subject, const Member& member) {
  if (member.info->keyword == Keyword::kRequired) return CompileRequired(subject, member);
  if (!member.value->is_object()) return WrongKind(subject, member, "an object");
  for (const auto& [key, value] : member.value->get_object()) {
    const std::string_view name(key.data(), key.size());
    if (auto required = NamesAt(subject, value, base::JsonPointer(Below(member), name), member.name)) {
      Object(*subject.node).dependents.push_back({std::string(name), *std::move(required), member.info->name});
    }
  }
}

void Compiler::CompileRequired(const Subject& subject, const Member& member) {
  const auto required = NamesAt(subject, *member.value, Below(member), member.name);
  if (!required || required->empty()) return;
  ObjectRules& rules = Object(*subject.node);
  rules.required_count = required->size();
  std::vector<std::string> names = rules.names.names();
  for (const std::string& name : *required) {
    const uint32_t known = rules.names.Find(name);
    if (known != NameTable::kNone) {
      rules.members[known].required = true;
    } else {
      names.push_back(name);
      rules.members.push_back({.schema = nullptr, .required = true});
    }
  }
  rules.names.Build(std::move(names));
}

void Compiler::CompileValues(const Subject& subject, const Member& member) {
  const bool constant = member.info->keyword == Keyword::kConst;
  if (!constant && !member.value->is_array()) return WrongKind(subject, member, "an array of values");
  // An empty `enum` is legal and refuses everything; so does one that repeats itself accept no more.
  const base::JsonArray list = constant ? base::JsonArray{*member.value} : member.value->get_array();
  auto values = std::make_unique<Values>();
  values->count = list.size();
  std::vector<std::string> strings;
  std::set<std::string_view> seen;
  constexpr size_t kShown = 10;
  size_t steps = 0;
  for (const Json& value : list) {
    if (values->shown.size() < kShown) values->shown.push_back(Excerpt(value));
    if (!value.is_string()) {
      values->others.emplace_back(Hash(value, steps), value);
    } else if (seen.insert(Text(value)).second) {
      strings.emplace_back(Text(value));
    }
  }
  values->strings.Build(std::move(strings));
  std::sort(values->others.begin(), values->others.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  if (!constant && list.empty()) {
    Warn(subject, "SCHEMA_ENUM_EMPTY", Below(member), "an empty 'enum' refuses every value");
  }
  (constant ? subject.node->constant : subject.node->enumeration) = std::move(values);
  if (constant) {
    samples_.push_back({subject.node, member.value, subject.place, "/const", "const"});
    return;
  }
  for (size_t i = 0; i < member.value->get_array().size(); ++i) {
    samples_.push_back(
        {subject.node, &member.value->get_array()[i], subject.place, base::JsonPointer("/enum", i), "enum"});
  }
}

const Pattern* Compiler::PatternAt(const Subject& subject, std::string_view text, const std::string& below) {
  if (text.size() > options_.limits.pattern_bytes) {
    Error(subject, "SCHEMA_PATTERN_UNSUPPORTED", below,
          fmt::format("the pattern is longer than {} bytes", options_.limits.pattern_bytes));
    return nullptr;
  }
  const auto [found, fresh] = patterns_.emplace(std::string(text), nullptr);
  if (fresh) found->second = &program_->patterns.emplace_back(text);
  const Pattern& pattern = *found->second;
  if (!pattern.error().empty()) {
    Error(subject, "SCHEMA_PATTERN_INVALID", below,
          fmt::format("the pattern '{}' is not a regular expression: {}", base::Shortened(text), pattern.error()));
    return nullptr;
  }
  if (!pattern.unsupported().empty()) {
    Error(subject, "SCHEMA_PATTERN_UNSUPPORTED", below,
          fmt::format("the pattern '{}' uses {}, which patterns cannot use here", base::Shortened(text),
                      pattern.unsupported()),
          "patterns run in linear time, without look-around and back-references");
    return nullptr;
  }
  return &pattern;
}

void Compiler::CompileMetaData(const Subject& subject, const Member& member) {
  switch (member.info->keyword) {
    case Keyword::kFormat:
      return CompileFormat(subject, member);
    case Keyword::kDefault:
      samples_.push_back({subject.node, member.value, subject.place, "/default", "default"});
      return;
    case Keyword::kExamples:
      if (!member.value->is_array()) return WrongKind(subject, member, "an array of values");
      for (size_t i = 0; i < member.value->get_array().size(); ++i) {
        samples_.push_back({subject.node, &member.value->get_array()[i], subject.place,
                            base::JsonPointer("/examples", i), "examples"});
      }
      return;
    case Keyword::kDeprecated:
    case Keyword::kReadOnly:
    case Keyword::kWriteOnly:
      if (!member.value->is_bool()) WrongKind(subject, member, "a boolean");
      return;
    case Keyword::kContentSchema:
      // An annotation; compiled only so that its mistakes are found.
      SchemaAt(subject, member);
      return;
    default:
      if (!member.value->is_string()) WrongKind(subject, member, "a string");
  }
}

void Compiler::CompileFormat(const Subject& subject, const Member& member) {
  if (!member.value->is_string()) return WrongKind(subject, member, "a string");
  const std::string_view name = Text(*member.value);
  const FormatCheck check = FindFormat(name);
  if (check == nullptr) {
    // Authors may use formats of their own; only what looks like a slip is worth a word.
    const std::string hint = base::DidYouMean(name, FormatNames());
    if (!hint.empty()) {
      Warn(subject, "SCHEMA_FORMAT_UNKNOWN", Below(member),
           fmt::format("unknown format '{}' has no effect", base::Shortened(name)), hint);
    }
    return;
  }
  const bool by_dialect = subject.rules.assert_formats && options_.formats == FormatMode::kByDialect;
  if (options_.formats != FormatMode::kAssert && !by_dialect) return;
  StringRules& rules = String(*subject.node);
  rules.format = check;
  rules.format_name = *std::find(FormatNames().begin(), FormatNames().end(), name);
}

}  // namespace tasker::json_schema
