#include <algorithm>

#include "lib/diff/schema_view.h"
#include "lib/json_schema/number.h"

namespace tasker::diff {
namespace {

// Compares views along the way down; a pair that is met again on it is taken as the same.
class SameCheck {
 public:
  bool Same(const SchemaNode& a, const SchemaNode& b) {
    if (a == b || !seen_.emplace(a, b).second) return true;
    if (seen_.size() > kMaxPairs) return false;
    const SchemaView& x = ViewOf(a);
    const SchemaView& y = ViewOf(b);
    // A reference alone is what it refers to.
    if (x.reference && x.keywords == 1) return Same(*x.reference, b);
    if (y.reference && y.keywords == 1) return Same(a, *y.reference);
    if (!x.unreadable.empty() || !y.unreadable.empty()) return false;
    return x.never == y.never && x.kinds == y.kinds && SameValues(x.values, y.values) && SameLimit(x.lower, y.lower) &&
           SameLimit(x.upper, y.upper) && SameNumber(x.multiple_of, y.multiple_of) && SameSize(x.length, y.length) &&
           SameSize(x.items, y.items) && SameSize(x.members, y.members) && x.pattern == y.pattern &&
           x.format == y.format && x.unique == y.unique && x.required == y.required &&
           x.dependent_required == y.dependent_required && SameArray(x.array, y.array) &&
           SameContains(x.contains, y.contains) && SameObject(x.object, y.object) && SameNode(x.names, y.names) &&
           SameDependents(x.dependent_schemas, y.dependent_schemas) && SameNode(x.reference, y.reference) &&
           SameList(x.all_of, y.all_of) && SameList(x.any_of, y.any_of) && SameList(x.one_of, y.one_of) &&
           SameNode(x.negated, y.negated) && SameNode(x.condition, y.condition) && SameNode(x.on_true, y.on_true) &&
           SameNode(x.on_false, y.on_false);
  }

 private:
  static constexpr size_t kMaxPairs = 20'000;

  static bool SameNumber(const std::optional<Json>& a, const std::optional<Json>& b) {
    return a.has_value() == b.has_value() && (!a || json_schema::Equal(*a, *b));
  }
  static bool SameLimit(const std::optional<Limit>& a, const std::optional<Limit>& b) {
    return a.has_value() == b.has_value() &&
           (!a || (a->exclusive == b->exclusive && json_schema::Equal(a->value, b->value)));
  }
  static bool SameSize(const SizeRange& a, const SizeRange& b) { return a.least == b.least && a.most == b.most; }
  static bool SameValues(const std::optional<std::vector<Json>>& a, const std::optional<std::vector<Json>>& b) {
    if (a.has_value() != b.has_value()) return false;
    if (!a) return true;
    const auto within = [](const std::vector<Json>& x, const std::vector<Json>& y) {
      return std::all_of(x.begin(), x.end(), [&](const Json& value) {
        return std::any_of(y.begin(), y.end(), [&](const Json& other) { return json_schema::Equal(value, other); });
      });
    };
    constexpr size_t kMaxValues = 2'000;
    if (a->size() > kMaxValues || b->size() > kMaxValues) return *a == *b;
    return within(*a, *b) && within(*b, *a);
  }
  bool SameNode(const std::optional<SchemaNode>& a, const std::optional<SchemaNode>& b) {
    return a.has_value() == b.has_value() && (!a || Same(*a, *b));
  }
  bool SameList(const std::vector<SchemaNode>& a, const std::vector<SchemaNode>& b) {
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i) {
      if (!Same(a[i], b[i])) return false;
    }
    return true;
  }
  bool SameArray(const std::optional<ArrayRule>& a, const std::optional<ArrayRule>& b) {
    return a.has_value() == b.has_value() && (!a || (SameList(a->prefix, b->prefix) && SameNode(a->rest, b->rest)));
  }
  bool SameContains(const std::optional<ContainsRule>& a, const std::optional<ContainsRule>& b) {
    return a.has_value() == b.has_value() &&
           (!a || (a->least == b->least && a->most == b->most && Same(a->schema, b->schema)));
  }
  bool SameObject(const std::optional<ObjectRule>& a, const std::optional<ObjectRule>& b) {
    if (a.has_value() != b.has_value()) return false;
    if (!a) return true;
    return SameMembers(a->properties, b->properties) && SameMembers(Map(a->patterns), Map(b->patterns)) &&
           SameNode(a->additional, b->additional);
  }
  bool SameDependents(const std::vector<std::pair<std::string, SchemaNode>>& a,
                      const std::vector<std::pair<std::string, SchemaNode>>& b) {
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i) {
      if (a[i].first != b[i].first || !Same(a[i].second, b[i].second)) return false;
    }
    return true;
  }
  static std::map<std::string, SchemaNode> Map(const std::vector<std::pair<std::string, SchemaNode>>& list) {
    return {list.begin(), list.end()};
  }
  bool SameMembers(const std::map<std::string, SchemaNode>& a, const std::map<std::string, SchemaNode>& b) {
    if (a.size() != b.size()) return false;
    for (auto x = a.begin(), y = b.begin(); x != a.end(); ++x, ++y) {
      if (x->first != y->first || !Same(x->second, y->second)) return false;
    }
    return true;
  }

  std::set<std::pair<SchemaNode, SchemaNode>> seen_;
};

}  // namespace

bool SameSchema(const SchemaNode& a, const SchemaNode& b) { return SameCheck().Same(a, b); }

}  // namespace tasker::diff
