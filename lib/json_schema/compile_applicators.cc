#include <fmt/format.h>

#include <algorithm>

#include "lib/base/utf8.h"
#include "lib/json_schema/compiler.h"

namespace tasker::json_schema {
namespace {

InPlaceRules& InPlace(Node& node) {
  if (node.in_place == nullptr) node.in_place = std::make_unique<InPlaceRules>();
  return *node.in_place;
}
ArrayRules& Array(Node& node) {
  if (node.array == nullptr) node.array = std::make_unique<ArrayRules>();
  return *node.array;
}
ObjectRules& Object(Node& node) {
  if (node.object == nullptr) node.object = std::make_unique<ObjectRules>();
  return *node.object;
}

std::string_view View(boost::json::string_view text) { return {text.data(), text.size()}; }

}  // namespace

void Compiler::CompileApplicator(const Subject& subject, const Member& member) {
  switch (member.info->keyword) {
    case Keyword::kAllOf:
      InPlace(*subject.node).all_of = SchemasAt(subject, member);
      return;
    case Keyword::kAnyOf:
      InPlace(*subject.node).any_of = SchemasAt(subject, member);
      return;
    case Keyword::kOneOf:
      InPlace(*subject.node).one_of = SchemasAt(subject, member);
      return;
    case Keyword::kNot:
      InPlace(*subject.node).negated = SchemaAt(subject, member);
      return;
    case Keyword::kIf:
      InPlace(*subject.node).condition = SchemaAt(subject, member);
      return;
    case Keyword::kThen:
    case Keyword::kElse: {
      const Node* branch = SchemaAt(subject, member);
      if (!subject.object->contains("if")) {
        Warn(subject, "SCHEMA_KEYWORD_ALONE", Below(member),
             fmt::format("'{}' has no effect without 'if'", member.name));
        return;
      }
      (member.info->keyword == Keyword::kThen ? InPlace(*subject.node).on_true : InPlace(*subject.node).on_false) =
          branch;
      return;
    }
    case Keyword::kDependentSchemas:
    case Keyword::kDependencies:
      return CompileDependencies(subject, member);
    case Keyword::kPrefixItems:
    case Keyword::kItems:
    case Keyword::kAdditionalItems:
    case Keyword::kContains:
    case Keyword::kUnevaluatedItems:
      return CompileArrayApplicator(subject, member);
    default:
      return CompileObjectApplicator(subject, member);
  }
}

void Compiler::CompileObjectApplicator(const Subject& subject, const Member& member) {
  switch (member.info->keyword) {
    case Keyword::kProperties:
      return CompileProperties(subject, member);
    case Keyword::kPatternProperties:
      return CompilePatternProperties(subject, member);
    case Keyword::kAdditionalProperties:
      Object(*subject.node).additional = SchemaAt(subject, member);
      return;
    case Keyword::kPropertyNames:
      Object(*subject.node).property_names = SchemaAt(subject, member);
      return;
    default:
      Object(*subject.node).unevaluated = SchemaAt(subject, member);
  }
}

void Compiler::CompileArrayApplicator(const Subject& subject, const Member& member) {
  ArrayRules& rules = Array(*subject.node);
  switch (member.info->keyword) {
    case Keyword::kPrefixItems:
      rules.prefix = SchemasAt(subject, member);
      rules.prefix_keyword = member.info->name;
      return;
    case Keyword::kItems:
      return CompileItems(subject, member);
    case Keyword::kAdditionalItems: {
      const Node* rest = SchemaAt(subject, member);
      // Without an array of `items` there are no additional ones.
      const Json* items = subject.object->if_contains("items");
      if (items == nullptr || !items->is_array()) return;
      rules.rest = rest;
      rules.rest_keyword = member.info->name;
      return;
    }
    case Keyword::kContains:
      rules.contains = SchemaAt(subject, member);
      rules.contains_counts_as_evaluated = subject.rules.dialect >= Dialect::k2020_12;
      return;
    default:
      rules.unevaluated = SchemaAt(subject, member);
  }
}

void Compiler::CompileItems(const Subject& subject, const Member& member) {
  ArrayRules& rules = Array(*subject.node);
  if (!member.value->is_array()) {
    rules.rest = SchemaAt(subject, member);
    rules.rest_keyword = member.info->name;
  } else if (subject.rules.dialect >= Dialect::k2020_12) {
    WrongKind(subject, member, "a schema", "one schema for each place is spelled prefixItems in 2020-12");
  } else {
    rules.prefix = SchemasAt(subject, member);
    rules.prefix_keyword = member.info->name;
  }
}

const Node* Compiler::SchemaAt(const Subject& subject, const Member& member) {
  return SchemaBelow(subject, *member.value, Below(member));
}

const Node* Compiler::SchemaBelow(const Subject& subject, const Json& value, const std::string& below) {
  // Draft-04 knows booleans only for the additional ones; taking them elsewhere does no harm.
  if (value.is_object() || value.is_bool()) return NodeFor(value);
  Error(subject, "SCHEMA_KEYWORD_VALUE", below,
        fmt::format("a schema must be an object or a boolean, not {}", base::JsonKindName(value)),
        value.is_string() ? "write {\"type\": …} for a type" : "");
  return nullptr;
}

std::vector<const Node*> Compiler::SchemasAt(const Subject& subject, const Member& member) {
  std::vector<const Node*> nodes;
  if (!member.value->is_array()) {
    WrongKind(subject, member, "an array of schemas");
    return nodes;
  }
  const base::JsonArray& array = member.value->get_array();
  if (array.empty() && member.info->keyword != Keyword::kItems) {
    Error(subject, "SCHEMA_KEYWORD_VALUE", Below(member), fmt::format("'{}' must not be empty", member.name));
  }
  for (size_t i = 0; i < array.size(); ++i) {
    if (const Node* node = SchemaBelow(subject, array[i], base::JsonPointer(Below(member), i))) nodes.push_back(node);
  }
  return nodes;
}

void Compiler::CheckDefinitions(const Subject& subject, const Member& member) {
  if (!member.value->is_object()) return WrongKind(subject, member, "an object");
  for (const auto& [name, value] : member.value->get_object()) {
    SchemaBelow(subject, value, base::JsonPointer(Below(member), View(name)));
  }
}

// `properties` and `required` share a table; whichever comes first fills it with both.
void Compiler::CompileProperties(const Subject& subject, const Member& member) {
  if (!member.value->is_object()) return WrongKind(subject, member, "an object of schemas");
  ObjectRules& rules = Object(*subject.node);
  std::vector<std::string> names = rules.names.names();
  for (const auto& [name, value] : member.value->get_object()) {
    const Node* node = SchemaBelow(subject, value, base::JsonPointer(Below(member), View(name)));
    const uint32_t known = rules.names.Find(View(name));
    if (known != NameTable::kNone) {
      rules.members[known].schema = node;
    } else {
      names.emplace_back(View(name));
      rules.members.push_back({.schema = node, .required = false});
    }
  }
  rules.names.Build(std::move(names));
}

void Compiler::CompilePatternProperties(const Subject& subject, const Member& member) {
  if (!member.value->is_object()) return WrongKind(subject, member, "an object of schemas by pattern");
  ObjectRules& rules = Object(*subject.node);
  for (const auto& [name, value] : member.value->get_object()) {
    const std::string below = base::JsonPointer(Below(member), View(name));
    const Pattern* pattern = PatternAt(subject, View(name), below);
    const Node* node = SchemaBelow(subject, value, below);
    if (pattern != nullptr && node != nullptr) rules.patterns.emplace_back(pattern, node);
  }
}

void Compiler::CompileDependencies(const Subject& subject, const Member& member) {
  if (!member.value->is_object()) return WrongKind(subject, member, "an object");
  for (const auto& [key, value] : member.value->get_object()) {
    const std::string_view name = View(key);
    const std::string below = base::JsonPointer(Below(member), name);
    if (value.is_array() && member.info->keyword == Keyword::kDependencies) {
      if (auto required = NamesAt(subject, value, below, member.name)) {
        Object(*subject.node).dependents.push_back({std::string(name), *std::move(required), member.info->name});
      }
    } else if (const Node* node = SchemaBelow(subject, value, below)) {
      InPlace(*subject.node).dependents.push_back({std::string(name), node, member.info->name});
    }
  }
}

}  // namespace tasker::json_schema
