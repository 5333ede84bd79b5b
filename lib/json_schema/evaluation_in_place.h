#pragma once

#include <fmt/format.h>

#include "lib/json_schema/evaluation_internal.h"
#include "lib/json_schema/excerpt.h"

/// Evaluation's members for keywords that apply schemas to the same instance.
namespace tasker::json_schema {

template <bool kExplain>
template <typename Value>
bool Evaluation<kExplain>::CheckInPlace(const Node& node, const InPlaceRules& rules, const Value& value,
                                        Tracker* tracker) {
  bool ok = true;
  if (rules.ref != nullptr) {
    Step step(*this);
    step.Keyword("$ref");
    ok = Check(*rules.ref, value, tracker);
    if (Stop(ok)) return false;
  }
  if (rules.dynamic_ref != nullptr) ok = CheckDynamicRef(rules, value, tracker) && ok;
  if (Stop(ok)) return false;
  for (size_t i = 0; i < rules.all_of.size(); ++i) {
    Step step(*this);
    step.Keyword("allOf").KeywordIndex(i);
    ok = Check(*rules.all_of[i], value, tracker) && ok;
    if (Stop(ok)) return false;
  }
  if (!rules.any_of.empty()) ok = CheckAnyOf(node, rules, value, tracker) && ok;
  if (Stop(ok)) return false;
  if (!rules.one_of.empty()) ok = CheckOneOf(node, rules, value, tracker) && ok;
  if (Stop(ok)) return false;
  if (rules.negated != nullptr) {
    if (Try(*rules.negated, value, nullptr)) {
      ok = Fail(node, "not",
                [&] { return fmt::format("{} fits a schema that it must not fit", Excerpt(AsJson(value))); });
    }
    if (Stop(ok)) return false;
  }
  if (rules.condition != nullptr) ok = CheckCondition(rules, value, tracker) && ok;
  if (Stop(ok)) return false;
  if (!value.is_object()) return ok;
  for (const InPlaceRules::Dependent& dependent : rules.dependents) {
    if (!HasMember(value, dependent.name)) continue;
    Step step(*this);
    step.Keyword(dependent.keyword).Keyword(dependent.name);
    ok = Check(*dependent.schema, value, tracker) && ok;
    if (Stop(ok)) return false;
  }
  return ok;
}

template <bool kExplain>
template <typename Value>
bool Evaluation<kExplain>::CheckDynamicRef(const InPlaceRules& rules, const Value& value, Tracker* tracker) {
  const Node* target = rules.dynamic_ref;
  if (rules.dynamic_anchor) {
    // The outermost resource of the dynamic scope that has the anchor decides.
    const DynamicAnchor& anchor = program_.dynamic_anchors[*rules.dynamic_anchor];
    for (const Scope* scope = scope_; scope != nullptr; scope = scope->outer) {
      for (const auto& [resource, node] : anchor) {
        if (resource == scope->resource) target = node;
      }
    }
  }
  Step step(*this);
  step.Keyword(rules.dynamic_keyword);
  return Check(*target, value, tracker);
}

template <bool kExplain>
template <typename Value>
bool Evaluation<kExplain>::CheckAnyOf(const Node& node, const InPlaceRules& rules, const Value& value,
                                      Tracker* tracker) {
  const Mark before = Now();
  bool matched = false;
  for (size_t i = 0; i < rules.any_of.size() && !gave_up_; ++i) {
    Step step(*this);
    step.Keyword("anyOf").KeywordIndex(i);
    if (tracker == nullptr) {
      matched = Check(*rules.any_of[i], value, nullptr);
      if (matched) break;
      continue;
    }
    // What any of them evaluates counts, so all are tried.
    Tracker own(tracker->size());
    if (!Check(*rules.any_of[i], value, &own)) continue;
    matched = true;
    tracker->Merge(own);
  }
  if (gave_up_) return false;
  if (matched) {
    Rewind(before);
    return true;
  }
  return Fail(node, "anyOf",
              [&] { return fmt::format("{} fits none of {} schemas", Excerpt(AsJson(value)), rules.any_of.size()); });
}

template <bool kExplain>
template <typename Value>
bool Evaluation<kExplain>::CheckOneOf(const Node& node, const InPlaceRules& rules, const Value& value,
                                      Tracker* tracker) {
  const Mark before = Now();
  constexpr size_t kNone = static_cast<size_t>(-1);
  size_t first = kNone;
  size_t second = kNone;
  for (size_t i = 0; i < rules.one_of.size() && second == kNone && !gave_up_; ++i) {
    Step step(*this);
    step.Keyword("oneOf").KeywordIndex(i);
    bool fits = false;
    if (tracker == nullptr) {
      fits = Check(*rules.one_of[i], value, nullptr);
    } else {
      Tracker own(tracker->size());
      fits = Check(*rules.one_of[i], value, &own);
      if (fits) tracker->Merge(own);
    }
    if (fits) (first == kNone ? first : second) = i;
  }
  if (gave_up_) return false;
  if (first == kNone) {
    return Fail(node, "oneOf",
                [&] { return fmt::format("{} fits none of {} schemas", Excerpt(AsJson(value)), rules.one_of.size()); });
  }
  Rewind(before);
  if (second == kNone) return true;
  return Fail(node, "oneOf", [&] {
    return fmt::format("{} fits more than one schema (numbers {} and {}), but must fit just one",
                       Excerpt(AsJson(value)), first, second);
  });
}

template <bool kExplain>
template <typename Value>
bool Evaluation<kExplain>::CheckCondition(const InPlaceRules& rules, const Value& value, Tracker* tracker) {
  bool holds = false;
  {
    Step step(*this);
    step.Keyword("if");
    if (tracker == nullptr) {
      // Without a branch to take, the condition decides nothing.
      if (rules.on_true == nullptr && rules.on_false == nullptr) return true;
      holds = Try(*rules.condition, value, nullptr);
    } else {
      Tracker own(tracker->size());
      holds = Try(*rules.condition, value, &own);
      if (holds) tracker->Merge(own);
    }
  }
  if (gave_up_) return false;
  const Node* branch = holds ? rules.on_true : rules.on_false;
  if (branch == nullptr) return true;
  Step step(*this);
  step.Keyword(holds ? "then" : "else");
  return Check(*branch, value, tracker);
}

}  // namespace tasker::json_schema
