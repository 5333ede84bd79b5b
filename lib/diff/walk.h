#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/diff/alignment.h"
#include "lib/diff/diff.h"
#include "lib/diff/shape.h"

namespace tasker::diff {

using base::JsonArray;
using base::JsonObject;

/// Where the walk stands in both templates.
struct Place {
  std::string old_path;
  std::string new_path;
  std::string text;  ///< Change::place
  Place Key(std::string_view key) const;
  /// `label` stands in brackets; an index that a side lacks leaves its path as it is.
  Place Item(const Pair& pair, std::string_view label) const;
};

struct LocatedChange {
  Change change;
  Place place;
};

/// Compares two templates in canonical JSON along a Shape and collects the changes. Used once.
class Walk {
 public:
  explicit Walk(size_t detail_limit) : detail_limit_(detail_limit) {}

  std::vector<LocatedChange> Run(const Json& old_template, const Json& new_template);

 private:
  void Block(const Shape& shape, const JsonObject& a, const JsonObject& b, const Place& place);
  void Extensions(const Shape& shape, const JsonObject& a, const JsonObject& b, const Place& place);
  void Member(const Field& field, const Json* a, const Json* b, const Place& place);
  void Both(const Field& field, const Json& a, const Json& b, const Place& place);
  void BlockMap(const Field& field, const JsonObject& a, const JsonObject& b, const Place& place);
  void Set(const Field& field, const JsonArray& a, const JsonArray& b, const Place& place);
  void NamedBlocks(const Field& field, const JsonArray& a, const JsonArray& b, const Place& place);
  void MoveItems(const Field& field, const std::vector<Pair>& pairs, const JsonArray& a, const JsonArray& b,
                 const Place& place);

  // Free-form values.
  void Value(Area area, bool schema, const Json& a, const Json& b, const Place& place);
  void Object(Area area, bool schema, const JsonObject& a, const JsonObject& b, const Place& place);
  void List(Area area, bool schema, const JsonArray& a, const JsonArray& b, const Place& place);

  void FindRenamedSteps(const JsonObject& a, const JsonObject& b);
  // The name by which an item of the old template is looked for in the new one.
  std::string_view NewName(std::string_view old_name) const;

  void Add(ChangeKind kind, Area area, const Place& place, const Json* a, const Json* b);

  const size_t detail_limit_;
  std::vector<LocatedChange> changes_;
  std::map<std::string, std::string, std::less<>> renamed_;  // step names, old → new
};

}  // namespace tasker::diff
