#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/json.h"

/// The template model: the specification's structs field for field, with the keys that Tasker added since. Plain values
/// without invariants; `lib/validate` says what is wrong with one, and positions stay beside it in a Document.
///
/// Every struct that has a fixed set of keys carries `extensions`: its `x-…` keys and, where the caller asked to keep
/// unknown keys, those. Canonical JSON writes them back at their own level.
namespace tasker::tmpl {

using base::Json;
using base::JsonObject;

/// What runs a task or a step.
struct HandlerDefinition {
  std::string callable;
  JsonObject initialization;
  std::optional<std::string> method;    ///< which method of the callable; absent: its `call`
  std::optional<std::string> resolver;  ///< a hint which of the worker's resolvers finds the callable
  JsonObject extensions;
  friend bool operator==(const HandlerDefinition&, const HandlerDefinition&) = default;
};

enum class BackoffStrategy { kNone, kLinear, kExponential, kFibonacci };

/// The defaults here are those of a `retry` block that leaves a key out; `DefaultRetry` is what a missing block means.
struct RetryConfiguration {
  bool retryable = true;
  uint32_t limit = 3;
  BackoffStrategy backoff = BackoffStrategy::kExponential;
  std::optional<uint64_t> backoff_base_ms;
  std::optional<uint64_t> max_backoff_ms;
  JsonObject extensions;
  friend bool operator==(const RetryConfiguration&, const RetryConfiguration&) = default;
};
RetryConfiguration DefaultRetry();  ///< 3 times, exponential, 1000 ms to 30000 ms

struct SystemDependencies {
  std::string primary = "default";
  std::vector<std::string> secondary;
  JsonObject extensions;
  friend bool operator==(const SystemDependencies&, const SystemDependencies&) = default;
};

struct DomainEventDefinition {
  std::string name;
  std::optional<std::string> description;
  std::optional<Json> schema;  ///< JSON Schema of the payload
  JsonObject extensions;
  friend bool operator==(const DomainEventDefinition&, const DomainEventDefinition&) = default;
};

/// An event that a step may publish; canonical JSON writes one that has only a name as a plain string.
struct PublishedEvent {
  std::string name;
  std::optional<std::string> description;
  std::optional<std::string> condition;
  std::optional<Json> schema;  ///< JSON Schema of the payload
  std::optional<std::string> delivery_mode;
  std::optional<std::string> publisher;
  JsonObject extensions;
  friend bool operator==(const PublishedEvent&, const PublishedEvent&) = default;
};

enum class StepType { kStandard, kDecision, kDeferredConvergence, kBatchable, kBatchWorker };

struct BatchConfig {
  std::optional<uint64_t> batch_size;
  std::optional<uint64_t> parallelism;
  std::optional<std::string> cursor_field;
  std::optional<std::string> worker_template;
  std::optional<std::string> failure_strategy;
  JsonObject extensions;
  friend bool operator==(const BatchConfig&, const BatchConfig&) = default;
};

struct StepDefinition {
  std::string name;
  std::optional<std::string> description;
  HandlerDefinition handler;
  std::optional<StepType> type;  ///< absent means standard
  std::optional<std::string> system_dependency;
  std::vector<std::string> dependencies;
  RetryConfiguration retry;
  std::optional<uint32_t> timeout_seconds;
  std::vector<PublishedEvent> publishes_events;
  std::optional<BatchConfig> batch_config;
  std::optional<Json> result_schema;  ///< JSON Schema of the step's result
  std::optional<Json> lifecycle;      ///< kept as it is
  std::optional<Json> composition;    ///< kept as it is
  JsonObject extensions;
  friend bool operator==(const StepDefinition&, const StepDefinition&) = default;
};

struct HandlerOverride {
  std::optional<JsonObject> initialization;
  JsonObject extensions;
  friend bool operator==(const HandlerOverride&, const HandlerOverride&) = default;
};

inline constexpr std::string_view kAllSteps = "ALL";  ///< the override name that applies to every step

struct StepOverride {
  std::string name;  ///< a step's name, or kAllSteps
  std::optional<HandlerOverride> handler;
  std::optional<uint32_t> timeout_seconds;
  std::optional<RetryConfiguration> retry;
  JsonObject extensions;
  friend bool operator==(const StepOverride&, const StepOverride&) = default;
};

struct EnvironmentOverride {
  std::optional<HandlerOverride> task_handler;
  std::vector<StepOverride> steps;
  JsonObject extensions;
  friend bool operator==(const EnvironmentOverride&, const EnvironmentOverride&) = default;
};

struct TemplateMetadata {
  std::optional<std::string> author;
  std::vector<std::string> tags;
  std::optional<std::string> documentation_url;
  std::optional<std::string> created_at;  ///< RFC 3339, as written
  std::optional<std::string> updated_at;  ///< RFC 3339, as written
  JsonObject extensions;                  ///< metadata is free-form beyond its named keys
  friend bool operator==(const TemplateMetadata&, const TemplateMetadata&) = default;
};

struct TaskTemplate {
  std::string name;
  std::string namespace_name;
  std::string version;
  std::optional<std::string> description;
  std::optional<TemplateMetadata> metadata;
  std::optional<HandlerDefinition> task_handler;
  SystemDependencies system_dependencies;
  std::vector<DomainEventDefinition> domain_events;
  std::optional<Json> input_schema;  ///< JSON Schema of the task's input
  std::optional<Json> lifecycle;     ///< kept as it is
  std::vector<StepDefinition> steps;
  std::map<std::string, EnvironmentOverride, std::less<>> environments;
  JsonObject extensions;
  friend bool operator==(const TaskTemplate&, const TaskTemplate&) = default;
};

/// The words of the template language for the enumerations: "exponential", "batch_worker". The parsers give nullopt
/// for any other word.
std::string_view BackoffName(BackoffStrategy backoff);
std::optional<BackoffStrategy> ParseBackoff(std::string_view word);
std::string_view StepTypeName(StepType type);
std::optional<StepType> ParseStepType(std::string_view word);

}  // namespace tasker::tmpl
