#include "lib/diff/conjunction.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <unordered_map>

#include "lib/json_schema/number.h"
#include "lib/json_schema/pattern.h"

namespace tasker::diff {
namespace {

void TightenLimit(std::optional<Limit>& limit, const std::optional<Limit>& other, int direction) {
  if (!other) return;
  const int order = limit ? direction * json_schema::CompareNumbers(other->value, limit->value) : 1;
  if (order > 0 || (order == 0 && other->exclusive)) limit = other;
}

void Tighten(SizeRange& range, const SizeRange& other) {
  range.AtLeast(other.least);
  if (other.most) range.AtMost(*other.most);
}

void KeepValues(Conjunction& c, const std::vector<Json>& values) {
  if (!c.values) {
    c.values = values;
    return;
  }
  // By hash: lists may have thousands of values.
  size_t steps = 0;
  std::unordered_multimap<size_t, const Json*> known;
  for (const Json& value : *c.values) known.emplace(json_schema::Hash(value, steps), &value);
  std::vector<Json> kept;
  for (const Json& value : values) {
    const auto [begin, end] = known.equal_range(json_schema::Hash(value, steps));
    if (std::any_of(begin, end, [&](const auto& entry) { return json_schema::Equal(value, *entry.second); })) {
      kept.push_back(value);
    }
  }
  c.values = std::move(kept);
}

// Takes in that the value is no instance of `node`.
void AddNegated(Conjunction& c, const SchemaNode& node, std::vector<SchemaNode>& pending) {
  const SchemaView& view = ViewOf(node);
  if (!c.negated.insert(node).second) return;
  if (view.never) return;
  if (view.keywords == 0) {
    c.kinds = 0;
  } else if (view.keywords == 1) {
    if (view.kinds != kAllKinds) c.kinds &= static_cast<uint8_t>(~view.kinds);
    if (view.negated) pending.push_back(*view.negated);
    if (view.reference) AddNegated(c, *view.reference, pending);
    for (const SchemaNode& branch : view.any_of) AddNegated(c, branch, pending);
  }
}

// Takes in the keywords of one view that offer no alternatives.
void TakeIn(Conjunction& c, const SchemaView& view) {
  if (view.never) c.kinds = 0;
  c.kinds &= view.kinds;
  if (view.values) KeepValues(c, *view.values);
  TightenLimit(c.lower, view.lower, 1);
  TightenLimit(c.upper, view.upper, -1);
  if (view.multiple_of) c.multiples.push_back(*view.multiple_of);
  Tighten(c.length, view.length);
  Tighten(c.items, view.items);
  Tighten(c.members, view.members);
  if (view.pattern) c.patterns.insert(*view.pattern);
  if (view.format) c.formats.insert(*view.format);
  if (view.array) c.arrays.push_back(*view.array);
  if (view.contains) c.contains.push_back(*view.contains);
  c.unique |= view.unique;
  if (view.object) c.objects.push_back(*view.object);
  c.required.insert(view.required.begin(), view.required.end());
  if (view.names) c.names.push_back(*view.names);
  for (const auto& [name, needed] : view.dependent_required) {
    c.dependent_required[name].insert(needed.begin(), needed.end());
  }
  c.dependent_schemas.insert(c.dependent_schemas.end(), view.dependent_schemas.begin(), view.dependent_schemas.end());
}

// One alternative on its way to be spelled out.
struct Draft {
  Conjunction c;
  std::vector<SchemaNode> pending;
  std::vector<std::vector<SchemaNode>> any_of;
  std::vector<std::vector<SchemaNode>> one_of;
  std::vector<const SchemaView*> conditions;
};

void TakePending(Draft& draft) {
  while (!draft.pending.empty()) {
    const SchemaNode node = draft.pending.back();
    draft.pending.pop_back();
    if (!draft.c.sources.insert(node).second) continue;
    const SchemaView& view = ViewOf(node);
    TakeIn(draft.c, view);
    if (view.reference) draft.pending.push_back(*view.reference);
    draft.pending.insert(draft.pending.end(), view.all_of.begin(), view.all_of.end());
    if (view.negated) AddNegated(draft.c, *view.negated, draft.pending);
    if (!view.any_of.empty()) draft.any_of.push_back(view.any_of);
    if (!view.one_of.empty()) draft.one_of.push_back(view.one_of);
    if (view.condition && (view.on_true || view.on_false)) draft.conditions.push_back(&view);
  }
}

// Members that are there bring others along, and schemas.
bool FollowDependents(Draft& draft) {
  Conjunction& c = draft.c;
  if ((c.kinds & ~kObjectKind) != 0) return false;
  bool changed = false;
  for (const auto& [name, needed] : c.dependent_required) {
    if (!c.required.contains(name)) continue;
    for (const std::string& other : needed) changed |= c.required.insert(other).second;
  }
  for (const auto& [name, schema] : c.dependent_schemas) {
    if (!c.required.contains(name) || c.sources.contains(schema)) continue;
    draft.pending.push_back(schema);
    changed = true;
  }
  return changed;
}

std::optional<int64_t> SmallInteger(double value) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (!(std::abs(value) < kExact)) return std::nullopt;
  return static_cast<int64_t>(value);
}

double AsDouble(const Json& number) {
  if (number.is_int64()) return static_cast<double>(number.get_int64());
  if (number.is_uint64()) return static_cast<double>(number.get_uint64());
  return number.get_double();
}

// The limit as the outermost integer within it, where that is small enough to be exact.
std::optional<int64_t> IntegerWithin(const Limit& limit, int direction) {
  const double value = AsDouble(limit.value);
  const auto whole = SmallInteger(direction > 0 ? std::ceil(value) : std::floor(value));
  if (!whole) return std::nullopt;
  const bool on_limit = json_schema::CompareNumbers(Json(*whole), limit.value) == 0;
  return limit.exclusive && on_limit ? *whole + direction : *whole;
}

void NarrowNumbers(Conjunction& c) {
  if ((c.kinds & kNumberKinds) == 0) return;
  const auto is_integer = [](const Json& multiple) { return json_schema::IsInteger(multiple); };
  if (std::any_of(c.multiples.begin(), c.multiples.end(), is_integer)) c.kinds &= static_cast<uint8_t>(~kFractionKind);
  if ((c.kinds & kNumberKinds) == kIntegerKind) {
    const auto lower = c.lower ? IntegerWithin(*c.lower, 1) : std::nullopt;
    const auto upper = c.upper ? IntegerWithin(*c.upper, -1) : std::nullopt;
    if (lower) c.lower = Limit{Json(*lower), false};
    if (upper) c.upper = Limit{Json(*upper), false};
  }
  if (!c.lower || !c.upper) return;
  const int order = json_schema::CompareNumbers(c.lower->value, c.upper->value);
  if (order > 0 || (order == 0 && (c.lower->exclusive || c.upper->exclusive))) {
    c.kinds &= static_cast<uint8_t>(~kNumberKinds);
  }
}

// Lists the values where there are only a few.
void ListValues(Conjunction& c) {
  constexpr int64_t kMaxListed = 32;
  if (c.values) {
    std::erase_if(*c.values, [&](const Json& value) { return (KindOf(value) & c.kinds) == 0; });
    c.kinds = 0;
    for (const Json& value : *c.values) c.kinds |= KindOf(value);
    return;
  }
  if ((c.kinds & ~(kNullKind | kBooleanKind | kIntegerKind)) != 0) return;
  std::vector<Json> values;
  if ((c.kinds & kNullKind) != 0) values.emplace_back(nullptr);
  if ((c.kinds & kBooleanKind) != 0) values.insert(values.end(), {Json(false), Json(true)});
  if ((c.kinds & kIntegerKind) != 0) {
    if (!c.lower || !c.upper || !c.lower->value.is_int64() || !c.upper->value.is_int64()) return;
    const int64_t lower = c.lower->value.get_int64();
    const int64_t upper = c.upper->value.get_int64();
    if (c.lower->exclusive || c.upper->exclusive || AsDouble(c.upper->value) - AsDouble(c.lower->value) > kMaxListed) {
      return;
    }
    for (int64_t value = lower; value <= upper; ++value) values.emplace_back(value);
  }
  c.values = std::move(values);
}

}  // namespace

