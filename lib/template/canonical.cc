#include "lib/template/canonical.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <string_view>
#include <type_traits>

#include "lib/base/digest.h"

namespace tasker::tmpl {
namespace {

using base::JsonArray;

// Fills an object whose keys are known; absent options are left out.
class ObjectWriter {
 public:
  explicit ObjectWriter(const JsonObject& extensions) : object_(extensions) {}

  template <typename Value>
  void Put(std::string_view key, const Value& value) {
    object_.insert_or_assign({key.data(), key.size()}, base::Json(value));
  }
  template <typename Value>
  void Put(std::string_view key, const std::optional<Value>& value) {
    if (value) Put(key, *value);
  }
  JsonObject Take() { return std::move(object_); }

 private:
  JsonObject object_;
};

JsonArray Texts(const std::vector<std::string>& texts) {
  JsonArray array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

template <typename Item, typename ToItem>
JsonArray Items(const std::vector<Item>& items, ToItem to_item) {
  JsonArray array;
  for (const Item& item : items) array.emplace_back(to_item(item));
  return array;
}

base::Json ToJson(const TemplateMetadata& metadata) {
  ObjectWriter out(metadata.extensions);
  out.Put("author", metadata.author);
  out.Put("tags", Texts(metadata.tags));
  out.Put("documentation_url", metadata.documentation_url);
  out.Put("created_at", metadata.created_at);
  out.Put("updated_at", metadata.updated_at);
  return out.Take();
}

base::Json ToJson(const SystemDependencies& systems) {
  ObjectWriter out(systems.extensions);
  out.Put("primary", systems.primary);
  out.Put("secondary", Texts(systems.secondary));
  return out.Take();
}

base::Json ToJson(const DomainEventDefinition& event) {
  ObjectWriter out(event.extensions);
  out.Put("name", event.name);
  out.Put("description", event.description);
  out.Put("schema", event.schema);
  return out.Take();
}

base::Json ToJson(const BatchConfig& batch) {
  ObjectWriter out(batch.extensions);
  out.Put("batch_size", batch.batch_size);
  out.Put("parallelism", batch.parallelism);
  out.Put("cursor_field", batch.cursor_field);
  out.Put("worker_template", batch.worker_template);
  out.Put("failure_strategy", batch.failure_strategy);
  return out.Take();
}

base::Json ToJson(const HandlerOverride& handler) {
  ObjectWriter out(handler.extensions);
  out.Put("initialization", handler.initialization);
  return out.Take();
}

base::Json ToJson(const StepOverride& step) {
  ObjectWriter out(step.extensions);
  out.Put("name", step.name);
  if (step.handler) out.Put("handler", ToJson(*step.handler));
  out.Put("timeout_seconds", step.timeout_seconds);
  if (step.retry) out.Put("retry", tmpl::ToJson(*step.retry));
  return out.Take();
}

base::Json ToJson(const EnvironmentOverride& environment) {
  ObjectWriter out(environment.extensions);
  if (environment.task_handler) out.Put("task_handler", ToJson(*environment.task_handler));
  out.Put("steps", Items(environment.steps, [](const StepOverride& step) { return ToJson(step); }));
  return out.Take();
}

}  // namespace

base::Json ToJson(const HandlerDefinition& handler) {
  ObjectWriter out(handler.extensions);
  out.Put("callable", handler.callable);
  out.Put("initialization", handler.initialization);
  out.Put("method", handler.method);
  out.Put("resolver", handler.resolver);
  return out.Take();
}

base::Json ToJson(const RetryConfiguration& retry) {
  ObjectWriter out(retry.extensions);
  out.Put("retryable", retry.retryable);
  out.Put("limit", retry.limit);
  const std::string_view backoff = BackoffName(retry.backoff);
  out.Put("backoff", boost::json::string_view(backoff.data(), backoff.size()));
  out.Put("backoff_base_ms", retry.backoff_base_ms);
  out.Put("max_backoff_ms", retry.max_backoff_ms);
  return out.Take();
}

base::Json ToJson(const PublishedEvent& event) {
  ObjectWriter out(event.extensions);
  out.Put("name", event.name);
  out.Put("description", event.description);
  out.Put("condition", event.condition);
  out.Put("schema", event.schema);
  out.Put("delivery_mode", event.delivery_mode);
  out.Put("publisher", event.publisher);
  JsonObject object = out.Take();
  if (object.size() == 1) return base::Json(event.name);
  return object;
}

base::Json ToJson(const StepDefinition& step) {
  ObjectWriter out(step.extensions);
  out.Put("name", step.name);
  out.Put("description", step.description);
  out.Put("handler", ToJson(step.handler));
  if (step.type) {
    const std::string_view type = StepTypeName(*step.type);
    out.Put("type", boost::json::string_view(type.data(), type.size()));
  }
  out.Put("system_dependency", step.system_dependency);
  out.Put("dependencies", Texts(step.dependencies));
  out.Put("retry", ToJson(step.retry));
  out.Put("timeout_seconds", step.timeout_seconds);
  out.Put("publishes_events", Items(step.publishes_events, [](const PublishedEvent& event) { return ToJson(event); }));
  if (step.batch_config) out.Put("batch_config", ToJson(*step.batch_config));
  out.Put("result_schema", step.result_schema);
  out.Put("lifecycle", step.lifecycle);
  out.Put("composition", step.composition);
  return out.Take();
}

base::Json ToJson(const TaskTemplate& tmpl) {
  ObjectWriter out(tmpl.extensions);
  out.Put("name", tmpl.name);
  out.Put("namespace_name", tmpl.namespace_name);
  out.Put("version", tmpl.version);
  out.Put("description", tmpl.description);
  if (tmpl.metadata) out.Put("metadata", ToJson(*tmpl.metadata));
  if (tmpl.task_handler) out.Put("task_handler", ToJson(*tmpl.task_handler));
  out.Put("system_dependencies", ToJson(tmpl.system_dependencies));
  out.Put("domain_events", Items(tmpl.domain_events, [](const DomainEventDefinition& e) { return ToJson(e); }));
  out.Put("input_schema", tmpl.input_schema);
  out.Put("lifecycle", tmpl.lifecycle);
  out.Put("steps", Items(tmpl.steps, [](const StepDefinition& step) { return ToJson(step); }));
  JsonObject environments;
  for (const auto& [name, environment] : tmpl.environments) environments.emplace(name, ToJson(environment));
  out.Put("environments", environments);
  return out.Take();
}

std::string CanonicalText(const TaskTemplate& tmpl) { return base::CanonicalJson(ToJson(tmpl)); }

std::string TemplateDigest(const TaskTemplate& tmpl) { return base::Sha256Digest(CanonicalText(tmpl)); }

}  // namespace tasker::tmpl
