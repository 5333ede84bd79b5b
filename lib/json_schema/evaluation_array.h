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
template <typename Value>
bool Evaluation<kExplain>::CheckArray(const Node& node, const ArrayRules& rules, const Value& value, Tracker* tracker) {
  const size_t size = rules.size.least || rules.size.most ? SizeOf(value) : 0;
  bool ok = true;
  if (rules.size.least && size < *rules.size.least) {
    ok = Fail(node, "minItems", [&] {
      return fmt::format("the array has {} items, but must have at least {}", size, *rules.size.least);
    });
  }
  if (Stop(ok)) return false;
  if (rules.size.most && size > *rules.size.most) {
    ok = Fail(node, "maxItems",
              [&] { return fmt::format("the array has {} items, but must have at most {}", size, *rules.size.most); });
  }
  if (Stop(ok)) return false;
  if (!rules.prefix.empty() || rules.rest != nullptr) ok = CheckItems(rules, value, tracker) && ok;
  if (Stop(ok)) return false;
  if (rules.unique) ok = CheckUnique(node, value) && ok;
  if (Stop(ok)) return false;
  if (rules.contains != nullptr) ok = CheckContains(node, rules, value, tracker) && ok;
  return ok;
}

template <bool kExplain>
template <typename Value>
bool Evaluation<kExplain>::CheckItems(const ArrayRules& rules, const Value& value, Tracker* tracker) {
  if (rules.rest != nullptr && tracker != nullptr) tracker->MarkAll();
  const bool rest = rules.rest != nullptr && rules.rest->kind != Node::Kind::kAny;
  bool ok = true;
  size_t i = 0;
  EachItem(value, [&](const auto& item) {
    const bool in_prefix = i < rules.prefix.size();
    if (!in_prefix && !rest) return false;
    Step step(*this);
    if (in_prefix) {
      step.Keyword(rules.prefix_keyword).KeywordIndex(i).PartIndex(i);
      if (tracker != nullptr) tracker->Mark(i);
    } else {
      step.Keyword(rules.rest_keyword).PartIndex(i);
    }
    ok = Check(in_prefix ? *rules.prefix[i] : *rules.rest, item, nullptr) && ok;
    ++i;
    return !Stop(ok);
  });
  return ok && !gave_up_;
}

template <bool kExplain>
template <typename Value>
bool Evaluation<kExplain>::CheckContains(const Node& node, const ArrayRules& rules, const Value& value,
                                         Tracker* tracker) {
  const size_t least = rules.min_contains.value_or(1);
  const bool count_all = rules.max_contains || (tracker != nullptr && rules.contains_counts_as_evaluated);
  size_t matches = 0;
  size_t i = 0;
  EachItem(value, [&](const auto& item) {
    if (!count_all && matches >= least) return false;
    Step step(*this);
    step.Keyword("contains").PartIndex(i);
    if (Try(*rules.contains, item, nullptr)) {
      ++matches;
      if (tracker != nullptr && rules.contains_counts_as_evaluated) tracker->Mark(i);
    }
    ++i;
    return !gave_up_;
  });
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
template <typename Value>
bool Evaluation<kExplain>::CheckUnique(const Node& node, const Value& value) {
  // A few strings are compared in pairs, without memory.
  constexpr size_t kFew = 12;
  std::string_view texts[kFew];
  size_t count = 0;
  const bool few_strings = SizeOf(value) <= kFew && EachItem(value, [&](const auto& item) {
                             if (!item.is_string()) return false;
                             texts[count++] = TextOf(item);
                             return std::find(texts, texts + count - 1, texts[count - 1]) == texts + count - 1;
                           });
  if (few_strings) return true;
  const auto& json = AsJson(value);
  const base::JsonArray& array = json.get_array();
  const auto same = [&](size_t i, size_t j) {
    return Fail(node, "uniqueItems",
                [&] { return fmt::format("items {} and {} are both {}", i, j, Excerpt(array[i])); });
  };
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
template <typename Value>
bool Evaluation<kExplain>::CheckUnevaluated(const Node& unevaluated, const Value& value, const Tracker& tracker) {
  if (unevaluated.kind == Node::Kind::kAny) return true;
  bool ok = true;
  size_t i = 0;
  if (value.is_array()) {
    EachItem(value, [&](const auto& item) {
      if (tracker.Has(i++)) return true;
      Step step(*this);
      step.Keyword("unevaluatedItems").PartIndex(i - 1);
      ok = Check(unevaluated, item, nullptr) && ok;
      return !Stop(ok);
    });
  } else {
    EachMember(value, [&](std::string_view name, const auto& member) {
      if (tracker.Has(i++)) return true;
      Step step(*this);
      step.Keyword("unevaluatedProperties").Part(name);
      ok = Check(unevaluated, member, nullptr) && ok;
      return !Stop(ok);
    });
  }
  return ok && !gave_up_;
}

}  // namespace tasker::json_schema