std::set<SchemaNode> Conjunction::ItemSchemas(size_t index) const {
  std::set<SchemaNode> schemas;
  for (const ArrayRule& rule : arrays) {
    if (index < rule.prefix.size()) {
      schemas.insert(rule.prefix[index]);
    } else if (rule.rest) {
      schemas.insert(*rule.rest);
    }
  }
  return schemas;
}

size_t Conjunction::PrefixSize() const {
  size_t size = 0;
  for (const ArrayRule& rule : arrays) size = std::max(size, rule.prefix.size());
  return size;
}

bool PatternMatches(const std::string& pattern, const std::string& text) {
  // Few distinct patterns meet many names.
  thread_local std::unordered_map<std::string, std::unique_ptr<json_schema::Pattern>> compiled;
  if (compiled.size() > 200) compiled.clear();
  std::unique_ptr<json_schema::Pattern>& entry = compiled[pattern];
  if (entry == nullptr) entry = std::make_unique<json_schema::Pattern>(pattern);
  return entry->error().empty() && entry->unsupported().empty() && entry->Matches(text);
}

void AddMemberSchemas(const ObjectRule& rule, const std::string& name, std::set<SchemaNode>& out) {
  bool known = false;
  if (const auto found = rule.properties.find(name); found != rule.properties.end()) {
    out.insert(found->second);
    known = true;
  }
  for (const auto& [pattern, schema] : rule.patterns) {
    if (!PatternMatches(pattern, name)) continue;
    out.insert(schema);
    known = true;
  }
  if (!known && rule.additional) out.insert(*rule.additional);
}

