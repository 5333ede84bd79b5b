#include "lib/diff/refuter.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "lib/diff/conjunction.h"
#include "lib/diff/pattern_sample.h"
#include "lib/json_schema/number.h"

namespace tasker::diff {
namespace {

using base::JsonArray;
using base::JsonObject;
using Nodes = std::set<SchemaNode>;

constexpr size_t kMaxCalls = 400;       // of Candidates
constexpr size_t kMaxCandidates = 300;  // of one call
constexpr int kMaxDepth = 7;
constexpr size_t kMaxLength = 300;  // of a string made to reach a bound
constexpr size_t kMaxSize = 24;     // of an array or object made to reach a bound
constexpr size_t kMaxHints = 200;   // schemas looked at for edges in one call

// Strings that some format accepts.
constexpr const char* kFormatted[] = {"2024-01-01",
                                      "2024-01-01T00:00:00Z",
                                      "00:00:00Z",
                                      "P1D",
                                      "a@example.com",
                                      "example.com",
                                      "127.0.0.1",
                                      "::1",
                                      "https://example.com/a",
                                      "/a",
                                      "123e4567-e89b-12d3-a456-426614174000"};

// Makes values that are instances of some schemas and lie near the edges of what others say. Every value is checked
// by the validators in the end, so this may guess.
class Search {
 public:
  // Values that are likely instances of all of `schemas`; `edges` are the schemas they should come into conflict with.
  std::vector<Json> Candidates(const Nodes& schemas, const Nodes& edges, int depth) {
    if (++calls_ > kMaxCalls || depth > kMaxDepth) return {};
    std::vector<Conjunction> alternatives;
    Expand({}, {schemas.begin(), schemas.end()}, 12, alternatives);
    const Hints hints = HintsOf(schemas, edges);
    std::vector<Json> found;
    for (Conjunction& c : alternatives) {
      NarrowScalars(c);
      if (c.kinds == 0 || found.size() > kMaxCandidates) continue;
      std::array<std::vector<Json>, 6> own;  // kind by kind, so that none crowds out another
      if (c.values) {
        own[0] = *c.values;
      } else {
        AddListed(c, hints, own[0]);
        AddNumbers(c, hints, own[1]);
        AddStrings(c, hints, own[2]);
        if ((c.kinds & kBooleanKind) != 0) own[3] = {Json(true), Json(false)};
        if ((c.kinds & kNullKind) != 0) own[3].emplace_back(nullptr);
        if ((c.kinds & kArrayKind) != 0) AddArrays(c, hints, depth, own[4]);
        if ((c.kinds & kObjectKind) != 0) AddObjects(c, hints, depth, own[5]);
      }
      bool more = true;
      for (size_t k = 0; more && found.size() < kMaxCandidates; ++k) {
        more = false;
        for (std::vector<Json>& values : own) {
          if (k >= values.size()) continue;
          more = true;
          if (Accepted(schemas, values[k]) && IsNew(found, values[k])) found.push_back(std::move(values[k]));
        }
      }
    }
    return found;
  }

 private:
  // What the schemas at hand say in any of their alternatives.
  struct Hints {
    std::vector<const SchemaView*> all;    // of both sides
    std::vector<const SchemaView*> edges;  // of the other side
  };

  static bool IsNew(const std::vector<Json>& found, const Json& value) {
    return std::find(found.begin(), found.end(), value) == found.end();
  }

  static bool Accepted(const Nodes& schemas, const Json& value) {
    return std::none_of(schemas.begin(), schemas.end(),
                        [&](const SchemaNode& node) { return node.document->Accepts(node.schema, value) == false; });
  }

  static void Collect(const Nodes& roots, std::vector<const SchemaView*>& out) {
    std::vector<SchemaNode> pending(roots.begin(), roots.end());
    Nodes seen;
    while (!pending.empty() && seen.size() < kMaxHints) {
      const SchemaNode node = pending.back();
      pending.pop_back();
      if (!seen.insert(node).second) continue;
      const SchemaView& view = ViewOf(node);
      out.push_back(&view);
      for (const auto* list : {&view.all_of, &view.any_of, &view.one_of}) {
        pending.insert(pending.end(), list->begin(), list->end());
      }
      for (const auto* one : {&view.reference, &view.negated, &view.condition, &view.on_true, &view.on_false}) {
        if (*one) pending.push_back(**one);
      }
      for (const auto& [name, schema] : view.dependent_schemas) pending.push_back(schema);
    }
  }

