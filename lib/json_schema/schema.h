#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/issue.h"
#include "lib/base/json.h"

/// JSON Schema: compile once, evaluate many. Nothing is ever fetched; see docs/json-schema.md for what is supported.
namespace tasker::json_schema {

using base::Json;

enum class Dialect : uint8_t { kDraft4, kDraft6, kDraft7, k2019_09, k2020_12 };

/// "draft-04" … "2020-12": the dialect's name in messages.
std::string_view DialectName(Dialect dialect);

/// Whether `format` can refuse a value.
enum class FormatMode : uint8_t {
  kByDialect,  ///< it does in draft-07 and older and where the metaschema lists the format-assertion vocabulary
  kAssert,     ///< it does
  kAnnotate,   ///< it does not
};

/// Bounds that keep hostile schemas and instances from harming the process.
struct Limits {
  size_t steps = 10'000'000;     ///< schema nodes visited, plus the sizes of what is hashed, in one evaluation
  size_t depth = 2'000;          ///< nested evaluations; each takes some 300 bytes of stack
  size_t schema_depth = 256;     ///< nested JSON values in a schema document
  size_t problems = 100;         ///< problems listed by one Compile; errors are kept in favour of warnings
  size_t lint_steps = 200'000;   ///< steps spent in one Compile on checking `default`, `examples`, `enum` values
  size_t pattern_bytes = 20000;  ///< length of one pattern
};

struct CompileOptions {
  Dialect dialect = Dialect::k2020_12;          ///< of a schema without `$schema`
  FormatMode formats = FormatMode::kByDialect;  ///< see there
  std::string base_uri;                         ///< the absolute URI the schema was found at; may be empty
  /// Documents that `$ref` and `$schema` may reach, by absolute URI without fragment. Read only during Compile; may be
  /// null. The metaschemas of all dialects are always there.
  const std::map<std::string, Json>* resources = nullptr;
  Limits limits;
};

/// Something wrong (error) or suspicious (warning) in a schema.
struct SchemaProblem {
  base::Severity severity = base::Severity::kError;
  std::string code;      ///< stable, upper snake case; docs/json-schema.md lists them: "SCHEMA_KEYWORD_VALUE"
  std::string document;  ///< "" for the schema itself, else the URI of the document of `resources` that is meant
  std::string location;  ///< JSON pointer into that document to the value that is wrong; "" is the root
  std::string message;   ///< one sentence, no full stop
  std::string hint;      ///< what to do instead; may be empty
};

enum class Verdict : uint8_t {
  kValid,
  kInvalid,
  kLimitExceeded,  ///< the evaluation was given up: steps or depth beyond the schema's limits
};

/// One reason why an instance is invalid: an output unit of 2020-12's "basic" format.
struct OutputUnit {
  std::string instance_location;          ///< JSON pointer into the instance
  std::string keyword_location;           ///< JSON pointer from the schema's root, through references
  std::string absolute_keyword_location;  ///< URI of the keyword, references resolved; "#/…" for a schema without URI
  std::string keyword;                    ///< "required"; "" where a schema `false` refused the value
  std::string message;                    ///< plain words, the offending value shortened

  friend bool operator==(const OutputUnit&, const OutputUnit&) = default;
};

struct Report {
  Verdict verdict = Verdict::kValid;
  std::vector<OutputUnit> units;  ///< in order of evaluation; empty when valid. A limit's unit has no keyword
  size_t omitted = 0;             ///< units beyond the number asked for
};

struct Program;

/// A compiled schema. Immutable: any number of threads may use one at once.
class Schema {
 public:
  explicit Schema(std::unique_ptr<const Program> program);
  ~Schema();
  Schema(const Schema&) = delete;
  Schema& operator=(const Schema&) = delete;

  /// The verdict alone, by the shortest way: allocates nothing for a valid instance (but for `uniqueItems` over many
  /// items, and the formats of URIs and international names).
  Verdict Validate(const Json& instance) const;

  /// The same verdict with its reasons, at most `max_units` of them.
  Report Explain(const Json& instance, size_t max_units = 50) const;

  /// Parses `text` as base::ParseJson does and validates the value, faster than the two in turn. INVALID_ARGUMENT with
  /// ParseJson's message for text that is not JSON.
  absl::StatusOr<Verdict> ValidateText(std::string_view text) const;

  Dialect dialect() const;      ///< of the schema's root
  size_t memory_bytes() const;  ///< about what the compiled form holds, for bounding caches

 private:
  std::unique_ptr<const Program> program_;
};

struct CompileResult {
  std::shared_ptr<const Schema> schema;  ///< null exactly when `problems` has an error
  std::vector<SchemaProblem> problems;   ///< errors and warnings in the order of the document's walk
};

/// Compiles `schema`, collecting all problems. Safe to call from any thread; keeps no reference to its arguments.
CompileResult Compile(const Json& schema, const CompileOptions& options = {});

}  // namespace tasker::json_schema
