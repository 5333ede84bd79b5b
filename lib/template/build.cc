#include <absl/status/status.h>
#include <fmt/format.h>

#include <utility>

#include "lib/template/canonical.h"
#include "lib/template/fields.h"
#include "lib/template/json_reader.h"
#include "lib/template/load.h"

namespace tasker::tmpl {
namespace {

constexpr uint64_t kAnyUnsigned = std::numeric_limits<uint64_t>::max();

/// Whether an item of a list, or a member of a map, is a map; an issue when not.
bool ExpectMap(BuildContext& context, const Path& path, Node node, std::string_view what) {
  if (node.is_map()) return true;
  AddTypeError(context, path, node, what, "a map");
  return false;
}

HandlerDefinition BuildHandler(BuildContext& context, Node map, const Path& path) {
  const Fields fields(context, map, path, kHandlerKeys);
  HandlerDefinition handler;
  fields.Required("callable", handler.callable);
  std::optional<JsonObject> initialization;
  fields.Object("initialization", initialization);
  if (initialization) handler.initialization = std::move(*initialization);
  fields.Text("method", handler.method);
  fields.Text("resolver", handler.resolver);
  handler.extensions = fields.Extensions();
  return handler;
}

BackoffStrategy BuildBackoff(BuildContext& context, const Fields& fields, const Path& path) {
  std::optional<std::string> word;
  fields.Text("backoff", word);
  if (!word) return BackoffStrategy::kExponential;
  const std::optional<BackoffStrategy> backoff = ParseBackoff(*word);
  if (!backoff) {
    context.Error("BACKOFF_UNKNOWN", path.Key("backoff"), fields.Find("backoff")->value.position(),
                  fmt::format("backoff '{}' does not exist", *word), "write none, linear, exponential or fibonacci");
  }
  return backoff.value_or(BackoffStrategy::kExponential);
}

RetryConfiguration BuildRetry(BuildContext& context, Node map, const Path& path) {
  const Fields fields(context, map, path, kRetryKeys);
  RetryConfiguration retry;
  fields.Bool("retryable", retry.retryable);
  std::optional<uint32_t> limit;
  fields.Unsigned32(fields.Find("limit", "max_attempts"), limit);
  retry.limit = limit.value_or(retry.limit);
  retry.backoff = BuildBackoff(context, fields, path);
  fields.Unsigned(fields.Find("backoff_base_ms"), kAnyUnsigned, retry.backoff_base_ms);
  fields.Unsigned(fields.Find("max_backoff_ms"), kAnyUnsigned, retry.max_backoff_ms);
  retry.extensions = fields.Extensions();
  return retry;
}

TemplateMetadata BuildMetadata(BuildContext& context, Node map, const Path& path) {
  const Fields fields(context, map, path, kMetadataKeys);
  TemplateMetadata metadata;
  fields.Text("author", metadata.author);
  fields.Texts(fields.Find("tags"), metadata.tags);
  fields.Text("documentation_url", metadata.documentation_url);
  fields.Text("created_at", metadata.created_at);
  fields.Text("updated_at", metadata.updated_at);
  metadata.extensions = fields.Extensions(/*free_form=*/true);
  return metadata;
}

SystemDependencies BuildSystems(BuildContext& context, Node map, const Path& path) {
  const Fields fields(context, map, path, kSystemsKeys);
  SystemDependencies systems;
  fields.Text("primary", systems.primary);
  fields.Texts(fields.Find("secondary"), systems.secondary);
  systems.extensions = fields.Extensions();
  return systems;
}

DomainEventDefinition BuildDomainEvent(BuildContext& context, Node map, const Path& path) {
  const Fields fields(context, map, path, kDomainEventKeys);
  DomainEventDefinition event;
  fields.Required("name", event.name);
  fields.Text("description", event.description);
  fields.Any("schema", event.schema);
  event.extensions = fields.Extensions();
  return event;
}

PublishedEvent BuildPublishedEvent(BuildContext& context, Node node, const Path& path) {
  PublishedEvent event;
  if (!node.is_map()) {
    if (node.is_null() || node.is_list()) {
      AddTypeError(context, path, node, "publishes_events", "a list of names or maps");
      return event;
    }
    event.name = std::string(node.text());
    if (event.name.empty()) context.Error("FIELD_EMPTY", path, node.position(), "an event's name must not be empty");
    return event;
  }
  const Fields fields(context, node, path, kPublishedEventKeys);
  fields.Required("name", event.name);
  fields.Text("description", event.description);
  fields.Text("condition", event.condition);
  fields.Any("schema", event.schema);
  fields.Text("delivery_mode", event.delivery_mode);
  fields.Text("publisher", event.publisher);
  event.extensions = fields.Extensions();
  return event;
}

BatchConfig BuildBatchConfig(BuildContext& context, Node map, const Path& path) {
  const Fields fields(context, map, path, kBatchConfigKeys);
  BatchConfig batch;
  fields.Unsigned(fields.Find("batch_size"), kAnyUnsigned, batch.batch_size);
  fields.Unsigned(fields.Find("parallelism"), kAnyUnsigned, batch.parallelism);
  fields.Text("cursor_field", batch.cursor_field);
  fields.Text("worker_template", batch.worker_template);
  fields.Text("failure_strategy", batch.failure_strategy);
  batch.extensions = fields.Extensions();
  return batch;
}

std::optional<StepType> BuildStepType(BuildContext& context, const Fields& fields, const Path& path) {
  const std::optional<Node::Member> member = fields.Find("type", "step_type");
  if (!member) return std::nullopt;
  const Path type_path = path.Key(member->key);
  const std::optional<std::string> word = ToText(context, type_path, member->value, member->key);
  if (!word) return std::nullopt;
  const std::optional<StepType> type = ParseStepType(*word);
  if (!type) {
    context.Error("STEP_TYPE_UNKNOWN", type_path, member->value.position(),
                  fmt::format("step type '{}' does not exist", *word),
                  "write standard, decision, deferred_convergence, batchable or batch_worker");
  }
  return type;
}

StepDefinition BuildStep(BuildContext& context, Node map, const Path& path) {
  const Fields fields(context, map, path, kStepKeys);
  StepDefinition step;
  fields.Required("name", step.name);
  fields.Text("description", step.description);
  if (const auto handler = fields.Map("handler")) {
    step.handler = BuildHandler(context, *handler, path.Key("handler"));
  } else if (const auto member = fields.Find("handler"); !member || member->value.is_null()) {
    context.Error("FIELD_REQUIRED", path.Key("handler"), member ? member->key_position : map.position(),
                  "a step needs 'handler'", "add 'handler: {callable: …}'");
  }
  step.type = BuildStepType(context, fields, path);
  fields.Text("system_dependency", step.system_dependency);
  fields.Texts(fields.Find("dependencies", "depends_on"), step.dependencies);
  const std::optional<Node> retry = fields.Map("retry");
  step.retry = retry ? BuildRetry(context, *retry, path.Key("retry")) : DefaultRetry();
  fields.Unsigned32(fields.Find("timeout_seconds"), step.timeout_seconds);
  fields.Each("publishes_events", [&](Node item, const Path& item_path) {
    step.publishes_events.push_back(BuildPublishedEvent(context, item, item_path));
  });
  if (const auto batch = fields.Map("batch_config")) {
    step.batch_config = BuildBatchConfig(context, *batch, path.Key("batch_config"));
  }
  fields.Any("result_schema", step.result_schema);
  fields.Any("lifecycle", step.lifecycle);
  fields.Any("composition", step.composition);
  step.extensions = fields.Extensions();
  return step;
}

std::optional<HandlerOverride> BuildHandlerOverride(BuildContext& context, const Fields& parent, const Path& path,
                                                    std::string_view key) {
  const std::optional<Node> map = parent.Map(key);
  if (!map) return std::nullopt;
  const Path own_path = path.Key(key);
  const Fields fields(context, *map, own_path, kHandlerOverrideKeys);
  HandlerOverride handler;
  fields.Object("initialization", handler.initialization);
  handler.extensions = fields.Extensions();
  return handler;
}

StepOverride BuildStepOverride(BuildContext& context, Node map, const Path& path) {
  const Fields fields(context, map, path, kStepOverrideKeys);
  StepOverride step;
  fields.Required("name", step.name);
  step.handler = BuildHandlerOverride(context, fields, path, "handler");
  fields.Unsigned32(fields.Find("timeout_seconds"), step.timeout_seconds);
  if (const auto retry = fields.Map("retry")) step.retry = BuildRetry(context, *retry, path.Key("retry"));
  step.extensions = fields.Extensions();
  return step;
}

EnvironmentOverride BuildEnvironment(BuildContext& context, Node map, const Path& path) {
  const Fields fields(context, map, path, kEnvironmentKeys);
  EnvironmentOverride environment;
  environment.task_handler = BuildHandlerOverride(context, fields, path, "task_handler");
  fields.Each("steps", [&](Node item, const Path& item_path) {
    environment.steps.push_back(ExpectMap(context, item_path, item, "a step override")
                                    ? BuildStepOverride(context, item, item_path)
                                    : StepOverride());
  });
  environment.extensions = fields.Extensions();
  return environment;
}

void BuildEnvironments(BuildContext& context, Node map, const Path& path, TaskTemplate& tmpl) {
  for (size_t i = 0; i < map.size(); ++i) {
    const Node::Member member = map.member(i);
    const Path own_path = path.Key(member.key);
    EnvironmentOverride& environment = tmpl.environments[std::string(member.key)];
    if (member.value.is_null()) continue;
    if (!ExpectMap(context, own_path, member.value, member.key)) continue;
    environment = BuildEnvironment(context, member.value, own_path);
  }
}

void BuildSteps(BuildContext& context, const Fields& fields, TaskTemplate& tmpl) {
  const auto read = [&](Node item, const Path& path) {
    // An empty step keeps the later ones at their index, which positions of their issues need.
    tmpl.steps.push_back(ExpectMap(context, path, item, "a step") ? BuildStep(context, item, path) : StepDefinition());
  };
  fields.Each("steps", read, "STEPS_TOO_MANY");
}

}  // namespace

std::optional<TaskTemplate> BuildTemplate(const Document& document, const LoadOptions& options,
                                          base::IssueList& issues) {
  BuildContext context{options, issues};
  const Path root;
  const Node map = document.root();
  if (!map.is_map()) {
    context.Error(
        "TEMPLATE_NOT_A_MAP", root, map.position(),
        fmt::format("a template is a map with 'name', 'namespace_name', 'version' and 'steps', but this is {}",
                    map.is_null() ? "empty" : NodeKindPhrase(map.kind())));
    return std::nullopt;
  }
  const Fields fields(context, map, root, kTemplateKeys);
  TaskTemplate tmpl;
  fields.Required("name", tmpl.name);
  fields.Required("namespace_name", tmpl.namespace_name);
  fields.Required("version", tmpl.version);
  fields.Text("description", tmpl.description);
  if (const auto node = fields.Map("metadata")) tmpl.metadata = BuildMetadata(context, *node, root.Key("metadata"));
  if (const auto node = fields.Map("task_handler")) {
    tmpl.task_handler = BuildHandler(context, *node, root.Key("task_handler"));
  }
  if (const auto node = fields.Map("system_dependencies")) {
    tmpl.system_dependencies = BuildSystems(context, *node, root.Key("system_dependencies"));
  }
  fields.Each("domain_events", [&](Node item, const Path& path) {
    tmpl.domain_events.push_back(ExpectMap(context, path, item, "a domain event")
                                     ? BuildDomainEvent(context, item, path)
                                     : DomainEventDefinition());
  });
  fields.Any("input_schema", tmpl.input_schema);
  fields.Any("lifecycle", tmpl.lifecycle);
  BuildSteps(context, fields, tmpl);
  if (const auto node = fields.Map("environments")) {
    BuildEnvironments(context, *node, root.Key("environments"), tmpl);
  }
  tmpl.extensions = fields.Extensions();
  return tmpl;
}

std::optional<LoadedTemplate> LoadTemplate(std::string_view yaml, const LoadOptions& options, base::IssueList& issues) {
  std::optional<Document> document = ReadYaml(yaml, options.limits, issues);
  if (!document) return std::nullopt;
  std::optional<TaskTemplate> tmpl = BuildTemplate(*document, options, issues);
  if (!tmpl) return std::nullopt;
  return LoadedTemplate{std::move(*tmpl), std::move(*document)};
}

std::optional<LoadedTemplate> LoadAccepted(std::string_view yaml) {
  base::IssueList issues;
  LoadOptions options;
  options.keep_unknown_keys = true;
  options.limits.text_bytes = yaml.size();
  std::optional<LoadedTemplate> loaded = LoadTemplate(yaml, options, issues);
  return issues.has_errors() ? std::nullopt : std::move(loaded);
}

LoadedTemplate WithoutPositions(TaskTemplate tmpl) {
  Document document = Document::FromJson(ToJson(tmpl));
  return {std::move(tmpl), std::move(document)};
}

namespace {

absl::StatusOr<TaskTemplate> BuildCanonical(const Document& document) {
  base::IssueList issues;
  LoadOptions options;
  options.keep_unknown_keys = true;
  options.limits.steps = std::numeric_limits<size_t>::max();
  std::optional<TaskTemplate> tmpl = BuildTemplate(document, options, issues);
  if (tmpl && !issues.has_errors()) return *std::move(tmpl);
  const base::Issue first = issues.Sorted().front();
  return absl::InvalidArgumentError(fmt::format("not a canonical template: {} at {}", first.message, first.path));
}

}  // namespace

absl::StatusOr<TaskTemplate> TemplateFromJson(const base::Json& canonical) {
  return BuildCanonical(Document::FromJson(canonical));
}

absl::StatusOr<TaskTemplate> TemplateFromJsonb(std::string_view text) {
  if (const std::optional<Document> document = ReadJsonb(text)) return BuildCanonical(*document);
  const absl::StatusOr<base::Json> json = base::ParseJson(text, base::HugeIntegers::kAsReals);
  if (!json.ok()) return json.status();
  return TemplateFromJson(*json);
}

}  // namespace tasker::tmpl
