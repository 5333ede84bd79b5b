#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lib/json_schema/evaluation_internal.h"
#include "lib/json_schema/excerpt.h"
#include "lib/json_schema/number.h"

/// Evaluation's members for arrays, and for what is left unevaluated.
namespace tasker::json_schema {

template <bool kExplain>
bool Evaluation<kExplain>::CheckArray(const Node& node, const ArrayRules& rules, const Json& value, Tracker* tracker) {
  const base::JsonArray& array = value.get_array();
  bool ok = true;
  if (rules.size.least && array.size() < *rules.size.least) {
    ok = Fail(node, "minItems", [&] {
      return fmt::format("the array has {} items, but must have at least {}", array.size(), *rules.size.least);
    });
  }
  if (Stop(ok)) return false;
  if (rules.size.most && array.size() > *rules.size.most) {
    ok = Fail(node, "maxItems", [&] {
      return fmt::format("the array has {} items, but must have at most {}", array.size(), *rules.size.most);
    });
  }
  if (Stop(ok)) return false;
  if (!rules.prefix.empty() || rules.rest != nullptr) ok = CheckItems(rules, array, tracker) && ok;
  if (Stop(ok)) return false;
  if (rules.unique) ok = CheckUnique(node, value) && ok;
  if (Stop(ok)) return false;
  if (rules.contains != nullptr) ok = CheckContains(node, rules, value, tracker) && ok;
  return ok;
}

template <bool kExplain>
bool Evaluation<kExplain>::CheckItems(const ArrayRules& rules, const base::JsonArray& array, Tracker* tracker) {
  bool ok = true;
  const size_t prefix = std::min(array.size(), rules.prefix.size());
  for (size_t i = 0; i < prefix; ++i) {
    Step step(*this);
    step.Keyword(rules.prefix_keyword).KeywordIndex(i).PartIndex(i);
    if (tracker != nullptr) tracker->Mark(i);
    ok = Check(*rules.prefix[i], array[i], nullptr) && ok;
    if (Stop(ok)) return false;
  }
  if (rules.rest == nullptr) return ok;
  if (tracker != nullptr) tracker->MarkAll();
  if (rules.rest->kind == Node::Kind::kAny) return ok;
  for (size_t i = prefix; i < array.size(); ++i) {
    Step step(*this);
    step.Keyword(rules.rest_keyword).PartIndex(i);
    ok = Check(*rules.rest, array[i], nullptr) && ok;
    if (Stop(ok)) return false;
  }
  return ok;
}

template <bool kExplain>
bool Evaluation<kExplain>::CheckContains(const Node& node, const ArrayRules& rules, const Json& value,
                                         Tracker* tracker) {
  const base::JsonArray& array = value.get_array();
  const size_t least = rules.min_contains.value_or(1);
  const bool count_all = rules.max_contains || (tracker != nullptr && rules.contains_counts_as_evaluated);
  size_t matches = 0;
  for (size_t i = 0; i < array.size() && !gave_up_; ++i) {
    if (!count_all && matches >= least) break;
    Step step(*this);
    step.Keyword("contains").PartIndex(i);
    if (!Try(*rules.contains, array[i], nullptr)) continue;
    ++matches;
    if (tracker != nullptr && rules.contains_counts_as_evaluated) tracker->Mark(i);
  }
  if (gave_up_) return false;
  if (matches < least) {
    return Fail(node, rules.min_contains ? "minContains" : "contains", [&] {
      return fmt::format("{} of the array's items fit 'contains', but at least {} must", matches, least);
    });
  }
  if (rules.max_contains && matches > *rules.max_contains) {
    return Fail(node, "maxContains", [&] {
      return fmt::format("{} of the array's items fit 'contains', but at most {} may", matches, *rules.max_contains);
    });
  }
  return true;
}

template <bool kExplain>
bool Evaluation<kExplain>::CheckUnique(const Node& node, const Json& value) {
  const base::JsonArray& array = value.get_array();
  const auto same = [&](size_t i, size_t j) {
    return Fail(node, "uniqueItems",
                [&] { return fmt::format("items {} and {} are both {}", i, j, Excerpt(array[i])); });
  };
  // Few items are compared in pairs, without memory.
  constexpr size_t kFew = 12;
  const auto is_small = [](const Json& item) { return !item.is_array() && !item.is_object(); };
  if (array.size() <= kFew && std::all_of(array.begin(), array.end(), is_small)) {
    for (size_t j = 1; j < array.size(); ++j) {
      for (size_t i = 0; i < j; ++i) {
        if (Equal(array[i], array[j])) return same(i, j);
      }
    }
    return true;
  }
  size_t steps = 0;
  std::vector<std::pair<size_t, size_t>> hashes;
  hashes.reserve(array.size());
  for (size_t i = 0; i < array.size(); ++i) hashes.emplace_back(Hash(array[i], steps), i);
  if (!Spend(node, steps)) return false;
  std::sort(hashes.begin(), hashes.end());
  for (size_t i = 0; i < hashes.size(); ++i) {
    for (size_t j = i + 1; j < hashes.size() && hashes[j].first == hashes[i].first; ++j) {
      if (!Spend(node, 1)) return false;
      if (Equal(array[hashes[i].second], array[hashes[j].second])) return same(hashes[i].second, hashes[j].second);
    }
  }
  return true;
}

template <bool kExplain>
bool Evaluation<kExplain>::CheckUnevaluated(const Node& unevaluated, const Json& value, const Tracker& tracker) {
  if (unevaluated.kind == Node::Kind::kAny) return true;
  bool ok = true;
  size_t i = 0;
  if (value.is_array()) {
    for (const Json& item : value.get_array()) {
      if (!tracker.Has(i++)) {
        Step step(*this);
        step.Keyword("unevaluatedItems").PartIndex(i - 1);
        ok = Check(unevaluated, item, nullptr) && ok;
        if (Stop(ok)) return false;
      }
    }
    return ok;
  }
  for (const auto& [key, member] : value.get_object()) {
    if (!tracker.Has(i++)) {
      Step step(*this);
      step.Keyword("unevaluatedProperties").Part(View(key));
      ok = Check(unevaluated, member, nullptr) && ok;
      if (Stop(ok)) return false;
    }
  }
  return ok;
}

}  // namespace tasker::json_schema
