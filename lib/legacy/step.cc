#include "lib/legacy/step.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <unordered_set>
#include <utility>

#include "lib/base/utf8.h"
#include "lib/template/keys.h"

namespace tasker::legacy {
namespace {

constexpr double kMaxTimeoutSeconds = 30 * 24 * 3600;  // DESIGN: 1 s to 30 days
constexpr double kMillisecondsFrom = 1000;             // a `timeout` this large is no number of seconds

// REQUIRES: text.is_string()
std::string TextOf(const Json& text) { return {text.get_string().data(), text.get_string().size()}; }

std::string TextMember(const JsonObject& object, std::string_view key) {
  const Json* const text = Find(object, key);
  return text != nullptr && text->is_string() ? TextOf(*text) : "";
}

std::string WithModule(Context& context, const Field& field, std::string callable, std::string_view module) {
  if (module.empty() || callable.starts_with("::") || callable.starts_with(fmt::format("{}::", module))) {
    return callable;
  }
  context.Change(field.position, fmt::format("'{}' has become '{}::{}'", callable, module, callable));
  return fmt::format("{}::{}", module, callable);
}

// The `handler` (or `task_handler`) that the text has in the new format already: a map, or only the callable.
JsonObject HandlerBlock(Block& block, std::string_view key) {
  JsonObject handler;
  const std::optional<Field> field = block.Take({key});
  if (!field) return handler;
  if (field->value.is_map()) {
    return KnownMembers(block.context(), field->value, Inside(block.place(), std::string(key)), tmpl::kHandlerKeys);
  }
  if (!field->value.is_scalar()) {
    block.SetAside(*field, "is neither a map nor a callable");
    return handler;
  }
  block.context().Change(field->position, fmt::format("'{}' has become '{}.callable'", key, key));
  Put(handler, "callable", JsonText(block.context().PlainText(field->value)));
  return handler;
}

// The names in a scalar or a list; nullopt when something else is in it.
std::optional<std::vector<std::string>> NamesOf(Context& context, Node node) {
  if (!node.is_list() && !node.is_scalar()) return std::nullopt;
  std::vector<std::string> names;
  const size_t count = node.is_list() ? node.size() : 1;
  for (size_t i = 0; i < count; ++i) {
    const Node item = node.is_list() ? node.item(i) : node;
    if (!item.is_scalar() || item.is_null()) return std::nullopt;
    const std::string name = context.PlainText(item);
    names.push_back(CleanName(name));
    if (names.back() != name) {
      context.Change(item.position(), fmt::format("'{}' has become '{}', as the step's name has", name, names.back()));
    }
  }
  return names;
}

void TakeDependencies(Block& block, JsonObject& out) {
  JsonArray dependencies;
  std::unordered_set<std::string> seen;
  for (const std::string_view key :
       {"depends_on_step", "depends_on_step_name", "depends_on_steps", "depends_on", "dependencies"}) {
    const std::optional<Field> field = block.Take({key}, "dependencies");
    if (!field) continue;
    const auto names = NamesOf(block.context(), field->value);
    if (!names) {
      block.SetAside(*field, "is neither a step's name nor a list of names");
      continue;
    }
    for (const std::string& name : *names) {
      if (seen.insert(name).second) dependencies.push_back(JsonText(name));
    }
  }
  if (!dependencies.empty()) Put(out, "dependencies", std::move(dependencies));
}

void TakeSystem(Block& block, TaskParts& parts, JsonObject& out) {
  if (block.TakeText({"dependent_system"}, "system_dependency", out)) {
    parts.systems.push_back(TextMember(out, "system_dependency"));
  } else if (!block.TakeText({"system_dependency"}, "system_dependency", out) && parts.default_system) {
    Json system = JsonText(*parts.default_system);
    if (!block.context().CountCopy(system, block.position())) return;
    Put(out, "system_dependency", std::move(system));
    ++parts.defaulted_steps;
  }
}

void TakePublishedEvents(Block& block, TaskParts& parts, JsonObject& out) {
  JsonArray published;
  std::unordered_set<std::string> names;
  const Place place = Inside(block.place(), "publishes_events");
  if (const std::optional<Field> field = block.Take({"publishes_events"})) {
    EachNamed(block, *field, [&](Node node, const std::string&, Position) {
      if (node.is_null()) return;
      Json event = node.is_map() ? Json(KnownMembers(block.context(), node, place, tmpl::kPublishedEventKeys))
                                 : block.context().PlainJson(node);
      names.insert(event.is_object() ? TextMember(event.get_object(), "name") : event.is_string() ? TextOf(event) : "");
      published.push_back(std::move(event));
    });
  }
  for (JsonObject& event : TakeEvents(block, "custom_events")) {
    const bool same = AddEvent(event, parts);
    const std::string name = TextMember(event, "name");
    // An event of the task that has this name, and says something else, keeps its words; the step's stay with it.
    if (!same) published.push_back(std::move(event));
    if (same && names.insert(name).second) published.push_back(JsonText(name));
  }
  if (!published.empty()) Put(out, "publishes_events", std::move(published));
}

void NoteSkippable(Block& block) {
  const std::optional<Field> field = block.Take({"skippable"});
  if (!field) return;
  if (!field->value.is_scalar()) return block.SetAside(*field);
  block.context().Notice(field->position,
                         fmt::format("'skippable: {}' is gone: skipping is for event subscribers, not for steps",
                                     base::Shortened(field->value.text())));
}

}  // namespace

void EachNamed(Block& block, const Field& field,
               const std::function<void(Node node, const std::string& name, Position position)>& convert) {
  const Node node = field.value;
  if (node.is_scalar()) return block.SetAside(field, "is neither a list nor a map");
  for (size_t i = 0; i < node.size(); ++i) {
    if (node.is_list()) {
      convert(node.item(i), "", node.item(i).position());
    } else {
      const Node::Member member = node.member(i);
      convert(member.value, block.context().PlainKey(member.key, member.key_position), member.key_position);
    }
  }
}

std::string TakeName(Block& block, std::string_view name_from_key) {
  std::string name(name_from_key);
  Position position = block.position();
  if (const std::optional<Field> field = block.Take({"name"})) {
    const std::string written = field->value.is_scalar() ? block.context().PlainText(field->value) : "";
    if (name.empty() && field->value.is_scalar()) {
      name = written;
      position = field->value.position();
    } else if (written != name) {
      block.SetAside(*field, field->value.is_scalar() ? "says something else than its key" : "is not text");
    }
  }
  if (!CheckNameLength(block.context(), name, position)) return "";
  std::string clean = CleanName(name);
  if (clean != name) {
    block.context().Notice(position, fmt::format("'{}' cannot be a name here and has become '{}'", name, clean));
  }
  return clean;
}

std::optional<JsonObject> TakeHandler(Block& block, std::string_view block_key,
                                      std::initializer_list<std::string_view> class_keys, std::string_view module) {
  const JsonObject known = HandlerBlock(block, block_key);
  JsonObject handler;
  if (const Json* const callable = Find(known, "callable")) {
    Put(handler, "callable", *callable);
  } else if (const auto field = block.Take(class_keys, fmt::format("{}.callable", block_key))) {
    if (field->value.is_scalar()) {
      Put(handler, "callable",
          JsonText(WithModule(block.context(), *field, block.context().PlainText(field->value), module)));
    } else {
      block.SetAside(*field, "is not text");
    }
  }
  const bool has_callable = !handler.empty();
  const Json* const initialization = Find(known, "initialization");
  if (initialization == nullptr && has_callable) {
    if (const auto field = block.Take({"handler_config"}, fmt::format("{}.initialization", block_key))) {
      if (field->value.is_map()) {
        if (field->value.size() > 0) Put(handler, "initialization", block.context().PlainJson(field->value));
      } else {
        block.SetAside(*field, "is not a map");
      }
    }
  }
  for (const auto& [key, value] : known) handler.insert_or_assign(key, value);
  if (has_callable) return handler;
  if (!known.empty()) {
    const std::string path = block.context().SetAside(Inside(block.place(), std::string(block_key)), Json(known));
    block.context().Notice(block.position(), fmt::format("'{}' has no callable; kept as {}", block_key, path));
  }
  return std::nullopt;
}

void TakeTimeout(Block& block, JsonObject& out) {
  const std::optional<Field> field = block.Take({"timeout_seconds", "timeout"});
  if (!field) return;
  Context& context = block.context();
  const std::optional<double> number = NumberOf(context, field->value);
  if (!number) return block.SetAside(*field, "is not a number");
  const bool is_ms = field->key == "timeout" && *number >= kMillisecondsFrom;
  const double seconds = is_ms ? *number / 1000 : *number;
  if (seconds <= 0 || seconds > kMaxTimeoutSeconds) {
    return block.SetAside(*field, "is not between 1 second and 30 days");
  }
  const auto whole = static_cast<uint64_t>(std::ceil(seconds));
  Put(out, "timeout_seconds", whole);
  if (is_ms) {
    context.Notice(field->position, fmt::format("'timeout: {}' was read as milliseconds: 'timeout_seconds: {}'",
                                                field->value.text(), whole));
  } else if (static_cast<double>(whole) != seconds) {
    context.Notice(field->position, fmt::format("'{}: {}' has become 'timeout_seconds: {}': it holds whole seconds",
                                                field->key, field->value.text(), whole));
  } else if (field->key == "timeout") {
    context.Change(field->position, "'timeout' has become 'timeout_seconds'");
  }
}

std::vector<JsonObject> TakeEvents(Block& block, std::string_view key) {
  std::vector<JsonObject> events;
  const std::optional<Field> field = block.Take({key}, "domain_events");
  if (!field) return events;
  Context& context = block.context();
  const Place place = Inside(block.place(), std::string(key));
  EachNamed(block, *field, [&](Node node, const std::string& name_from_key, Position position) {
    JsonObject event;
    if (!name_from_key.empty()) Put(event, "name", JsonText(name_from_key));
    if (node.is_map()) {
      Block members(context, node, place);
      if (name_from_key.empty()) members.TakeText({"name"}, "name", event);
      members.TakeText({"description"}, "description", event);
      members.TakeAny("schema", event);
      members.Finish(event);
    } else if (node.is_scalar() && !node.is_null()) {
      Put(event, name_from_key.empty() ? "name" : "description", JsonText(context.PlainText(node)));
    } else if (node.is_list()) {
      context.Notice(position, fmt::format("this item of '{}' is a list; kept as {}", key,
                                           context.SetAside(place, context.PlainJson(node))));
      return;
    }
    if (!TextMember(event, "name").empty()) {
      events.push_back(std::move(event));
    } else if (!event.empty()) {
      context.Notice(position, fmt::format("this item of '{}' has no name; kept as {}", key,
                                           context.SetAside(place, std::move(event))));
    }
  });
  return events;
}

bool AddEvent(const JsonObject& event, TaskParts& parts) {
  const auto [known, is_new] = parts.event_index.emplace(TextMember(event, "name"), parts.events.size());
  if (is_new) parts.events.push_back(event);
  return is_new || parts.events[known->second] == Json(event);
}

std::optional<Step> ConvertStep(Context& context, Node node, const std::string& name_from_key, Position position,
                                TaskParts& parts) {
  if (!node.is_map()) {
    context.Error("LEGACY_STEP", position,
                  fmt::format("a step template must be a map, but is {}", tmpl::NodeKindPhrase(node.kind())));
    return std::nullopt;
  }
  Block block(context, node, {"steps"});
  Step step{TakeName(block, name_from_key), position, {}, {}};
  if (step.name.empty()) {
    context.Error("LEGACY_STEP", position, "a step template has no 'name'", "give the step a name");
    return std::nullopt;
  }
  block.set_place({"steps", step.name});
  JsonObject& out = step.json;
  Put(out, "name", JsonText(step.name));
  block.TakeText({"description"}, "description", out);
  block.TakeText({"type", "step_type"}, "type", out);
  TakeDependencies(block, out);
  std::optional<JsonObject> handler = TakeHandler(block, "handler", {"handler_class"});
  if (!handler) {
    context.Error("LEGACY_STEP", position,
                  fmt::format("step '{}' has no 'handler_class', and what runs it cannot be made up", step.name),
                  "name the class, or any other callable");
    return std::nullopt;
  }
  Put(out, "handler", std::move(*handler));
  TakeSystem(block, parts, out);
  step.retry = TakeRetry(block);
  const JsonObject retry = RetryJson(step.retry.flat ? WithDefaults(step.retry) : step.retry);
  if (!retry.empty()) Put(out, "retry", retry);
  TakeTimeout(block, out);
  TakePublishedEvents(block, parts, out);
  if (auto batch = block.TakeKnown("batch_config", tmpl::kBatchConfigKeys)) Put(out, "batch_config", std::move(*batch));
  for (const std::string_view key : {"result_schema", "lifecycle", "composition"}) block.TakeAny(key, out);
  NoteSkippable(block);
  block.Finish(out);
  return step;
}

}  // namespace tasker::legacy
