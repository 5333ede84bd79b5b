#pragma once

#include <fmt/format.h>

#include <boost/json/monotonic_resource.hpp>

#include "lib/json_schema/evaluation_internal.h"
#include "lib/json_schema/excerpt.h"

/// Evaluation's members for objects.
namespace tasker::json_schema {

template <bool kExplain>
bool Evaluation<kExplain>::CheckObject(const Node& node, const ObjectRules& rules, const Json& value,
                                       Tracker* tracker) {
  const size_t size = value.get_object().size();
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
bool Evaluation<kExplain>::CheckMembers(const Node& node, const ObjectRules& rules, const Json& value,
                                        Tracker* tracker) {
  const base::JsonObject& object = value.get_object();
  // Keys are unique: as many required members as there are required names means that all are there.
  size_t required = 0;
  bool ok = true;
  size_t i = 0;
  for (const auto& member : object) {
    const std::string_view name = View(member.key());
    bool matched = false;
    if (const uint32_t known = rules.names.Find(name); known != NameTable::kNone) {
      const ObjectRules::Member& rule = rules.members[known];
      required += rule.required ? 1 : 0;
      if (rule.schema != nullptr) {
        matched = true;
        Step step(*this);
        step.Keyword("properties").Keyword(name).Part(name);
        ok = Check(*rule.schema, member.value(), nullptr) && ok;
        if (Stop(ok)) return false;
      }
    }
    for (const auto& [pattern, schema] : rules.patterns) {
      if (!pattern->Matches(name)) continue;
      matched = true;
      Step step(*this);
      step.Keyword("patternProperties").Keyword(pattern->text()).Part(name);
      ok = Check(*schema, member.value(), nullptr) && ok;
      if (Stop(ok)) return false;
    }
    if (!matched && rules.additional != nullptr) {
      matched = true;
      Step step(*this);
      step.Keyword("additionalProperties").Part(name);
      ok = Check(*rules.additional, member.value(), nullptr) && ok;
      if (Stop(ok)) return false;
    }
    if (rules.property_names != nullptr) {
      Step step(*this);
      step.Keyword("propertyNames").Part(name);
      ok = CheckName(*rules.property_names, name) && ok;
      if (Stop(ok)) return false;
    }
    if (matched && tracker != nullptr) tracker->Mark(i);
    ++i;
  }
  if (required == rules.required_count) return ok;
  for (size_t name = 0; name < rules.members.size(); ++name) {
    const std::string& wanted = rules.names.names()[name];
    if (!rules.members[name].required || object.contains(wanted)) continue;
    Fail(node, "required", [&] { return fmt::format("the property '{}' is missing", wanted); });
    if constexpr (!kExplain) break;
  }
  return false;
}

template <bool kExplain>
bool Evaluation<kExplain>::CheckName(const Node& names, std::string_view name) {
  unsigned char buffer[512];
  boost::json::monotonic_resource memory(buffer, sizeof buffer);
  const Json value(boost::json::string_view(name.data(), name.size()), &memory);
  return Check(names, value, nullptr);
}

template <bool kExplain>
bool Evaluation<kExplain>::CheckDependents(const Node& node, const ObjectRules& rules, const Json& value) {
  const base::JsonObject& object = value.get_object();
  bool ok = true;
  for (const ObjectRules::Dependent& dependent : rules.dependents) {
    if (!object.contains(dependent.name)) continue;
    for (const std::string& name : dependent.required) {
      if (object.contains(name)) continue;
      ok = Fail(node, dependent.keyword,
                [&] { return fmt::format("the property '{}' is missing, which '{}' requires", name, dependent.name); });
      if (Stop(ok)) return false;
    }
  }
  return ok;
}

}  // namespace tasker::json_schema
