#include <absl/status/status.h>
#include <fmt/format.h>
#include <google/protobuf/struct.pb.h>

#include <optional>
#include <string>
#include <utility>

#include "lib/template/keys.h"
#include "lib/template/load.h"
#include "lib/wire/json_value.h"
#include "lib/wire/task_template.h"

namespace tasker::wire {
namespace {

// Fills models from messages and keeps the first problem.
class Decoder {
 public:
  const absl::Status& status() const { return status_; }

  void Get(const pb::TaskTemplate& from, tmpl::TaskTemplate& to) {
    const Path root;
    to.name = from.name();
    to.namespace_name = from.namespace_name();
    to.version = from.version();
    if (from.has_description()) to.description = from.description();
    if (from.has_metadata()) Get(from.metadata(), to.metadata.emplace(), Path{&root, "metadata"});
    if (from.has_task_handler()) Get(from.task_handler(), to.task_handler.emplace(), Path{&root, "task_handler"});
    Get(from.system_dependencies(), to.system_dependencies, Path{&root, "system_dependencies"});
    GetItems(from.domain_events(), to.domain_events, Path{&root, "domain_events"});
    if (from.has_input_schema()) Get(from.input_schema(), to.input_schema, Path{&root, "input_schema"});
    if (from.has_lifecycle()) Get(from.lifecycle(), to.lifecycle, Path{&root, "lifecycle"});
    GetItems(from.steps(), to.steps, Path{&root, "steps"});
    const Path environments{&root, "environments"};
    for (const auto& [name, environment] : from.environments()) {
      Get(environment, to.environments[name], Path{&environments, name});
    }
    GetExtensions(from, to.extensions, root, tmpl::kTemplateKeys);
  }

 private:
  void Fail(const Path& path, std::string_view problem) {
    if (status_.ok()) status_ = absl::InvalidArgumentError(fmt::format("{} {}", path.ToString(), problem));
  }

  void Get(const google::protobuf::Value& from, std::optional<base::Json>& to, const Path& path) {
    absl::StatusOr<base::Json> value = FromValue(from, path);
    if (value.ok()) {
      to = *std::move(value);
    } else {
      status_.Update(value.status());
    }
  }

  void Get(const google::protobuf::Struct& from, base::JsonObject& to, const Path& path) {
    absl::StatusOr<base::JsonObject> object = FromStruct(from, path);
    if (object.ok()) {
      to = *std::move(object);
    } else {
      status_.Update(object.status());
    }
  }

  template <typename Message>
  void GetExtensions(const Message& from, base::JsonObject& to, const Path& parent, const tmpl::KeyBlock& block) {
    if (!from.has_extensions()) return;
    const Path path{&parent, "extensions"};
    for (const std::string_view key : block.keys) {
      if (!from.extensions().fields().contains(std::string(key))) continue;
      Fail(path, fmt::format("has '{}', a key of {} with a field of its own", key, block.name));
    }
    Get(from.extensions(), to, path);
  }

  template <typename Messages, typename Model>
  void GetItems(const Messages& from, std::vector<Model>& to, const Path& path) {
    to.reserve(static_cast<size_t>(from.size()));
    for (const auto& item : from) {
      const Path at{&path, {}, to.size()};
      Get(item, to.emplace_back(), at);
    }
  }

  void Get(const pb::TemplateMetadata& from, tmpl::TemplateMetadata& to, const Path& path) {
    if (from.has_author()) to.author = from.author();
    to.tags.assign(from.tags().begin(), from.tags().end());
    if (from.has_documentation_url()) to.documentation_url = from.documentation_url();
    if (from.has_created_at()) to.created_at = from.created_at();
    if (from.has_updated_at()) to.updated_at = from.updated_at();
    GetExtensions(from, to.extensions, path, tmpl::kMetadataKeys);
  }

  void Get(const pb::HandlerDefinition& from, tmpl::HandlerDefinition& to, const Path& path) {
    to.callable = from.callable();
    if (from.has_initialization()) Get(from.initialization(), to.initialization, Path{&path, "initialization"});
    if (from.has_method()) to.method = from.method();
    if (from.has_resolver()) to.resolver = from.resolver();
    GetExtensions(from, to.extensions, path, tmpl::kHandlerKeys);
  }