  static Hints HintsOf(const Nodes& schemas, const Nodes& edges) {
    Hints hints;
    Collect(schemas, hints.all);
    Collect(edges, hints.edges);
    hints.all.insert(hints.all.end(), hints.edges.begin(), hints.edges.end());
    return hints;
  }

  static void AddListed(const Conjunction& c, const Hints& hints, std::vector<Json>& out) {
    for (const SchemaView* view : hints.all) {
      if (!view->values) continue;
      for (const Json& value : *view->values) {
        if (out.size() < kMaxCandidates && (KindOf(value) & c.kinds) != 0) out.push_back(value);
      }
    }
  }

  static void AddNumbers(const Conjunction& c, const Hints& hints, std::vector<Json>& out) {
    if ((c.kinds & kNumberKinds) == 0) return;
    const auto add = [&](Json value) {
      if ((KindOf(value) & c.kinds) != 0 && out.size() < kMaxCandidates) out.push_back(std::move(value));
    };
    const auto around = [&](const Json& value) {
      add(value);
      if (value.is_int64() && value.get_int64() < (int64_t{1} << 60) && value.get_int64() > -(int64_t{1} << 60)) {
        add(value.get_int64() + 1);
        add(value.get_int64() - 1);
        add(static_cast<double>(value.get_int64()) + 0.5);
        add(static_cast<double>(value.get_int64()) - 0.5);
      } else if (value.is_double()) {
        for (const double step : {1.0, 0.5, 0.001}) {
          add(value.get_double() + step);
          add(value.get_double() - step);
        }
        const double whole = value.get_double();
        if (whole > -1e15 && whole < 1e15) {
          add(static_cast<int64_t>(whole));
          add(static_cast<int64_t>(whole) + 1);
        }
      }
    };
    for (const SchemaView* view : hints.all) {
      for (const auto* limit : {&view->lower, &view->upper}) {
        if (*limit) around((*limit)->value);
      }
      if (!view->multiple_of) continue;
      const Json& step = *view->multiple_of;
      add(step);
      if (step.is_int64() && step.get_int64() < (int64_t{1} << 40)) {
        for (const int64_t times : {2, 3, 5}) add(step.get_int64() * times);
        // The first multiple within the limits.
        if (c.lower && c.lower->value.is_int64()) {
          const int64_t unit = step.get_int64();
          for (int64_t value = c.lower->value.get_int64() / unit * unit, i = 0; i < 3; ++i) add(value + i * unit);
        }
      } else if (step.is_double()) {
        for (const double times : {2.0, 3.0}) add(step.get_double() * times);
      }
    }
    for (const int64_t value : {0, 1, 2, -1, 7}) add(value);
    for (const double value : {0.5, 1.5, -0.5}) add(value);
    add(int64_t{1} << 40);
    add(-(int64_t{1} << 40));
  }

  static void AddStrings(const Conjunction& c, const Hints& hints, std::vector<Json>& out) {
    if ((c.kinds & kStringKind) == 0) return;
    std::vector<std::string> texts;
    for (const SchemaView* view : hints.all) {
      if (!view->pattern) continue;
      for (std::string& sample : SamplePattern(*view->pattern)) texts.push_back(std::move(sample));
    }
    for (const SchemaView* view : hints.all) {
      const size_t least = view->length.least;
      for (const size_t length : {least, least - 1}) {
        if (length <= kMaxLength) texts.emplace_back(length, 'a');
      }
      if (!view->length.most) continue;
      for (const size_t length : {*view->length.most, *view->length.most + 1}) {
        if (length <= kMaxLength) texts.emplace_back(length, 'a');
      }
    }
    for (const char* text : {"", "a", "A b", "0", "~"}) texts.emplace_back(text);
    const bool formats = std::any_of(hints.all.begin(), hints.all.end(), [](const auto* v) { return v->format; });
    if (formats) texts.insert(texts.end(), std::begin(kFormatted), std::end(kFormatted));
    for (const std::string& text : texts) {
      if (out.size() < kMaxCandidates) out.emplace_back(text);
    }
  }

