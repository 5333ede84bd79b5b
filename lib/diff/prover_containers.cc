#include <algorithm>

#include "lib/diff/prover.h"

/// Prover's members for arrays and objects.
namespace tasker::diff {

bool Prover::CheckArray(const Conjunction& c, const SchemaView& v, const SchemaNode& b) {
  if ((c.kinds & kArrayKind) == 0) return true;
  if (c.items.least < v.items.least) return Fail(b, "minItems", "fewer items are possible");
  if (!c.items.Within(v.items)) return Fail(b, "maxItems", "more items are possible");
  if (v.unique && !c.unique && !(c.items.most && *c.items.most <= 1)) return Fail(b, "uniqueItems");
  return CheckItems(c, v, b) && CheckContains(c, v, b);
}

bool Prover::CheckItems(const Conjunction& c, const SchemaView& v, const SchemaNode& b) {
  if (!v.array) return true;
  const size_t last = std::max(c.PrefixSize(), v.array->prefix.size());
  for (size_t i = 0; i <= last; ++i) {
    if (c.items.most && i >= *c.items.most) break;
    const bool in_prefix = i < v.array->prefix.size();
    if (!in_prefix && !v.array->rest) continue;
    const SchemaNode& wanted = in_prefix ? v.array->prefix[i] : *v.array->rest;
    if (!Holds({c.ItemSchemas(i), {}}, wanted, Part::kSmaller)) return Fail(b, "items");
  }
  return true;
}

bool Prover::CheckContains(const Conjunction& c, const SchemaView& v, const SchemaNode& b) {
  if (!v.contains) return true;
  const ContainsRule& wanted = *v.contains;
  const auto holds = [&](const std::set<SchemaNode>& schemas, const SchemaNode& node) {
    return Quietly([&] { return Holds({schemas, {}}, node, Part::kSmaller); });
  };
  // The least number: by another `contains`, or because every one of enough items fits.
  bool enough = wanted.least == 0;
  for (const ContainsRule& rule : c.contains) {
    enough = enough || (rule.least >= wanted.least && holds({rule.schema}, wanted.schema));
  }
  if (!enough && c.items.least >= wanted.least) {
    enough = true;
    for (size_t i = 0; i <= c.PrefixSize() && enough; ++i) enough = holds(c.ItemSchemas(i), wanted.schema);
  }
  if (!enough) return Fail(b, "contains");
  if (!wanted.most || (c.items.most && *c.items.most <= *wanted.most)) return true;
  for (const ContainsRule& rule : c.contains) {
    if (rule.most && *rule.most <= *wanted.most && holds({wanted.schema}, rule.schema)) return true;
  }
  for (size_t i = 0; i <= c.PrefixSize(); ++i) {
    std::set<SchemaNode> both = c.ItemSchemas(i);
    both.insert(wanted.schema);
    if (!IsImpossible(both)) return Fail(b, "maxContains");
  }
  return true;
}

bool Prover::CheckObject(const Conjunction& c, const SchemaView& v, const SchemaNode& b) {
  if ((c.kinds & kObjectKind) == 0) return true;
  if (c.members.least < v.members.least) return Fail(b, "minProperties", "fewer members are possible");
  if (!c.members.Within(v.members)) return Fail(b, "maxProperties", "more members are possible");
  for (const std::string& name : v.required) {
    if (!c.required.contains(name)) return Fail(b, "required", "'" + name + "' may be missing");
  }
  if (v.object && !CheckMembers(c, *v.object, b)) return false;
  return CheckNames(c, v, b) && CheckDependents(c, v, b);
}

bool Prover::CheckMembers(const Conjunction& c, const ObjectRule& rule, const SchemaNode& b) {
  const std::optional<std::set<std::string>> known = MemberNames(c);
  std::set<std::string> names = known ? *known : c.required;
  if (!known) {
    for (const auto& [name, schema] : rule.properties) names.insert(name);
    for (const ObjectRule& own : c.objects) {
      for (const auto& [name, schema] : own.properties) names.insert(name);
    }
  }
  for (const std::string& name : names) {
    std::set<SchemaNode> wanted;
    AddMemberSchemas(rule, name, wanted);
    if (wanted.empty() || (!known && IsMemberImpossible(c, name))) continue;
    const std::set<SchemaNode> schemas = MemberSchemas(c, name);
    for (const SchemaNode& node : wanted) {
      if (!Holds({schemas, {}}, node, Part::kSmaller)) return Fail(b, "properties", "of '" + name + "'");
    }
  }
  return known || CheckOtherMembers(c, rule, b);
}

// The members that neither side names. Patterns are compared as texts, so for a class of names only those schemas
// count that apply to every name of it.
bool Prover::CheckOtherMembers(const Conjunction& c, const ObjectRule& rule, const SchemaNode& b) {
  // For names that match `pattern`: its own schemas, and what rules without patterns say of all others.
  const auto matching = [&](const std::string& pattern) {
    std::set<SchemaNode> schemas;
    for (const ObjectRule& own : c.objects) {
      if (own.patterns.empty() && own.additional) schemas.insert(*own.additional);
      for (const auto& [text, schema] : own.patterns) {
        if (text == pattern) schemas.insert(schema);
      }
    }
    return schemas;
  };
  std::set<std::string> wanted_patterns;
  for (const auto& [pattern, schema] : rule.patterns) {
    wanted_patterns.insert(pattern);
    if (!Holds({matching(pattern), {}}, schema, Part::kSmaller)) return Fail(b, "patternProperties");
  }
  if (!rule.additional) return true;
  std::set<SchemaNode> others;
  for (const ObjectRule& own : c.objects) {
    if (own.additional) others.insert(*own.additional);
    for (const auto& [pattern, schema] : own.patterns) {
      if (wanted_patterns.contains(pattern)) continue;
      if (!Holds({matching(pattern), {}}, *rule.additional, Part::kSmaller)) return Fail(b, "additionalProperties");
    }
  }
  return Holds({others, {}}, *rule.additional, Part::kSmaller) ||
         Fail(b, "additionalProperties", "members of other names are possible");
}

bool Prover::CheckNames(const Conjunction& c, const SchemaView& v, const SchemaNode& b) {
  if (!v.names) return true;
  if (const auto names = MemberNames(c)) {
    const bool all = std::all_of(names->begin(), names->end(), [&](const std::string& name) {
      return v.names->document->Accepts(v.names->schema, Json(name)).value_or(false);
    });
    return all || Fail(b, "propertyNames");
  }
  std::set<SchemaNode> schemas(c.names.begin(), c.names.end());
  schemas.insert(string_.root());
  return Holds({schemas, {}}, *v.names, Part::kSmaller) || Fail(b, "propertyNames");
}

bool Prover::CheckDependents(const Conjunction& c, const SchemaView& v, const SchemaNode& b) {
  for (const auto& [name, wanted] : v.dependent_required) {
    std::set<std::string> brought = c.required;
    if (const auto own = c.dependent_required.find(name); own != c.dependent_required.end()) {
      brought.insert(own->second.begin(), own->second.end());
    }
    brought.insert(name);
    if (std::includes(brought.begin(), brought.end(), wanted.begin(), wanted.end())) continue;
    if (!IsMemberImpossible(c, name)) return Fail(b, "dependentRequired", "of '" + name + "'");
  }
  for (const auto& [name, schema] : v.dependent_schemas) {
    if (IsMemberImpossible(c, name)) continue;
    // Only objects that have the member are concerned.
    Conjunction with = c;
    with.kinds = kObjectKind;
    with.required.insert(name);
    std::vector<Conjunction> alternatives;
    if (!Expand(std::move(with), {}, 48, alternatives)) return Fail(b, "dependentSchemas", "too many alternatives");
    for (const Conjunction& alternative : alternatives) {
      if (!Implies(alternative, schema)) return Fail(b, "dependentSchemas", "of '" + name + "'");
    }
  }
  return true;
}

}  // namespace tasker::diff
