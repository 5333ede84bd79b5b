#pragma once

#include <array>
#include <span>
#include <string_view>

/// The keys of the template language, block by block: what the reader accepts, and what hints, documentation and the
/// JSON Schema are held against.
namespace tasker::tmpl {

struct KeyBlock {
  std::string_view name;                   ///< how messages call it: "a step"
  std::span<const std::string_view> keys;  ///< aliases included
};

namespace keys {
inline constexpr auto kTemplate = std::to_array<std::string_view>(
    {"name", "namespace_name", "version", "description", "metadata", "task_handler", "system_dependencies",
     "domain_events", "input_schema", "lifecycle", "steps", "environments"});
inline constexpr auto kMetadata =
    std::to_array<std::string_view>({"author", "tags", "documentation_url", "created_at", "updated_at"});
inline constexpr auto kHandler = std::to_array<std::string_view>({"callable", "initialization", "method", "resolver"});
inline constexpr auto kSystems = std::to_array<std::string_view>({"primary", "secondary"});
inline constexpr auto kDomainEvent = std::to_array<std::string_view>({"name", "description", "schema"});
inline constexpr auto kStep = std::to_array<std::string_view>(
    {"name", "description", "handler", "type", "step_type", "system_dependency", "dependencies", "depends_on", "retry",
     "timeout_seconds", "publishes_events", "batch_config", "result_schema", "lifecycle", "composition"});
inline constexpr auto kRetry = std::to_array<std::string_view>(
    {"retryable", "limit", "max_attempts", "backoff", "backoff_base_ms", "max_backoff_ms"});
inline constexpr auto kPublishedEvent =
    std::to_array<std::string_view>({"name", "description", "condition", "schema", "delivery_mode", "publisher"});
inline constexpr auto kBatchConfig = std::to_array<std::string_view>(
    {"batch_size", "parallelism", "cursor_field", "worker_template", "failure_strategy"});
inline constexpr auto kEnvironment = std::to_array<std::string_view>({"task_handler", "steps"});
inline constexpr auto kHandlerOverride = std::to_array<std::string_view>({"initialization"});
inline constexpr auto kStepOverride = std::to_array<std::string_view>({"name", "handler", "timeout_seconds", "retry"});
}  // namespace keys

inline constexpr KeyBlock kTemplateKeys{"the template", keys::kTemplate};
inline constexpr KeyBlock kMetadataKeys{"metadata", keys::kMetadata};
inline constexpr KeyBlock kHandlerKeys{"a handler", keys::kHandler};
inline constexpr KeyBlock kSystemsKeys{"system_dependencies", keys::kSystems};
inline constexpr KeyBlock kDomainEventKeys{"a domain event", keys::kDomainEvent};
inline constexpr KeyBlock kStepKeys{"a step", keys::kStep};
inline constexpr KeyBlock kRetryKeys{"retry", keys::kRetry};
inline constexpr KeyBlock kPublishedEventKeys{"a published event", keys::kPublishedEvent};
inline constexpr KeyBlock kBatchConfigKeys{"batch_config", keys::kBatchConfig};
inline constexpr KeyBlock kEnvironmentKeys{"an environment", keys::kEnvironment};
inline constexpr KeyBlock kHandlerOverrideKeys{"a handler override", keys::kHandlerOverride};
inline constexpr KeyBlock kStepOverrideKeys{"a step override", keys::kStepOverride};

/// Keys of the old template format (docs: the migration guide), whose presence says that a file has to be converted.
inline constexpr auto kLegacyKeys = std::to_array<std::string_view>({"task_handler_class",
                                                                     "module_namespace",
                                                                     "default_dependent_system",
                                                                     "dependent_system",
                                                                     "named_steps",
                                                                     "step_templates",
                                                                     "step_overrides",
                                                                     "handler_class",
                                                                     "handler_config",
                                                                     "depends_on_step",
                                                                     "depends_on_step_name",
                                                                     "depends_on_steps",
                                                                     "default_retryable",
                                                                     "default_retry_limit",
                                                                     "retry_limit",
                                                                     "retry_backoff",
                                                                     "skippable",
                                                                     "custom_events",
                                                                     "task_name",
                                                                     "task_config"});

}  // namespace tasker::tmpl