  // Sizes at and around the bounds, those that are small enough to make.
  static std::set<size_t> Sizes(const Hints& hints, SizeRange SchemaView::*range, size_t least) {
    std::set<size_t> sizes{least, least + 1, least + 2};
    for (const SchemaView* view : hints.all) {
      const SizeRange& bounds = view->*range;
      for (const size_t size : {bounds.least, bounds.least + 1}) sizes.insert(size);
      if (bounds.least > 0) sizes.insert(bounds.least - 1);
      if (bounds.most) sizes.insert({*bounds.most, *bounds.most + 1});
      if (view->array) sizes.insert({view->array->prefix.size(), view->array->prefix.size() + 1});
      if (view->contains) {
        sizes.insert(view->contains->least);
        if (view->contains->most) sizes.insert(*view->contains->most + 1);
      }
    }
    std::erase_if(sizes, [&](size_t size) { return size > kMaxSize || size < least; });
    return sizes;
  }

  // Without a word about the inside, a few will do.
  static bool NothingSaidOfItems(const Hints& hints) {
    return std::none_of(hints.all.begin(), hints.all.end(), [](const SchemaView* view) {
      return view->array || view->contains || view->unique || view->items.least > 0 || view->items.most;
    });
  }
  static bool NothingSaidOfMembers(const Hints& hints) {
    return std::none_of(hints.all.begin(), hints.all.end(), [](const SchemaView* view) {
      return view->object || view->names || !view->required.empty() || !view->dependent_required.empty() ||
             !view->dependent_schemas.empty() || view->members.least > 0 || view->members.most;
    });
  }

  void AddArrays(const Conjunction& c, const Hints& hints, int depth, std::vector<Json>& out) {
    if (NothingSaidOfItems(hints)) {
      out = {JsonArray{}, JsonArray{0}, JsonArray{"a", nullptr}};
      return;
    }
    const std::set<size_t> sizes = Sizes(hints, &SchemaView::items, c.items.least);
    const size_t alike = c.PrefixSize();
    std::vector<std::vector<Json>> choices;
    const auto choices_at = [&](size_t i) -> const std::vector<Json>& {
      const size_t slot = std::min(i, std::max(alike, EdgePrefix(hints)));
      while (choices.size() <= slot) choices.push_back(Items(c, hints, choices.size(), depth));
      return choices[slot];
    };
    // Every item is `pick(position)`-th of its candidates.
    const auto add = [&](size_t size, const auto& pick) {
      JsonArray array;
      for (size_t i = 0; i < size; ++i) {
        const std::vector<Json>& items = choices_at(i);
        if (items.empty()) return;
        array.push_back(items[pick(i) % items.size()]);
      }
      if (out.size() < kMaxCandidates) out.emplace_back(std::move(array));
    };
    for (const size_t size : sizes) {
      add(size, [](size_t) { return 0; });
      add(size, [](size_t i) { return i; });
    }
    for (const size_t size : sizes) {
      for (size_t i = 0; i < std::min<size_t>(size, 4); ++i) {
        for (size_t k = 1; k < std::min<size_t>(choices_at(i).size(), 24); ++k) {
          add(size, [&](size_t position) { return position == i ? k : position + 1; });
          add(size, [&](size_t position) { return position == i ? k : 0; });
        }
      }
      for (size_t k = 1; k < 12 && size > 0; ++k) add(size, [&](size_t) { return k; });
    }
  }

  static size_t EdgePrefix(const Hints& hints) {
    size_t size = 0;
    for (const SchemaView* view : hints.all) {
      if (view->array) size = std::max(size, view->array->prefix.size());
    }
    return std::min(size, kMaxSize);
  }

  std::vector<Json> Items(const Conjunction& c, const Hints& hints, size_t index, int depth) {
    Nodes edges;
    for (const SchemaView* view : hints.edges) {
      if (view->contains) edges.insert(view->contains->schema);
      if (!view->array) continue;
      if (index < view->array->prefix.size()) edges.insert(view->array->prefix[index]);
      if (view->array->rest) edges.insert(*view->array->rest);
    }
    for (const ContainsRule& rule : c.contains) edges.insert(rule.schema);
    return Candidates(c.ItemSchemas(index), edges, depth + 1);
  }

  std::vector<Json> Members(const Conjunction& c, const Hints& hints, const std::string& name, int depth) {
    Nodes edges;
    for (const SchemaView* view : hints.edges) {
      if (view->object) AddMemberSchemas(*view->object, name, edges);
    }
    return Candidates(MemberSchemas(c, name), edges, depth + 1);
  }

