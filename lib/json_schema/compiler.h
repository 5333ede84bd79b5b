#pragma once

#include <absl/container/flat_hash_map.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/json_schema/node.h"
#include "lib/json_schema/resources.h"

namespace tasker::json_schema {

/// Makes one Program of a schema. Works through a list instead of recursing, so that no chain of references can
/// exhaust the stack. Used once.
class Compiler {
 public:
  Compiler(const Json& schema, const CompileOptions& options);

  CompileResult Run();

 private:
  // One schema object being compiled.
  struct Subject {
    const Json* schema;
    const base::JsonObject* object;
    Node* node;
    Place place;
    Rules rules;
  };
  // One keyword of it.
  struct Member {
    std::string_view name;
    const KeywordInfo* info;
    const Json* value;
  };
  // A value that its own schema is to be tried on, once everything is compiled.
  struct Sample {
    const Node* node;
    const Json* value;
    Place place;
    std::string below;
    std::string_view keyword;
  };

  // compiler.cc
  const Node* NodeFor(const Json& schema);
  void CompilePending();
  void CompileObject(const Subject& subject);
  void CompileKeyword(const Subject& subject, const Member& member);
  void CompileCore(const Subject& subject, const Member& member);
  void FinishObject(const Subject& subject);
  void CheckUnknown(const Subject& subject, std::string_view name);
  void CheckHiddenSiblings(const Subject& subject);
  void FindEndlessReferences();
  size_t MemoryBytes() const;

  // compile_references.cc
  void CompileRef(const Subject& subject, const Member& member);
  void CompileDynamicRef(const Subject& subject, const Member& member);
  void CompileRecursiveRef(const Subject& subject, const Member& member);
  const Node* Target(const Subject& subject, const Member& member);
  size_t DynamicName(const std::string& name);
  bool CompileDynamicAnchors();

  // compile_applicators.cc
  void CompileApplicator(const Subject& subject, const Member& member);
  void CompileObjectApplicator(const Subject& subject, const Member& member);
  void CompileArrayApplicator(const Subject& subject, const Member& member);
  void CompileItems(const Subject& subject, const Member& member);
  void CompileProperties(const Subject& subject, const Member& member);
  void CompilePatternProperties(const Subject& subject, const Member& member);
  void CompileDependencies(const Subject& subject, const Member& member);
  void CheckDefinitions(const Subject& subject, const Member& member);
  const Node* SchemaAt(const Subject& subject, const Member& member);
  const Node* SchemaBelow(const Subject& subject, const Json& value, const std::string& below);
  std::vector<const Node*> SchemasAt(const Subject& subject, const Member& member);

  // compile_validation.cc
  void CompileValidation(const Subject& subject, const Member& member);
  void CompileStringRule(const Subject& subject, const Member& member);
  void CompileSizeRule(const Subject& subject, const Member& member);
  void CompileObjectRule(const Subject& subject, const Member& member);
  void CompileType(const Subject& subject, const Member& member);
  uint8_t TypeBitOf(const Subject& subject, const Json& value, const std::string& below);
  void CompileNumberRule(const Subject& subject, const Member& member);
  void CompileLegacyExclusive(const Subject& subject, const Member& member);
  void CompileValues(const Subject& subject, const Member& member);
  void CompileRequired(const Subject& subject, const Member& member);
  void CompileMetaData(const Subject& subject, const Member& member);
  void CompileFormat(const Subject& subject, const Member& member);
  const Pattern* PatternAt(const Subject& subject, std::string_view text, const std::string& below);
  std::optional<size_t> CountAt(const Subject& subject, const Member& member);
  std::optional<std::vector<std::string>> NamesAt(const Subject& subject, const Json& value, const std::string& below,
                                                  std::string_view keyword);

  // lint.cc
  void TrySamples();

  void Error(const Subject& subject, std::string_view code, std::string_view below, std::string message,
             std::string hint = "");
  void Warn(const Subject& subject, std::string_view code, std::string_view below, std::string message,
            std::string hint = "");
  // "the keyword 'x' must be …, not …"
  void WrongKind(const Subject& subject, const Member& member, std::string_view wanted, std::string hint = "");
  static std::string Below(const Member& member);

  const Json& schema_;
  const CompileOptions& options_;
  ProblemList problems_;
  Resources resources_;
  std::unique_ptr<Program> program_;
  absl::flat_hash_map<const Json*, Node*> nodes_;
  absl::flat_hash_map<const Node*, const Json*> sources_;
  std::deque<const Json*> pending_;
  absl::flat_hash_map<std::string, const Pattern*> patterns_;
  absl::flat_hash_map<std::string, size_t> dynamic_names_;
  // Every pair of name and resource that was looked at.
  std::vector<size_t> dynamic_seen_;
  std::vector<Sample> samples_;
};

}  // namespace tasker::json_schema
