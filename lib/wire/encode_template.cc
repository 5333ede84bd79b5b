#include <google/protobuf/struct.pb.h>

#include <optional>
#include <vector>

#include "lib/template/canonical.h"
#include "lib/wire/json_value.h"
#include "lib/wire/task_template.h"

namespace tasker::wire {
namespace {

// Fills messages from models and remembers whether they hold everything.
class Encoder {
 public:
  bool exact() const { return exact_; }

  void Put(const tmpl::TaskTemplate& from, pb::TaskTemplate& to) {
    to.set_name(from.name);
    to.set_namespace_name(from.namespace_name);
    to.set_version(from.version);
    if (from.description) to.set_description(*from.description);
    if (from.metadata) Put(*from.metadata, *to.mutable_metadata());
    if (from.task_handler) Put(*from.task_handler, *to.mutable_task_handler());
    Put(from.system_dependencies, *to.mutable_system_dependencies());
    for (const tmpl::DomainEventDefinition& event : from.domain_events) Put(event, *to.add_domain_events());
    if (from.input_schema) Put(*from.input_schema, *to.mutable_input_schema());
    if (from.lifecycle) Put(*from.lifecycle, *to.mutable_lifecycle());
    for (const tmpl::StepDefinition& step : from.steps) Put(step, *to.add_steps());
    for (const auto& [name, environment] : from.environments) Put(environment, (*to.mutable_environments())[name]);
    PutExtensions(from.extensions, to);
  }

  void Put(const tmpl::HandlerDefinition& from, pb::HandlerDefinition& to) {
    to.set_callable(from.callable);
    if (!from.initialization.empty()) Put(from.initialization, *to.mutable_initialization());
    if (from.method) to.set_method(*from.method);
    if (from.resolver) to.set_resolver(*from.resolver);
    PutExtensions(from.extensions, to);
  }

  void Put(const tmpl::RetryConfiguration& from, pb::RetryConfiguration& to) {
    to.set_retryable(from.retryable);
    to.set_limit(from.limit);
    to.set_backoff(Backoff(from.backoff));
    if (from.backoff_base_ms) to.set_backoff_base_ms(*from.backoff_base_ms);
    if (from.max_backoff_ms) to.set_max_backoff_ms(*from.max_backoff_ms);
    PutExtensions(from.extensions, to);
  }

  void Put(const tmpl::PublishedEvent& from, pb::PublishedEvent& to) {
    to.set_name(from.name);
    if (from.description) to.set_description(*from.description);
    if (from.condition) to.set_condition(*from.condition);
    if (from.schema) Put(*from.schema, *to.mutable_schema());
    if (from.delivery_mode) to.set_delivery_mode(*from.delivery_mode);
    if (from.publisher) to.set_publisher(*from.publisher);
    PutExtensions(from.extensions, to);
  }

 private:
  void Put(const base::Json& from, google::protobuf::Value& to) { exact_ &= ToValue(from, to); }
  void Put(const base::JsonObject& from, google::protobuf::Struct& to) { exact_ &= ToStruct(from, to); }

  template <typename Message>
  void PutExtensions(const base::JsonObject& from, Message& to) {
    if (!from.empty()) Put(from, *to.mutable_extensions());
  }

  void Put(const tmpl::TemplateMetadata& from, pb::TemplateMetadata& to) {
    if (from.author) to.set_author(*from.author);
    for (const std::string& tag : from.tags) to.add_tags(tag);
    if (from.documentation_url) to.set_documentation_url(*from.documentation_url);
    if (from.created_at) to.set_created_at(*from.created_at);
    if (from.updated_at) to.set_updated_at(*from.updated_at);
    PutExtensions(from.extensions, to);
  }

  void Put(const tmpl::SystemDependencies& from, pb::SystemDependencies& to) {
    to.set_primary(from.primary);
    for (const std::string& system : from.secondary) to.add_secondary(system);
    PutExtensions(from.extensions, to);
  }

  void Put(const tmpl::DomainEventDefinition& from, pb::DomainEventDefinition& to) {
    to.set_name(from.name);
    if (from.description) to.set_description(*from.description);
    if (from.schema) Put(*from.schema, *to.mutable_schema());
    PutExtensions(from.extensions, to);
  }

