#pragma once

#include <fmt/format.h>

#include <boost/json/monotonic_resource.hpp>

#include "lib/json_schema/evaluation_internal.h"
#include "lib/json_schema/excerpt.h"

/// Evaluation's members for objects.
namespace tasker::json_schema {

template <bool kExplain>
template <typename Value>
bool Evaluation<kExplain>::CheckObject(const Node& node, const ObjectRules& rules, const Value& value,
                                       Tracker* tracker) {
  const size_t size = rules.size.least || rules.size.most ? SizeOf(value) : 0;
  bool ok = true;
  if (rules.size.least && size < *rules.size.least) {
    ok = Fail(node, "minProperties", [&] {
      return fmt::format("the object has {} properties, but must have at least {}", size, *rules.size.least);
    });
  }
  if (Stop(ok)) return false;
  if (rules.size.most && size > *rules.size.most) {
    ok = Fail(node, "maxProperties", [&] {
      return fmt::format("the object has {} properties, but must have at most {}", size, *rules.size.most);
    });
  }
  if (Stop(ok)) return false;
  ok = CheckMembers(node, rules, value, tracker) && ok;
  if (Stop(ok)) return false;
  if (!rules.dependents.empty()) ok = CheckDependents(node, rules, value) && ok;
  return ok;
}

// One pass over the instance's members for properties, patternProperties, additionalProperties, propertyNames,
// required.
template <bool kExplain>
template <typename Value>
bool Evaluation<kExplain>::CheckMembers(const Node& node, const ObjectRules& rules, const Value& value,
                                        Tracker* tracker) {
  // Keys are unique: as many required members as there are required names means that all are there.
  size_t required = 0;
  bool ok = true;
  size_t i = 0;
  EachMember(value, [&](std::string_view name, const auto& member) {
    const uint32_t known = rules.names.Find(name);
    if (known != NameTable::kNone && rules.members[known].required) ++required;
    bool matched = false;
    ok = CheckMember(rules, known, name, member, matched) && ok;
    if (matched && tracker != nullptr) tracker->Mark(i);
    ++i;
    return !Stop(ok);
  });
  if (Stop(ok)) return false;
  if (required == rules.required_count) return ok;
  for (size_t wanted = 0; kExplain && wanted < rules.members.size(); ++wanted) {
    const std::string& name = rules.names.names()[wanted];
    if (!rules.members[wanted].required || HasMember(value, name)) continue;
    Fail(node, "required", [&] { return fmt::format("the property '{}' is missing", name); });
  }
  return false;
}

// `known` is the name's index in `rules.names`; `matched` becomes whether some keyword evaluated the member.
template <bool kExplain>
template <typename Value>
bool Evaluation<kExplain>::CheckMember(const ObjectRules& rules, uint32_t known, std::string_view name,
                                       const Value& value, bool& matched) {
  bool ok = true;
  if (known != NameTable::kNone && rules.members[known].schema != nullptr) {
    matched = true;
    Step step(*this);
    step.Keyword("properties").Keyword(name).Part(name);
    ok = Check(*rules.members[known].schema, value, nullptr);
    if (Stop(ok)) return false;
  }
  for (const auto& [pattern, schema] : rules.patterns) {
    if (!pattern->Matches(name)) continue;
    matched = true;
    Step step(*this);
    step.Keyword("patternProperties").Keyword(pattern->text()).Part(name);
    ok = Check(*schema, value, nullptr) && ok;
    if (Stop(ok)) return false;
  }
  if (!matched && rules.additional != nullptr) {
    matched = true;
    Step step(*this);
    step.Keyword("additionalProperties").Part(name);
    ok = Check(*rules.additional, value, nullptr) && ok;
    if (Stop(ok)) return false;
  }
  if (rules.property_names == nullptr) return ok;
  Step step(*this);
  step.Keyword("propertyNames").Part(name);
  return CheckName(*rules.property_names, name) && ok;
}

template <bool kExplain>
bool Evaluation<kExplain>::CheckName(const Node& names, std::string_view name) {
  unsigned char buffer[512];
  boost::json::monotonic_resource memory(buffer, sizeof buffer);
  const Json value(boost::json::string_view(name.data(), name.size()), &memory);
  return Check(names, value, nullptr);
}

template <bool kExplain>
template <typename Value>
bool Evaluation<kExplain>::CheckDependents(const Node& node, const ObjectRules& rules, const Value& value) {
  bool ok = true;
  for (const ObjectRules::Dependent& dependent : rules.dependents) {
    if (!HasMember(value, dependent.name)) continue;
    for (const std::string& name : dependent.required) {
      if (HasMember(value, name)) continue;
      ok = Fail(node, dependent.keyword,
                [&] { return fmt::format("the property '{}' is missing, which '{}' requires", name, dependent.name); });
      if (Stop(ok)) return false;
    }
  }
  return ok;
}

}  // namespace tasker::json_schema
