#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lib/json_schema/dialect.h"
#include "lib/json_schema/schema.h"

/// JSON Schemas as the containment checker reads them: one form for all dialects.
namespace tasker::diff {

using base::Json;

/// Seven kinds of values that have nothing in common; a JSON Schema type is one or two of them.
enum Kind : uint8_t {
  kNullKind = 1,
  kBooleanKind = 2,
  kIntegerKind = 4,   ///< numbers without fraction, 1.0 among them
  kFractionKind = 8,  ///< the other numbers
  kStringKind = 16,
  kArrayKind = 32,
  kObjectKind = 64,
  kNumberKinds = kIntegerKind | kFractionKind,
  kAllKinds = 127,
};

Kind KindOf(const Json& value);

class SchemaDocument;

/// One (sub)schema of a document; equal when it is the same place.
struct SchemaNode {
  SchemaDocument* document = nullptr;
  const Json* schema = nullptr;
  friend auto operator<=>(const SchemaNode&, const SchemaNode&) = default;
};

struct Limit {
  Json value;
  bool exclusive = false;
};

struct SizeRange {
  size_t least = 0;
  std::optional<size_t> most;

  void AtLeast(size_t bound) { least = std::max(least, bound); }
  void AtMost(size_t bound) { most = most ? std::min(*most, bound) : bound; }
  bool IsEmpty() const { return most && *most < least; }
  bool Within(const SizeRange& other) const {
    return least >= other.least && (!other.most || (most && *most <= *other.most));
  }
};

struct ArrayRule {
  std::vector<SchemaNode> prefix;
  std::optional<SchemaNode> rest;
};

struct ContainsRule {
  SchemaNode schema;
  size_t least = 1;
  std::optional<size_t> most;
};

struct ObjectRule {
  std::map<std::string, SchemaNode> properties;
  std::vector<std::pair<std::string, SchemaNode>> patterns;
  std::optional<SchemaNode> additional;
};

/// What the keywords of one schema object say; all of it must hold.
struct SchemaView {
  bool never = false;                       ///< `false`
  size_t keywords = 0;                      ///< how many of them can refuse a value; 0 accepts everything
  std::string unreadable;                   ///< a keyword that is not understood here; the rest still holds
  uint8_t kinds = kAllKinds;                ///< by `type`
  std::optional<std::vector<Json>> values;  ///< by `enum` and `const`
  std::optional<Limit> lower, upper;
  std::optional<Json> multiple_of;
  SizeRange length, items, members;
  std::optional<std::string> pattern, format;
  std::optional<ArrayRule> array;
  std::optional<ContainsRule> contains;
  bool unique = false;
  std::optional<ObjectRule> object;
  std::set<std::string> required;
  std::optional<SchemaNode> names;
  std::map<std::string, std::set<std::string>> dependent_required;
  std::vector<std::pair<std::string, SchemaNode>> dependent_schemas;
  std::optional<SchemaNode> reference;
  std::vector<SchemaNode> all_of, any_of, one_of;
  std::optional<SchemaNode> negated, condition, on_true, on_false;
};

/// One schema document. Not safe for concurrent use: it reads its parts when they are asked for.
class SchemaDocument {
 public:
  /// `options` as for json_schema::Compile; `resources` are not looked at.
  SchemaDocument(Json schema, const json_schema::CompileOptions& options);
  SchemaDocument(const SchemaDocument&) = delete;
  SchemaDocument& operator=(const SchemaDocument&) = delete;

  SchemaNode root() { return {this, &schema_}; }
  /// The compiled whole; null when it is no valid schema, and then `problem` says why.
  const json_schema::Schema* validator() const { return validator_.get(); }
  const std::string& problem() const { return problem_; }

  const SchemaView& View(const Json* schema);
  /// The JSON pointer of a schema that some View of this document has named.
  const std::string& PointerOf(const Json* schema) const { return pointers_.at(schema); }
  /// Whether `value` is an instance of that schema; nullopt when that cannot be found out.
  std::optional<bool> Accepts(const Json* schema, const Json& value);

 private:
  friend class SchemaReader;

  Json schema_;
  json_schema::CompileOptions options_;
  json_schema::Rules rules_;
  bool assert_formats_ = false;
  bool plain_references_ = true;  // no subschema has a base URI or dialect of its own
  std::shared_ptr<const json_schema::Schema> validator_;
  std::string problem_;
  std::unordered_map<const Json*, std::string> pointers_;
  std::unordered_map<const Json*, std::unique_ptr<SchemaView>> views_;
  std::unordered_map<const Json*, std::shared_ptr<const json_schema::Schema>> validators_;
};

inline const SchemaView& ViewOf(const SchemaNode& node) { return node.document->View(node.schema); }

/// Whether both say the same in the same words: equal but for annotations and the order of sets, references followed.
/// False where that is not certain.
bool SameSchema(const SchemaNode& a, const SchemaNode& b);

}  // namespace tasker::diff
