#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/json_schema/dialect.h"
#include "lib/json_schema/problems.h"

namespace tasker::json_schema {

/// A schema with a URI of its own: a document's root, or a subschema with `$id`.
struct Resource {
  std::string uri;  ///< absolute; starts with kNoBase when the author gave none
  const Json* root = nullptr;
  std::string document;          ///< SchemaProblem::document of what lies in it
  std::string document_pointer;  ///< from the document's root to `root`
  Rules rules;
  absl::flat_hash_map<std::string, const Json*> anchors;  ///< of all kinds
  absl::flat_hash_map<std::string, const Json*> dynamic_anchors;
};

/// Where a schema stands.
struct Place {
  uint32_t resource = 0;
  std::string pointer;  ///< from the resource's root
};

/// The key of `$recursiveAnchor: true` in `dynamic_anchors`; no anchor can have this name.
inline constexpr std::string_view kRecursive = "#";

/// Finds the schemas of all documents, their URIs and anchors, and what references mean. Used by one Compile; keeps
/// pointers into the documents it is given.
class Resources {
 public:
  Resources(const CompileOptions& options, ProblemList& problems);

  /// The index of the schema's own document.
  uint32_t AddMain(const Json& schema);

  struct Target {
    const Json* schema = nullptr;  ///< null when the reference leads nowhere
    std::string problem;           ///< why, then
    std::string hint;
  };
  /// What `reference` means in `resource`. May take in further documents.
  Target Find(uint32_t resource, std::string_view reference);

  /// The place of a schema that a walk or Find has met, or null.
  const Place* PlaceOf(const Json& schema) const;

  const Resource& resource(uint32_t index) const { return resources_[index]; }
  size_t size() const { return resources_.size(); }

  void AddProblem(base::Severity severity, std::string_view code, const Place& place, std::string_view below,
                  std::string message, std::string hint = "");

 private:
  // What the walk knows on its way down.
  struct Position {
    uint32_t resource;
    std::string pointer;  // from the resource's root
    size_t depth;         // in the document
  };

  uint32_t AddDocument(const Json& root, std::string uri, std::string document, const Rules& rules);
  void AddGivenDocument(const std::string& uri, const Json& document);
  uint32_t AddResource(const Json& root, std::string uri, std::string document, std::string document_pointer,
                       const Rules& rules);
  void Walk(const Json& schema, Position position);
  void WalkMembers(const base::JsonObject& object, const Position& position, bool only_definitions);
  void WalkChild(const Json& child, const Position& parent, std::string_view keyword);
  void ReadIdentity(const Json& schema, const base::JsonObject& object, Position& position);
  void ReadAnchors(const Json& schema, const base::JsonObject& object, const Position& position);
  void ReadId(const Json& schema, std::string_view id, const Rules& rules, Position& position);
  void AddAnchor(std::string_view keyword, std::string_view name, const Json& schema, const Position& position,
                 bool dynamic);
  Rules RulesFor(std::string_view metaschema, const Rules& fallback, std::string& problem, int depth);
  const Json* FindDocument(std::string_view uri) const;
  std::optional<uint32_t> FindResource(const std::string& uri);
  Target FindFragment(uint32_t resource, std::string_view fragment);
  Target FindPointer(uint32_t resource, std::string_view pointer);

  const CompileOptions& options_;
  ProblemList& problems_;
  std::vector<Resource> resources_;
  absl::flat_hash_map<std::string, uint32_t> by_uri_;
  absl::flat_hash_map<const Json*, Place> places_;
  absl::flat_hash_set<std::string> taken_in_;  // the keys of options_.resources that were walked
  bool all_taken_in_ = false;
};

}  // namespace tasker::json_schema