  void Put(const tmpl::StepDefinition& from, pb::StepDefinition& to) {
    to.set_name(from.name);
    if (from.description) to.set_description(*from.description);
    Put(from.handler, *to.mutable_handler());
    if (from.type) to.set_type(Type(*from.type));
    if (from.system_dependency) to.set_system_dependency(*from.system_dependency);
    for (const std::string& dependency : from.dependencies) to.add_dependencies(dependency);
    Put(from.retry, *to.mutable_retry());
    if (from.timeout_seconds) to.set_timeout_seconds(*from.timeout_seconds);
    for (const tmpl::PublishedEvent& event : from.publishes_events) Put(event, *to.add_publishes_events());
    if (from.batch_config) Put(*from.batch_config, *to.mutable_batch_config());
    if (from.result_schema) Put(*from.result_schema, *to.mutable_result_schema());
    if (from.lifecycle) Put(*from.lifecycle, *to.mutable_lifecycle());
    if (from.composition) Put(*from.composition, *to.mutable_composition());
    PutExtensions(from.extensions, to);
  }

  void Put(const tmpl::BatchConfig& from, pb::BatchConfig& to) {
    if (from.batch_size) to.set_batch_size(*from.batch_size);
    if (from.parallelism) to.set_parallelism(*from.parallelism);
    if (from.cursor_field) to.set_cursor_field(*from.cursor_field);
    if (from.worker_template) to.set_worker_template(*from.worker_template);
    if (from.failure_strategy) to.set_failure_strategy(*from.failure_strategy);
    PutExtensions(from.extensions, to);
  }

  void Put(const tmpl::EnvironmentOverride& from, pb::EnvironmentOverride& to) {
    if (from.task_handler) Put(*from.task_handler, *to.mutable_task_handler());
    for (const tmpl::StepOverride& step : from.steps) Put(step, *to.add_steps());
    PutExtensions(from.extensions, to);
  }

  void Put(const tmpl::HandlerOverride& from, pb::HandlerOverride& to) {
    if (from.initialization) Put(*from.initialization, *to.mutable_initialization());
    PutExtensions(from.extensions, to);
  }

  void Put(const tmpl::StepOverride& from, pb::StepOverride& to) {
    to.set_name(from.name);
    if (from.handler) Put(*from.handler, *to.mutable_handler());
    if (from.timeout_seconds) to.set_timeout_seconds(*from.timeout_seconds);
    if (from.retry) Put(*from.retry, *to.mutable_retry());
    PutExtensions(from.extensions, to);
  }

  static pb::BackoffStrategy Backoff(tmpl::BackoffStrategy backoff) {
    switch (backoff) {
      case tmpl::BackoffStrategy::kNone:
        return pb::BACKOFF_STRATEGY_NONE;
      case tmpl::BackoffStrategy::kLinear:
        return pb::BACKOFF_STRATEGY_LINEAR;
      case tmpl::BackoffStrategy::kExponential:
        return pb::BACKOFF_STRATEGY_EXPONENTIAL;
      case tmpl::BackoffStrategy::kFibonacci:
        return pb::BACKOFF_STRATEGY_FIBONACCI;
    }
    return pb::BACKOFF_STRATEGY_UNSPECIFIED;
  }

  static pb::StepType Type(tmpl::StepType type) {
    switch (type) {
      case tmpl::StepType::kStandard:
        return pb::STEP_TYPE_STANDARD;
      case tmpl::StepType::kDecision:
        return pb::STEP_TYPE_DECISION;
      case tmpl::StepType::kDeferredConvergence:
        return pb::STEP_TYPE_DEFERRED_CONVERGENCE;
      case tmpl::StepType::kBatchable:
        return pb::STEP_TYPE_BATCHABLE;
      case tmpl::StepType::kBatchWorker:
        return pb::STEP_TYPE_BATCH_WORKER;
    }
    return pb::STEP_TYPE_UNSPECIFIED;
  }

  bool exact_ = true;
};

template <typename Model, typename Message>
bool Encode(const Model& from, Message& to) {
  Encoder encoder;
  encoder.Put(from, to);
  return encoder.exact();
}

}  // namespace

void ToProto(const tmpl::TaskTemplate& tmpl, pb::TaskTemplate& out) {
  if (!Encode(tmpl, out)) out.set_exact_json(tmpl::CanonicalText(tmpl));
}

pb::TaskTemplate ToProto(const tmpl::TaskTemplate& tmpl) {
  pb::TaskTemplate out;
  ToProto(tmpl, out);
  return out;
}

bool ToProto(const tmpl::HandlerDefinition& handler, pb::HandlerDefinition& out) { return Encode(handler, out); }
bool ToProto(const tmpl::RetryConfiguration& retry, pb::RetryConfiguration& out) { return Encode(retry, out); }
bool ToProto(const tmpl::PublishedEvent& event, pb::PublishedEvent& out) { return Encode(event, out); }

}  // namespace tasker::wire
