#include "lib/diff/prover.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "lib/base/utf8.h"
#include "lib/json_schema/number.h"

namespace tasker::diff {
namespace {

constexpr size_t kMaxAlternatives = 48;
constexpr size_t kMaxGoals = 4'000;
constexpr size_t kMaxWork = 40'000;  // conjunctions looked at
constexpr int kMaxDepth = 150;       // nested calls of Implies, each about 3 KB of stack

void TakeAway(Conjunction& c, uint8_t kinds) { c.kinds &= static_cast<uint8_t>(~kinds); }

}  // namespace

Prover::Prover() : never_(Json(false), {}), string_(base::JsonObject{{"type", "string"}}, {}) {}

bool Prover::Fail(const SchemaNode& b, std::string_view keyword, std::string_view why) {
  if (quiet_ > 0 || !reason_.empty()) return false;
  const std::string place = base::JsonPointer(b.document->PointerOf(b.schema), keyword);
  reason_ = fmt::format("{}{}{}", base::Shortened(place, 200), why.empty() ? "" : ": ", why);
  return false;
}

bool Prover::Proves(const SchemaNode& a, const SchemaNode& b) { return Holds({{a}, {}}, b, Part::kItself); }

bool Prover::IsImpossible(const std::set<SchemaNode>& schemas) {
  if (schemas.empty()) return false;
  return Quietly([&] { return Holds({schemas, {}}, never_.root(), Part::kSmaller); });
}

bool Prover::Holds(const Premise& premise, const SchemaNode& b, Part part) {
  if (premise.all.contains(b)) return true;
  Goal goal(premise, b);
  if (const auto known = known_.find(goal); known != known_.end()) return known->second;
  smaller_ += part == Part::kSmaller ? 1 : 0;
  bool result = false;
  if (const auto open = open_.find(goal); open != open_.end()) {
    // Only what was proven for smaller values may be used.
    result = smaller_ > open->second.smaller;
    if (result) lowest_used_ = std::min(lowest_used_, open->second.position);
  } else if (++goals_ > kMaxGoals || depth_ > kMaxDepth) {
    Fail(b, "", "too complex to decide");
  } else {
    const size_t position = open_.size();
    const size_t outer_lowest = std::exchange(lowest_used_, static_cast<size_t>(-1));
    open_.emplace(goal, Open{smaller_, position});
    result = HoldsForAll(premise, b);
    open_.erase(goal);
    // A proof that leans on a goal further out is only as good as that one.
    if (!result || lowest_used_ >= position) known_.emplace(std::move(goal), result);
    lowest_used_ = std::min(outer_lowest, result && lowest_used_ < position ? lowest_used_ : static_cast<size_t>(-1));
  }
  smaller_ -= part == Part::kSmaller ? 1 : 0;
  return result;
}

bool Prover::HoldsForAll(const Premise& premise, const SchemaNode& b) {
  Conjunction start;
  start.negated = premise.none;
  std::vector<Conjunction> alternatives;
  if (!Expand(std::move(start), {premise.all.begin(), premise.all.end()}, kMaxAlternatives, alternatives)) {
    return Fail(b, "", "too many alternatives to decide");
  }
  return std::all_of(alternatives.begin(), alternatives.end(), [&](const Conjunction& c) { return Implies(c, b); });
}

bool Prover::Implies(Conjunction c, const SchemaNode& b) {
  if (++work_ > kMaxWork || depth_ > kMaxDepth) return Fail(b, "", "too complex to decide");
  ++depth_;
  const bool result = [&] {
    if (c.sources.contains(b)) return true;
    Narrow(c);
    if (c.kinds == 0) return true;
    const SchemaView& v = ViewOf(b);
    if (v.keywords == 0) return true;
    if (std::any_of(c.sources.begin(), c.sources.end(), [&](const SchemaNode& s) { return SameSchema(s, b); })) {
      return true;
    }
    if (v.never) return Fail(b, "", "nothing is accepted here");
    if (c.values) {
      const bool all = std::all_of(c.values->begin(), c.values->end(), [&](const Json& value) {
        return b.document->Accepts(b.schema, value).value_or(false);
      });
      return all || Fail(b, "", "a listed value is not accepted");
    }
    if (!v.unreadable.empty()) return Fail(b, v.unreadable, "this keyword is only compared for equality");
    return CheckScalars(c, v, b) && CheckArray(c, v, b) && CheckObject(c, v, b) && CheckInPlace(c, v, b);
  }();
  --depth_;
  return result;
}

void Prover::Narrow(Conjunction& c) {
  NarrowScalars(c);
  if (c.kinds == 0) return;
  if ((c.kinds & kArrayKind) != 0) NarrowItems(c);
  if ((c.kinds & kObjectKind) != 0) NarrowMembers(c);
  NarrowScalars(c);
  if (c.values) DropRefusedValues(c);
  if (c.kinds == 0 || c.negated.empty()) return;
  // Nothing is left where all of it is what must not be.
  Conjunction without = c;
  without.negated.clear();
  for (const SchemaNode& refused : c.negated) {
    if (!Quietly([&] { return Implies(without, refused); })) continue;
    c.kinds = 0;
    return;
  }
}

void Prover::DropRefusedValues(Conjunction& c) {
  std::erase_if(*c.values, [&](const Json& value) {
    const auto accepts = [&](const SchemaNode& node) { return node.document->Accepts(node.schema, value); };
    return std::any_of(c.sources.begin(), c.sources.end(),
                       [&](const SchemaNode& source) { return accepts(source) == false; }) ||
           std::any_of(c.negated.begin(), c.negated.end(),
                       [&](const SchemaNode& refused) { return accepts(refused) == true; });
  });
  NarrowScalars(c);
}

void Prover::NarrowItems(Conjunction& c) {
  const size_t prefix = c.PrefixSize();
  for (size_t i = 0; i <= prefix; ++i) {
    if (c.items.most && i >= *c.items.most) break;
    if (!IsImpossible(c.ItemSchemas(i))) continue;
    c.items.AtMost(i);
    break;
  }
}

bool Prover::IsMemberImpossible(const Conjunction& c, const std::string& name) {
  for (const SchemaNode& names : c.names) {
    if (names.document->Accepts(names.schema, Json(name)) == false) return true;
  }
  for (const SchemaNode& refused : c.negated) {
    // not: {required: [name]}
    const SchemaView& view = ViewOf(refused);
    const bool typed = view.keywords == 2 && view.kinds == kObjectKind;
    if ((view.keywords == 1 || typed) && view.required.size() == 1 && view.required.contains(name)) return true;
  }
  return IsImpossible(MemberSchemas(c, name));
}

void Prover::NarrowMembers(Conjunction& c) {
  for (const std::string& name : c.required) {
    if (!IsMemberImpossible(c, name)) continue;
    TakeAway(c, kObjectKind);
    return;
  }
  if (const auto names = MemberNames(c)) c.members.AtMost(names->size());
}

std::optional<std::set<std::string>> Prover::MemberNames(const Conjunction& c) {
  if (c.members.most && *c.members.most == c.required.size()) return c.required;
  std::optional<std::set<std::string>> names;
  for (const ObjectRule& rule : c.objects) {
    const auto impossible = [&](const SchemaNode& schema) { return IsImpossible({schema}); };
    if (!rule.additional || !impossible(*rule.additional)) continue;
    if (!std::all_of(rule.patterns.begin(), rule.patterns.end(),
                     [&](const auto& pattern) { return impossible(pattern.second); })) {
      continue;
    }
    names.emplace();
    for (const auto& [name, schema] : rule.properties) names->insert(name);
    break;
  }
  for (const SchemaNode& node : c.names) {
    const SchemaView& view = ViewOf(node);
    if (names || !view.values) continue;
    names.emplace();
    for (const Json& value : *view.values) {
      if (value.is_string()) names->emplace(value.get_string().data(), value.get_string().size());
    }
  }
  if (names) std::erase_if(*names, [&](const std::string& name) { return IsMemberImpossible(c, name); });
  return names;
}

bool Prover::Excludes(const Conjunction& c, const SchemaNode& schema) {
  for (const SchemaNode& refused : c.negated) {
    if (SameSchema(schema, refused)) return true;
    if (Quietly([&] { return Holds({{schema}, {}}, refused, Part::kItself); })) return true;
  }
  std::vector<Conjunction> alternatives;
  if (!Expand(c, {schema}, kMaxAlternatives, alternatives)) return false;
  return std::all_of(alternatives.begin(), alternatives.end(), [&](const Conjunction& alternative) {
    return Quietly([&] { return Implies(alternative, never_.root()); });
  });
}

bool Prover::CheckScalars(const Conjunction& c, const SchemaView& v, const SchemaNode& b) {
  if ((c.kinds & ~v.kinds) != 0) return Fail(b, "type", "not all types are accepted");
  if (v.values) return Fail(b, "enum", "not all values are accepted");
  return CheckNumbers(c, v, b) && CheckStrings(c, v, b);
}

bool Prover::CheckNumbers(const Conjunction& c, const SchemaView& v, const SchemaNode& b) {
  if ((c.kinds & kNumberKinds) == 0) return true;
  const auto within = [](const std::optional<Limit>& limit, const std::optional<Limit>& wanted, int direction) {
    if (!wanted) return true;
    if (!limit) return false;
    const int order = direction * json_schema::CompareNumbers(limit->value, wanted->value);
    return order > 0 || (order == 0 && (limit->exclusive || !wanted->exclusive));
  };
  if (!within(c.lower, v.lower, 1)) return Fail(b, "minimum", "smaller numbers are possible");
  if (!within(c.upper, v.upper, -1)) return Fail(b, "maximum", "larger numbers are possible");
  if (!v.multiple_of) return true;
  const auto multiple = [&](const Json& step) { return json_schema::IsMultipleOf(step, *v.multiple_of); };
  const bool whole = (c.kinds & kFractionKind) == 0 && multiple(Json(1));
  return whole || std::any_of(c.multiples.begin(), c.multiples.end(), multiple) || Fail(b, "multipleOf");
}

bool Prover::CheckStrings(const Conjunction& c, const SchemaView& v, const SchemaNode& b) {
  if ((c.kinds & kStringKind) == 0) return true;
  if (c.length.least < v.length.least) return Fail(b, "minLength", "shorter strings are possible");
  if (!c.length.Within(v.length)) return Fail(b, "maxLength", "longer strings are possible");
  if (v.pattern && !c.patterns.contains(*v.pattern) && *v.pattern != "" && *v.pattern != ".*" && *v.pattern != "^") {
    return Fail(b, "pattern", "patterns are only compared for equality");
  }
  if (v.format && !c.formats.contains(*v.format)) {
    return Fail(b, "format", "formats are only compared for equality");
  }
  return true;
}

template <typename Attempt>
bool Prover::ByCases(const Conjunction& c, const Attempt& attempt, bool split_members) {
  if (Quietly([&] { return attempt(c); })) return true;
  if (std::popcount(c.kinds) > 1) {
    for (unsigned kind = 1; kind <= kObjectKind; kind <<= 1) {
      Conjunction part = c;
      part.kinds &= static_cast<uint8_t>(kind);
      if (part.kinds == c.kinds || part.kinds == 0) continue;
      if (!ByCases(part, attempt, split_members)) return false;
    }
    return true;
  }
  if (c.kinds != kObjectKind || !split_members) return false;
  // By the value of a member that tells the cases apart.
  for (const std::string& name : c.required) {
    std::set<SchemaNode> schemas = MemberSchemas(c, name);
    if (schemas.empty()) continue;
    std::vector<Conjunction> alternatives;
    if (!Expand({}, {schemas.begin(), schemas.end()}, kMaxAlternatives, alternatives)) continue;
    constexpr size_t kMaxCases = 16;
    std::vector<Json> values;
    bool listed = true;
    for (Conjunction& alternative : alternatives) {
      Narrow(alternative);
      listed &= alternative.kinds == 0 || alternative.values.has_value();
      if (alternative.values) values.insert(values.end(), alternative.values->begin(), alternative.values->end());
    }
    if (!listed || values.size() < 2 || values.size() > kMaxCases) continue;
    const bool all = std::all_of(values.begin(), values.end(), [&](const Json& value) {
      cases_.push_back(
          std::make_unique<SchemaDocument>(base::JsonObject{{"const", value}}, json_schema::CompileOptions{}));
      Conjunction part = c;
      part.objects.push_back({{{name, cases_.back()->root()}}, {}, std::nullopt});
      return ByCases(part, attempt, false);
    });
    if (all) return true;
  }
  return false;
}

bool Prover::CheckInPlace(const Conjunction& c, const SchemaView& v, const SchemaNode& b) {
  if (v.reference && !Implies(c, *v.reference)) return false;
  for (const SchemaNode& part : v.all_of) {
    if (!Implies(c, part)) return false;
  }
  if (!v.any_of.empty()) {
    const auto some = [&](const Conjunction& part) {
      return std::any_of(v.any_of.begin(), v.any_of.end(), [&](const SchemaNode& s) { return Implies(part, s); });
    };
    if (!ByCases(c, some)) return Fail(b, "anyOf", "no alternative is certain to accept");
  }
  if (!v.one_of.empty()) {
    const auto exactly_one = [&](const Conjunction& part) {
      for (size_t i = 0; i < v.one_of.size(); ++i) {
        if (!Implies(part, v.one_of[i])) continue;
        bool alone = true;
        for (size_t j = 0; j < v.one_of.size() && alone; ++j) alone = j == i || Excludes(part, v.one_of[j]);
        if (alone) return true;
      }
      return false;
    };
    if (!ByCases(c, exactly_one)) return Fail(b, "oneOf", "not certain that exactly one alternative accepts");
  }
  if (v.negated) {
    const auto excluded = [&](const Conjunction& part) { return Excludes(part, *v.negated); };
    if (!ByCases(c, excluded)) return Fail(b, "not", "what it refuses may be possible");
  }
  return CheckCondition(c, v, b);
}

bool Prover::CheckCondition(const Conjunction& c, const SchemaView& v, const SchemaNode& b) {
  if (!v.condition) return true;
  if (v.on_true) {
    std::vector<Conjunction> alternatives;
    if (!Expand(c, {*v.condition}, kMaxAlternatives, alternatives)) return Fail(b, "if", "too many alternatives");
    for (const Conjunction& alternative : alternatives) {
      if (!Implies(alternative, *v.on_true)) return Fail(b, "then");
    }
  }
  if (v.on_false) {
    Conjunction otherwise = c;
    otherwise.negated.insert(*v.condition);
    if (!Implies(otherwise, *v.on_false)) return Fail(b, "else");
  }
  return true;
}

}  // namespace tasker::diff