  static std::set<std::string> NamesToTry(const Conjunction& c, const Hints& hints) {
    std::set<std::string> names = c.required;
    for (const SchemaView* view : hints.all) {
      names.insert(view->required.begin(), view->required.end());
      for (const auto& [name, needed] : view->dependent_required) {
        names.insert(name);
        names.insert(needed.begin(), needed.end());
      }
      for (const auto& [name, schema] : view->dependent_schemas) names.insert(name);
      if (!view->object || names.size() > 60) continue;
      for (const auto& [name, schema] : view->object->properties) names.insert(name);
      for (const auto& [pattern, schema] : view->object->patterns) {
        for (std::string& sample : SamplePattern(pattern)) names.insert(std::move(sample));
      }
    }
    return names;
  }

  void AddObjects(const Conjunction& c, const Hints& hints, int depth, std::vector<Json>& out) {
    if (NothingSaidOfMembers(hints)) {
      out = {JsonObject{}, JsonObject{{"a", 0}}, JsonObject{{"other", "a"}}};
      return;
    }
    std::set<std::string> names = NamesToTry(c, hints);
    // Names that neither schema knows.
    std::set<std::string> strange{"other", "x", "Other 1"};
    Nodes name_schemas(c.names.begin(), c.names.end());
    for (const SchemaView* view : hints.edges) {
      if (view->names) name_schemas.insert(*view->names);
    }
    if (!name_schemas.empty()) {
      for (const SchemaNode& node : name_schemas) {
        for (const Json& name : Candidates({node}, {}, depth + 1)) {
          if (name.is_string() && strange.size() < 12) strange.emplace(name.get_string().data());
        }
      }
    }
    std::map<std::string, std::vector<Json>> choices;
    for (const std::set<std::string>* list : {&names, &strange}) {
      for (const std::string& name : *list) choices.emplace(name, Members(c, hints, name, depth));
    }
    JsonObject least;
    for (const std::string& name : c.required) {
      if (choices[name].empty()) return;
      least[name] = choices[name][0];
    }
    // Some need others beside them.
    for (size_t i = 0; least.size() < c.members.least && i < kMaxSize; ++i) {
      const std::string name = "other" + std::to_string(i);
      const std::vector<Json> values = Members(c, hints, name, depth);
      for (const auto& [known, known_values] : choices) {
        if (least.size() < c.members.least && !known_values.empty() && !least.contains(known)) {
          least[known] = known_values[0];
        }
      }
      if (least.size() < c.members.least && !values.empty()) least[name] = values[0];
    }
    const auto add = [&](JsonObject object) {
      if (out.size() < 2 * kMaxCandidates) out.emplace_back(std::move(object));
    };
    add(least);
    JsonObject most = least;
    for (const std::string& name : names) {
      if (!choices[name].empty()) most.emplace(name, choices[name][0]);
    }
    add(most);
    for (const auto& [name, values] : choices) {
      for (size_t k = 0; k < std::min<size_t>(values.size(), 40); ++k) {
        JsonObject object = least;
        object[name] = values[k];
        add(object);
        // What depends on the member.
        if (const auto needed = c.dependent_required.find(name); needed != c.dependent_required.end()) {
          for (const std::string& other : needed->second) {
            if (!choices[other].empty()) object.emplace(other, choices[other][0]);
          }
          add(std::move(object));
        }
        if (k == 0 && !least.contains(name)) {
          JsonObject without = most;
          without.erase(name);
          add(std::move(without));
        }
      }
    }
    const std::vector<Json> values = Members(c, hints, "other", depth);
    for (const size_t size : Sizes(hints, &SchemaView::members, least.size())) {
      if (values.empty()) break;
      JsonObject object = least;
      for (size_t i = 0; object.size() < size; ++i) object.emplace("other" + std::to_string(i), values[0]);
      add(std::move(object));
    }
  }

  size_t calls_ = 0;
};

}  // namespace

std::optional<Json> FindCounterexample(SchemaDocument& a, SchemaDocument& b) {
  std::optional<Json> best;
  size_t best_size = 0;
  for (Json& value : Search().Candidates({a.root()}, {b.root()}, 0)) {
    if (a.validator()->Validate(value) != json_schema::Verdict::kValid) continue;
    if (b.validator()->Validate(value) != json_schema::Verdict::kInvalid) continue;
    const size_t size = base::CanonicalJson(value).size();
    if (best && best_size <= size) continue;
    best = std::move(value);
    best_size = size;
  }
  return best;
}

}  // namespace tasker::diff