  void Get(const pb::SystemDependencies& from, tmpl::SystemDependencies& to, const Path& path) {
    if (from.has_primary()) to.primary = from.primary();
    to.secondary.assign(from.secondary().begin(), from.secondary().end());
    GetExtensions(from, to.extensions, path, tmpl::kSystemsKeys);
  }

  void Get(const pb::DomainEventDefinition& from, tmpl::DomainEventDefinition& to, const Path& path) {
    to.name = from.name();
    if (from.has_description()) to.description = from.description();
    if (from.has_schema()) Get(from.schema(), to.schema, Path{&path, "schema"});
    GetExtensions(from, to.extensions, path, tmpl::kDomainEventKeys);
  }

  void Get(const pb::StepDefinition& from, tmpl::StepDefinition& to, const Path& path) {
    to.name = from.name();
    if (from.has_description()) to.description = from.description();
    Get(from.handler(), to.handler, Path{&path, "handler"});
    to.type = Type(from.type(), Path{&path, "type"});
    if (from.has_system_dependency()) to.system_dependency = from.system_dependency();
    to.dependencies.assign(from.dependencies().begin(), from.dependencies().end());
    to.retry = tmpl::DefaultRetry();
    if (from.has_retry()) Get(from.retry(), to.retry, Path{&path, "retry"});
    if (from.has_timeout_seconds()) to.timeout_seconds = from.timeout_seconds();
    GetItems(from.publishes_events(), to.publishes_events, Path{&path, "publishes_events"});
    if (from.has_batch_config()) Get(from.batch_config(), to.batch_config.emplace(), Path{&path, "batch_config"});
    if (from.has_result_schema()) Get(from.result_schema(), to.result_schema, Path{&path, "result_schema"});
    if (from.has_lifecycle()) Get(from.lifecycle(), to.lifecycle, Path{&path, "lifecycle"});
    if (from.has_composition()) Get(from.composition(), to.composition, Path{&path, "composition"});
    GetExtensions(from, to.extensions, path, tmpl::kStepKeys);
  }

  void Get(const pb::RetryConfiguration& from, tmpl::RetryConfiguration& to, const Path& path) {
    to = tmpl::RetryConfiguration();
    if (from.has_retryable()) to.retryable = from.retryable();
    if (from.has_limit()) to.limit = from.limit();
    to.backoff = Backoff(from.backoff(), Path{&path, "backoff"});
    if (from.has_backoff_base_ms()) to.backoff_base_ms = from.backoff_base_ms();
    if (from.has_max_backoff_ms()) to.max_backoff_ms = from.max_backoff_ms();
    GetExtensions(from, to.extensions, path, tmpl::kRetryKeys);
  }

  void Get(const pb::PublishedEvent& from, tmpl::PublishedEvent& to, const Path& path) {
    to.name = from.name();
    if (from.has_description()) to.description = from.description();
    if (from.has_condition()) to.condition = from.condition();
    if (from.has_schema()) Get(from.schema(), to.schema, Path{&path, "schema"});
    if (from.has_delivery_mode()) to.delivery_mode = from.delivery_mode();
    if (from.has_publisher()) to.publisher = from.publisher();
    GetExtensions(from, to.extensions, path, tmpl::kPublishedEventKeys);
  }

  void Get(const pb::BatchConfig& from, tmpl::BatchConfig& to, const Path& path) {
    if (from.has_batch_size()) to.batch_size = from.batch_size();
    if (from.has_parallelism()) to.parallelism = from.parallelism();
    if (from.has_cursor_field()) to.cursor_field = from.cursor_field();
    if (from.has_worker_template()) to.worker_template = from.worker_template();
    if (from.has_failure_strategy()) to.failure_strategy = from.failure_strategy();
    GetExtensions(from, to.extensions, path, tmpl::kBatchConfigKeys);
  }

  void Get(const pb::EnvironmentOverride& from, tmpl::EnvironmentOverride& to, const Path& path) {
    if (from.has_task_handler()) Get(from.task_handler(), to.task_handler.emplace(), Path{&path, "task_handler"});
    GetItems(from.steps(), to.steps, Path{&path, "steps"});
    GetExtensions(from, to.extensions, path, tmpl::kEnvironmentKeys);
  }

