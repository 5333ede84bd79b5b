#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/json_schema/name_table.h"
#include "lib/json_schema/pattern.h"
#include "lib/json_schema/schema.h"

/// The compiled form of a schema: a graph of nodes, one for each (sub)schema that can be reached.
namespace tasker::json_schema {

struct Node;

enum TypeBit : uint8_t {
  kNull = 1,
  kBoolean = 2,
  kInteger = 4,  ///< alone: numbers without fraction; part of kNumber otherwise
  kNumber = 8,
  kString = 16,
  kArray = 32,
  kObject = 64,
  kAllTypes = 127,
};

struct NumberRules {
  std::optional<Json> minimum, maximum, exclusive_minimum, exclusive_maximum, multiple_of;
};

using FormatCheck = bool (*)(std::string_view text);

struct StringRules {
  std::optional<size_t> min_length, max_length;  ///< in code points
  const Pattern* pattern = nullptr;
  FormatCheck format = nullptr;
  std::string_view format_name;
};

/// Where the sizes are bounded: items, members.
struct SizeRules {
  std::optional<size_t> least, most;
};

struct ArrayRules {
  SizeRules size;
  bool unique = false;
  std::vector<const Node*> prefix;
  const Node* rest = nullptr;  ///< for the items after `prefix`
  std::string_view prefix_keyword, rest_keyword;
  const Node* contains = nullptr;
  bool contains_counts_as_evaluated = false;  ///< since 2020-12
  std::optional<size_t> min_contains, max_contains;
  const Node* unevaluated = nullptr;
};

struct ObjectRules {
  struct Member {
    const Node* schema = nullptr;
    bool required = false;
  };
  struct Dependent {
    std::string name;
    std::vector<std::string> required;
    std::string_view keyword;
  };

  SizeRules size;
  NameTable names;              ///< of `properties` and `required` together
  std::vector<Member> members;  ///< by index in `names`
  size_t required_count = 0;
  std::vector<std::pair<const Pattern*, const Node*>> patterns;
  const Node* additional = nullptr;
  const Node* property_names = nullptr;
  std::vector<Dependent> dependents;
  const Node* unevaluated = nullptr;
};

/// The values of `enum` or `const`.
struct Values {
  NameTable strings;
  std::vector<std::pair<size_t, Json>> others;  ///< by hash, sorted
  std::vector<std::string> shown;               ///< the first few, for messages
  size_t count = 0;
};

/// Keywords that apply schemas to the instance itself.
struct InPlaceRules {
  struct Dependent {
    std::string name;
    const Node* schema;
    std::string_view keyword;
  };

  const Node* ref = nullptr;
  const Node* dynamic_ref = nullptr;     ///< used unless the dynamic scope offers another
  std::optional<size_t> dynamic_anchor;  ///< index in Program::dynamic_anchors
  std::string_view dynamic_keyword;
  std::vector<const Node*> all_of, any_of, one_of;
  const Node* negated = nullptr;
  const Node* condition = nullptr;
  const Node* on_true = nullptr;
  const Node* on_false = nullptr;
  std::vector<Dependent> dependents;
};

struct Node {
  enum class Kind : uint8_t { kAny, kNever, kRules };

  Kind kind = Kind::kAny;
  uint8_t types = kAllTypes;  ///< of TypeBit
  bool tracks = false;        ///< has an `unevaluated…`
  uint32_t resource = 0;      ///< index in Program::resource_uris
  std::unique_ptr<NumberRules> number;
  std::unique_ptr<StringRules> string;
  std::unique_ptr<ArrayRules> array;
  std::unique_ptr<ObjectRules> object;
  std::unique_ptr<Values> enumeration;
  std::unique_ptr<Values> constant;
  std::unique_ptr<InPlaceRules> in_place;
  std::string pointer;  ///< from the root of its resource
};

/// What one name of a dynamic anchor means in each resource that has it.
using DynamicAnchor = std::vector<std::pair<uint32_t, const Node*>>;

struct Program {
  const Node* root = nullptr;
  std::deque<Node> nodes;
  std::deque<Pattern> patterns;
  std::vector<std::string> resource_uris;  ///< as shown: "" for a schema without URI
  std::vector<DynamicAnchor> dynamic_anchors;
  Dialect dialect = Dialect::k2020_12;
  Limits limits;
  size_t memory_bytes = 0;
};

}  // namespace tasker::json_schema