std::set<SchemaNode> MemberSchemas(const Conjunction& c, const std::string& name) {
  std::set<SchemaNode> schemas;
  for (const ObjectRule& rule : c.objects) AddMemberSchemas(rule, name, schemas);
  return schemas;
}

bool Expand(Conjunction start, std::vector<SchemaNode> pending, size_t max_alternatives,
            std::vector<Conjunction>& out) {
  std::vector<Draft> drafts;
  drafts.push_back({std::move(start), std::move(pending), {}, {}, {}});
  // Alternatives that turn out impossible cost work, too.
  size_t work = 0;
  while (!drafts.empty()) {
    if (++work > 16 * max_alternatives || drafts.size() + out.size() > max_alternatives) return false;
    Draft draft = std::move(drafts.back());
    drafts.pop_back();
    do TakePending(draft);
    while (FollowDependents(draft));
    if (draft.c.kinds == 0) continue;
    const auto fork = [&](const SchemaNode& chosen) -> Draft& {
      drafts.push_back(draft);
      drafts.back().pending.push_back(chosen);
      return drafts.back();
    };
    if (!draft.any_of.empty()) {
      const std::vector<SchemaNode> branches = std::move(draft.any_of.back());
      draft.any_of.pop_back();
      for (const SchemaNode& branch : branches) fork(branch);
    } else if (!draft.one_of.empty()) {
      const std::vector<SchemaNode> branches = std::move(draft.one_of.back());
      draft.one_of.pop_back();
      for (size_t i = 0; i < branches.size(); ++i) {
        Draft& forked = fork(branches[i]);
        for (size_t j = 0; j < branches.size(); ++j) {
          if (j != i) AddNegated(forked.c, branches[j], forked.pending);
        }
      }
    } else if (!draft.conditions.empty()) {
      const SchemaView* view = draft.conditions.back();
      draft.conditions.pop_back();
      Draft& then_draft = fork(*view->condition);
      if (view->on_true) then_draft.pending.push_back(*view->on_true);
      drafts.push_back(draft);
      Draft& else_draft = drafts.back();
      AddNegated(else_draft.c, *view->condition, else_draft.pending);
      if (view->on_false) else_draft.pending.push_back(*view->on_false);
    } else {
      out.push_back(std::move(draft.c));
    }
  }
  return true;
}

void NarrowScalars(Conjunction& c) {
  NarrowNumbers(c);
  if (c.length.IsEmpty()) c.kinds &= static_cast<uint8_t>(~kStringKind);
  for (const ContainsRule& rule : c.contains) c.items.AtLeast(rule.least);
  if (c.items.IsEmpty()) c.kinds &= static_cast<uint8_t>(~kArrayKind);
  c.members.AtLeast(c.required.size());
  if (c.members.IsEmpty()) c.kinds &= static_cast<uint8_t>(~kObjectKind);
  ListValues(c);
}

}  // namespace tasker::diff