  void Get(const pb::HandlerOverride& from, tmpl::HandlerOverride& to, const Path& path) {
    if (from.has_initialization()) {
      Get(from.initialization(), to.initialization.emplace(), Path{&path, "initialization"});
    }
    GetExtensions(from, to.extensions, path, tmpl::kHandlerOverrideKeys);
  }

  void Get(const pb::StepOverride& from, tmpl::StepOverride& to, const Path& path) {
    to.name = from.name();
    if (from.has_handler()) Get(from.handler(), to.handler.emplace(), Path{&path, "handler"});
    if (from.has_timeout_seconds()) to.timeout_seconds = from.timeout_seconds();
    if (from.has_retry()) Get(from.retry(), to.retry.emplace(), Path{&path, "retry"});
    GetExtensions(from, to.extensions, path, tmpl::kStepOverrideKeys);
  }

  std::optional<tmpl::StepType> Type(int type, const Path& path) {
    switch (type) {
      case pb::STEP_TYPE_UNSPECIFIED:
        return std::nullopt;
      case pb::STEP_TYPE_STANDARD:
        return tmpl::StepType::kStandard;
      case pb::STEP_TYPE_DECISION:
        return tmpl::StepType::kDecision;
      case pb::STEP_TYPE_DEFERRED_CONVERGENCE:
        return tmpl::StepType::kDeferredConvergence;
      case pb::STEP_TYPE_BATCHABLE:
        return tmpl::StepType::kBatchable;
      case pb::STEP_TYPE_BATCH_WORKER:
        return tmpl::StepType::kBatchWorker;
    }
    Fail(path, fmt::format("is {}, which this server does not know", type));
    return std::nullopt;
  }

  tmpl::BackoffStrategy Backoff(int backoff, const Path& path) {
    switch (backoff) {
      case pb::BACKOFF_STRATEGY_NONE:
        return tmpl::BackoffStrategy::kNone;
      case pb::BACKOFF_STRATEGY_LINEAR:
        return tmpl::BackoffStrategy::kLinear;
      case pb::BACKOFF_STRATEGY_UNSPECIFIED:
      case pb::BACKOFF_STRATEGY_EXPONENTIAL:
        return tmpl::BackoffStrategy::kExponential;
      case pb::BACKOFF_STRATEGY_FIBONACCI:
        return tmpl::BackoffStrategy::kFibonacci;
    }
    Fail(path, fmt::format("is {}, which this server does not know", backoff));
    return tmpl::BackoffStrategy::kExponential;
  }

  absl::Status status_;
};

absl::StatusOr<tmpl::TaskTemplate> Structured(const pb::TaskTemplate& message) {
  Decoder decoder;
  tmpl::TaskTemplate tmpl;
  decoder.Get(message, tmpl);
  if (!decoder.status().ok()) return decoder.status();
  return tmpl;
}

absl::StatusOr<tmpl::TaskTemplate> Exact(const std::string& text) {
  absl::StatusOr<base::Json> json = base::ParseJson(text);
  if (!json.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("exact_json is no JSON: {}", json.status().ToString(absl::StatusToStringMode::kWithNoExtraData)));
  }
  absl::StatusOr<tmpl::TaskTemplate> exact = tmpl::TemplateFromJson(*json);
  if (!exact.ok()) return absl::InvalidArgumentError("exact_json is no template's canonical JSON");
  return exact;
}

}  // namespace

absl::StatusOr<tmpl::TaskTemplate> FromProto(const pb::TaskTemplate& message) {
  absl::StatusOr<tmpl::TaskTemplate> structured = Structured(message);
  if (!structured.ok() || !message.has_exact_json()) return structured;
  absl::StatusOr<tmpl::TaskTemplate> exact = Exact(message.exact_json());
  if (!exact.ok()) return exact;
  // What the structured form can hold of the exact one must be what the message holds.
  const absl::StatusOr<tmpl::TaskTemplate> rounded = Structured(ToProto(*exact));
  if (!rounded.ok() || *rounded != *structured) {
    return absl::InvalidArgumentError("exact_json says something else than the other fields of the template");
  }
  return exact;
}

}  // namespace tasker::wire
