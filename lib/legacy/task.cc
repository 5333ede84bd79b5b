#include "lib/legacy/task.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <unordered_set>
#include <utility>

#include "lib/base/utf8.h"
#include "lib/legacy/environments.h"
#include "lib/legacy/step.h"
#include "lib/template/reference.h"

namespace tasker::legacy {
namespace {

// A name that references use: text with what a name cannot hold replaced.
bool TakeReferenceName(Block& block, std::initializer_list<std::string_view> keys, std::string_view to,
                       JsonObject& out) {
  const std::optional<Field> field = block.Take(keys, to);
  if (!field) return false;
  if (!field->value.is_scalar()) {
    block.SetAside(*field, "is not text");
    return false;
  }
  const std::string name = block.context().PlainText(field->value);
  const std::string clean = CleanName(name);
  if (clean.empty() || !CheckNameLength(block.context(), name, field->value.position())) return false;
  if (clean != name) {
    block.context().Notice(field->value.position(),
                           fmt::format("{} '{}' cannot stand in a reference and has become '{}'", to, name, clean));
  }
  Put(out, to, JsonText(clean));
  return true;
}

void TakeNamespace(Block& block, const std::string& default_namespace, JsonObject& out) {
  Context& context = block.context();
  if (TakeReferenceName(block, {"namespace_name", "namespace"}, "namespace_name", out)) return;
  if (!tmpl::IsName(default_namespace)) {
    context.Error("LEGACY_NAMESPACE", block.position(), "the template names no namespace",
                  default_namespace.empty() ? "give one with --namespace NAME" : std::string(tmpl::kNameRule));
    return;
  }
  context.Notice(block.position(), fmt::format("the template named no namespace and got '{}'", default_namespace));
  Put(out, "namespace_name", JsonText(default_namespace));
}

// "1", "1.0" and "v1.0.0" as the three numbers that they mean; "" for anything else.
std::string PaddedVersion(std::string_view text) {
  if (text.starts_with('v') || text.starts_with('V')) text.remove_prefix(1);
  std::string padded(text);
  for (auto dots = std::count(text.begin(), text.end(), '.'); dots < 2; ++dots) padded += ".0";
  return tmpl::ParseVersion(padded) ? padded : "";
}

void TakeVersion(Block& block, JsonObject& out) {
  Context& context = block.context();
  const std::optional<Field> field = block.Take({"version"});
  if (!field || !field->value.is_scalar()) {
    if (field) block.SetAside(*field, "is not text");
    context.Notice(block.position(), "the template had no version and got 1.0.0");
    Put(out, "version", JsonText("1.0.0"));
    return;
  }
  const std::string version = context.PlainText(field->value);
  const std::string padded = PaddedVersion(version);
  if (padded.empty()) {
    tmpl::VersionProblem problem = tmpl::ExplainVersion(version);
    context.Error("VERSION_INVALID", field->value.position(), std::move(problem.message), std::move(problem.hint));
    return;
  }
  if (padded != version) {
    context.Notice(field->value.position(), fmt::format("version '{}' has become '{}'", version, padded));
  }
  Put(out, "version", JsonText(padded));
}

// `metadata` is free-form; its null members say nothing.
JsonObject TakeMetadata(Block& block) {
  JsonObject metadata;
  const std::optional<Field> field = block.Take({"metadata"});
  if (!field) return metadata;
  if (!field->value.is_map()) {
    block.SetAside(*field, "is not a map");
    return metadata;
  }
  const Json all = block.context().PlainJson(field->value);
  for (const auto& [key, value] : all.get_object()) {
    if (!value.is_null()) metadata.insert_or_assign(key, value);
  }
  return metadata;
}

std::optional<JsonObject> TakeTaskHandler(Block& block) {
  const std::optional<Field> module = block.Take({"module_namespace"});
  const bool usable = module && module->value.is_scalar();
  std::string name = usable ? block.context().PlainText(module->value) : "";
  while (name.ends_with(':')) name.pop_back();
  std::optional<JsonObject> handler = TakeHandler(block, "task_handler", {"task_handler_class", "class_name"}, name);
  if (!module) return handler;
  if (usable && handler) {
    block.context().Notice(
        module->position, fmt::format("'module_namespace: {}' is gone: 'task_handler.callable' has it in front", name));
  } else {
    block.SetAside(*module, "has no class to stand in front of");
  }
  return handler;
}

void TakeDefaultSystem(Block& block, std::optional<Field>& field, TaskParts& parts) {
  field = block.Take({"default_dependent_system"}, "system_dependencies.primary");
  if (!field) return;
  if (field->value.is_scalar()) {
    parts.default_system = block.context().PlainText(field->value);
  } else {
    block.SetAside(*field, "is not text");
  }
}

std::vector<Step> TakeSteps(Block& block, TaskParts& parts, ConvertedTask& task) {
  std::vector<Step> steps;
  for (const std::string_view key : {"step_templates", "steps"}) {
    const std::optional<Field> field = block.Take({key}, "steps");
    if (!field) continue;
    EachNamed(block, *field, [&](Node node, const std::string& name, Position position) {
      std::optional<Step> step = ConvertStep(block.context(), node, name, position, parts);
      if (!step) return;
      task.steps.push_back(position);
      steps.push_back(*std::move(step));
    });
  }
  return steps;
}

JsonObject SystemDependencies(Block& block, const std::optional<Field>& default_field, const TaskParts& parts) {
  JsonObject known = block.TakeKnown("system_dependencies", tmpl::kSystemsKeys).value_or(JsonObject());
  JsonObject out;
  if (const Json* const primary = Find(known, "primary")) {
    Put(out, "primary", *primary);
    if (default_field && parts.default_system && *primary != JsonText(*parts.default_system)) {
      block.SetAside(*default_field, "says something else than 'system_dependencies.primary'");
    }
  } else if (parts.default_system) {
    Put(out, "primary", JsonText(*parts.default_system));
  }
  JsonArray secondary;
  std::unordered_set<std::string> seen;
  if (parts.default_system) seen.insert(*parts.default_system);
  if (const Json* const list = Find(known, "secondary"); list != nullptr && list->is_array()) {
    for (const Json& item : list->get_array()) {
      if (item.is_string()) seen.emplace(item.get_string().data(), item.get_string().size());
      secondary.push_back(item);
    }
  }
  for (const std::string& system : parts.systems) {
    if (seen.insert(system).second) secondary.push_back(JsonText(system));
  }
  if (!secondary.empty()) Put(out, "secondary", std::move(secondary));
  for (const auto& [key, value] : known) out.emplace(key, value);
  return out;
}

void NoteNamedSteps(Block& block, const std::vector<Step>& steps) {
  const std::optional<Field> field = block.Take({"named_steps"});
  if (!field) return;
  const Node node = field->value;
  if (!node.is_list()) return block.SetAside(*field, "is not a list");
  std::unordered_set<std::string> names;
  for (const Step& step : steps) names.insert(step.name);
  block.context().Notice(field->position, "'named_steps' is gone: the steps say it themselves");
  for (size_t i = 0; i < node.size(); ++i) {
    const Node item = node.item(i);
    if (!item.is_scalar()) {
      const std::string path = block.context().SetAside({"named_steps"}, block.context().PlainJson(item));
      block.context().Notice(item.position(), fmt::format("this item of 'named_steps' is no name; kept as {}", path));
      continue;
    }
    const std::string name = block.context().PlainText(item);
    if (names.count(CleanName(name)) > 0) continue;
    block.context().Notice(item.position(), fmt::format("'{}' is among 'named_steps' and is no step", name));
  }
}

// Old custom events and new domain events of the task; a second event of a name that says something else is set aside.
void TakeTaskEvents(Block& block, TaskParts& parts) {
  for (const std::string_view key : {"domain_events", "custom_events"}) {
    for (const JsonObject& event : TakeEvents(block, key)) {
      if (AddEvent(event, parts)) continue;
      const std::string path = block.context().SetAside({std::string(key)}, Json(event));
      block.context().Notice(block.position(),
                             fmt::format("'{}' has two events of one name; the second is kept as {}", key, path));
    }
  }
}

JsonObject TakeEnvironments(Block& block, const std::vector<Step>& steps, const JsonObject* task_handler) {
  const std::optional<Field> field = block.Take({"environments"});
  if (!field) return {};
  if (field->value.is_map()) return ConvertEnvironments(block.context(), field->value, steps, task_handler);
  block.SetAside(*field, "is not a map");
  return {};
}

void NoteDefaultedSteps(Context& context, const std::optional<Field>& field, const TaskParts& parts) {
  if (!field || parts.defaulted_steps == 0) return;
  context.Change(field->position,
                 fmt::format("'{}' is also the 'system_dependency' of {} step{} now, as the old runtime had it",
                             base::Shortened(*parts.default_system), parts.defaulted_steps,
                             parts.defaulted_steps == 1 ? "" : "s"));
}

JsonArray StepsJson(Block& block, const std::vector<Step>& steps) {
  if (steps.empty() && !block.context().has_errors()) {
    block.context().Error("LEGACY_STEP", block.position(), "the template has no steps",
                          "list them in 'step_templates'");
  }
  JsonArray json;
  for (const Step& step : steps) json.push_back(step.json);
  return json;
}

void AddAside(JsonObject aside, JsonObject& metadata) {
  if (aside.empty()) return;
  const Json* const before = Find(metadata, "legacy");
  Put(metadata, before == nullptr ? "legacy" : "legacy_2", std::move(aside));
}

}  // namespace

ConvertedTask ConvertTask(Context& context, Node root, const std::string& default_namespace) {
  ConvertedTask task;
  Block block(context, root, {});
  JsonObject& out = task.json;
  if (!TakeReferenceName(block, {"name", "task_name"}, "name", out)) {
    context.Error("LEGACY_NAME", block.position(), "the template has no name", "add 'name: …'");
  }
  TakeNamespace(block, default_namespace, out);
  TakeVersion(block, out);
  block.TakeText({"description"}, "description", out);
  JsonObject metadata = TakeMetadata(block);
  Put(out, "metadata", nullptr);  // its place in the order; what is set aside is known at the end

  TaskParts parts;
  std::optional<Field> default_field;
  TakeDefaultSystem(block, default_field, parts);
  const std::optional<JsonObject> handler = TakeTaskHandler(block);
  if (handler) Put(out, "task_handler", *handler);
  TakeTaskEvents(block, parts);
  const std::vector<Step> steps = TakeSteps(block, parts, task);
  NoteDefaultedSteps(context, default_field, parts);
  NoteNamedSteps(block, steps);
  JsonObject systems = SystemDependencies(block, default_field, parts);
  if (!systems.empty()) Put(out, "system_dependencies", std::move(systems));
  if (!parts.events.empty()) Put(out, "domain_events", std::move(parts.events));
  if (const auto schema = block.Take({"input_schema", "schema"}, "input_schema")) {
    Put(out, "input_schema", context.PlainJson(schema->value));
  }
  block.TakeAny("lifecycle", out);
  Put(out, "steps", StepsJson(block, steps));
  JsonObject environments = TakeEnvironments(block, steps, handler ? &*handler : nullptr);
  if (!environments.empty()) Put(out, "environments", std::move(environments));
  block.Finish(out);

  AddAside(context.TakeAside(), metadata);
  if (metadata.empty()) {
    out.stable_erase("metadata");
  } else {
    Put(out, "metadata", std::move(metadata));
  }
  return task;
}

}  // namespace tasker::legacy
