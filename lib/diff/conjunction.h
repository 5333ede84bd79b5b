#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lib/diff/schema_view.h"

namespace tasker::diff {

/// What is known of a value: it is an instance of all of `all` and of none of `none`.
struct Premise {
  std::set<SchemaNode> all;
  std::set<SchemaNode> none;
  friend auto operator<=>(const Premise&, const Premise&) = default;
};

/// The same, spelled out without alternatives. Every value that the premise allows in this alternative is allowed by
/// it; it may allow more.
struct Conjunction {
  uint8_t kinds = kAllKinds;
  std::optional<std::vector<Json>> values;  ///< nothing but these
  std::optional<Limit> lower, upper;
  std::vector<Json> multiples;
  SizeRange length, items, members;
  std::set<std::string> patterns, formats;
  std::vector<ArrayRule> arrays;
  std::vector<ContainsRule> contains;
  bool unique = false;
  std::vector<ObjectRule> objects;
  std::set<std::string> required;
  std::vector<SchemaNode> names;
  std::map<std::string, std::set<std::string>> dependent_required;
  std::vector<std::pair<std::string, SchemaNode>> dependent_schemas;
  std::set<SchemaNode> sources;  ///< every schema that was taken in
  std::set<SchemaNode> negated;

  /// What every item at `index` must be an instance of.
  std::set<SchemaNode> ItemSchemas(size_t index) const;
  /// The number of positions from which on all items are alike.
  size_t PrefixSize() const;
};

/// The schemas that one rule applies to the member `name`.
void AddMemberSchemas(const ObjectRule& rule, const std::string& name, std::set<SchemaNode>& out);

/// What the member `name` must be an instance of.
std::set<SchemaNode> MemberSchemas(const Conjunction& c, const std::string& name);

/// Whether some part of `text` matches the ECMA-262 pattern; false for one that does not compile.
bool PatternMatches(const std::string& pattern, const std::string& text);

/// `start` and all of `pending` as alternatives that together cover every value of them. False when there would be
/// more than `max_alternatives`.
bool Expand(Conjunction start, std::vector<SchemaNode> pending, size_t max_alternatives, std::vector<Conjunction>& out);

/// Draws what follows from the numbers, sizes and names alone; takes kinds away that no value can have.
void NarrowScalars(Conjunction& c);

}  // namespace tasker::diff
