#include "lib/template/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <span>
#include <unordered_map>
#include <utility>

#include "lib/template/canonical.h"

namespace tasker::tmpl {
namespace {

// How far canonical JSON is taken apart: what has no shape is one field.
struct Shape {
  struct Member {
    std::string_view key;
    const Shape* shape;
  };
  std::span<const Member> members;  // of a map, those that are taken apart further
  const Shape* items = nullptr;     // of a list
  bool is_list = false;
};

constexpr Shape kFlat{};
constexpr Shape kNames{.members = {}, .items = nullptr, .is_list = true};
constexpr Shape kEvents{.members = {}, .items = &kFlat, .is_list = true};
constexpr Shape::Member kHandlerMembers[] = {{"initialization", &kFlat}};
constexpr Shape kHandler{.members = kHandlerMembers};
constexpr Shape::Member kStepMembers[] = {
    {"handler", &kHandler}, {"retry", &kFlat}, {"batch_config", &kFlat}, {"publishes_events", &kNames}};
constexpr Shape kStep{.members = kStepMembers};
constexpr Shape kSteps{.members = {}, .items = &kStep, .is_list = true};
constexpr Shape::Member kTemplateMembers[] = {
    {"metadata", &kFlat},        {"task_handler", &kHandler}, {"system_dependencies", &kFlat},
    {"domain_events", &kEvents}, {"steps", &kSteps},          {"environments", &kFlat}};
constexpr Shape kTemplate{.members = kTemplateMembers};

std::string_view View(boost::json::string_view text) { return {text.data(), text.size()}; }

std::string_view AliasOf(std::string_view key) {
  if (key == "dependencies") return "depends_on";
  if (key == "limit") return "max_attempts";
  if (key == "type") return "step_type";
  return "";
}

// Something the author wrote, or the nearest thing around it.
struct Source {
  std::optional<Node> node;
  std::string path;
};

// The members of one map by key, for looking up all of them in linear time.
class Members {
 public:
  explicit Members(Source map) : map_(std::move(map)) {
    if (!map_.node || !map_.node->is_map()) return;
    for (size_t i = 0; i < map_.node->size(); ++i) index_.emplace(map_.node->member(i).key, i);
  }

  /// The member of that key or of its other spelling; without a node when there is none.
  Source Find(std::string_view key) const {
    auto found = index_.find(key);
    if (found == index_.end()) found = index_.find(AliasOf(key));
    if (found == index_.end()) return {};
    return {map_.node->member(found->second).value, base::JsonPointer(map_.path, found->first)};
  }

 private:
  Source map_;
  std::unordered_map<std::string_view, size_t> index_;
};

Source ItemOf(const Source& list, size_t i) {
  if (!list.node || !list.node->is_list() || i >= list.node->size()) return {};
  return {list.node->item(i), base::JsonPointer(list.path, i)};
}

class Explainer {
 public:
  Explainer(const TaskTemplate& tmpl, const Document& document) : tmpl_(tmpl), root_{document.root(), ""} {
    AddFields(ToJson(tmpl), root_, "", &kTemplate);
  }

  void Apply(std::string_view name, const EnvironmentOverride& environment) {
    const Members members(Members(Members(root_).Find("environments")).Find(name));
    if (environment.task_handler && tmpl_.task_handler) {
      ApplyInitialization(*environment.task_handler, members.Find("task_handler"), "/task_handler",
                          ValueLayer::kTaskHandlerOverride);
    }
    std::unordered_map<std::string_view, size_t> steps;
    for (size_t i = 0; i < tmpl_.steps.size(); ++i) steps.emplace(tmpl_.steps[i].name, i);
    const Source list = members.Find("steps");
    for (size_t i = 0; i < environment.steps.size(); ++i) {
      const StepOverride& from = environment.steps[i];
      const Source source = ItemOf(list, i);
      if (from.name == kAllSteps) {
        for (size_t step = 0; step < tmpl_.steps.size(); ++step) {
          ApplyStepOverride(from, source, step, ValueLayer::kAllOverride);
        }
      } else if (const auto step = steps.find(from.name); step != steps.end()) {
        ApplyStepOverride(from, source, step->second, ValueLayer::kStepOverride);
      }
    }
  }

  std::vector<ExplainedField> Take() {
    std::erase_if(entries_, [](const Entry& entry) { return entry.dropped; });
    std::stable_sort(entries_.begin(), entries_.end(),
                     [](const Entry& a, const Entry& b) { return a.order < b.order; });
    std::vector<ExplainedField> fields;
    fields.reserve(entries_.size());
    for (Entry& entry : entries_) {
      std::reverse(entry.field.replaced.begin(), entry.field.replaced.end());
      fields.push_back(std::move(entry.field));
    }
    return fields;
  }

 private:
  struct Entry {
    ExplainedField field;  // `replaced` the oldest first
    size_t order = 0;      // a field that an override adds takes that of the last one of its block
    bool dropped = false;  // an empty initialization that an override filled
  };

  void AddFields(const base::Json& value, const Source& source, const std::string& path, const Shape* shape) {
    if (shape != nullptr && shape->is_list && value.is_array() && !value.get_array().empty()) {
      for (size_t i = 0; i < value.get_array().size(); ++i) {
        AddFields(value.get_array()[i], ItemOf(source, i), base::JsonPointer(path, i), shape->items);
      }
    } else if (shape != nullptr && !shape->is_list && value.is_object() && !value.get_object().empty()) {
      const Members members(source);
      for (const auto& [key, member] : value.get_object()) {
        const std::string_view name = View(key);
        const auto known = std::find_if(shape->members.begin(), shape->members.end(),
                                        [name](const Shape::Member& m) { return m.key == name; });
        AddFields(member, members.Find(name), base::JsonPointer(path, name),
                  known == shape->members.end() ? nullptr : known->shape);
      }
      block_ends_[path] = entries_.size() - 1;
    } else {
      // `key:` with nothing after it leaves the default.
      const bool is_written = source.node && (!source.node->is_null() || value.is_null());
      AddEntry(path, is_written ? Written(ValueLayer::kBase, value, source) : ExplainedValue{{}, value, "", {}},
               entries_.size());
      block_ends_[path] = entries_.size() - 1;
    }
  }

  static ExplainedValue Written(ValueLayer layer, std::optional<base::Json> value, const Source& source) {
    return {layer, std::move(value), source.path, source.node ? source.node->position() : base::Position()};
  }

  Entry& AddEntry(const std::string& path, ExplainedValue value, size_t order) {
    index_[path] = entries_.size();
    entries_.push_back({{path, std::move(value), {}}, order, false});
    return entries_.back();
  }

  void Set(const std::string& block, const std::string& path, ExplainedValue value) {
    const auto found = index_.find(path);
    if (found == index_.end()) {
      AddEntry(path, std::move(value), block_ends_[block]);
      return;
    }
    ExplainedField& field = entries_[found->second].field;
    field.replaced.push_back(std::exchange(field.current, std::move(value)));
  }

  void ApplyInitialization(const HandlerOverride& from, const Source& source, const std::string& handler,
                           ValueLayer layer) {
    if (!from.initialization || from.initialization->empty()) return;
    const std::string block = handler + "/initialization";
    if (const auto empty = index_.find(block); empty != index_.end()) entries_[empty->second].dropped = true;
    const Members members(Members(source).Find("initialization"));
    for (const auto& [key, value] : *from.initialization) {
      Set(block, base::JsonPointer(block, View(key)), Written(layer, value, members.Find(View(key))));
    }
  }

  void ApplyStepOverride(const StepOverride& from, const Source& source, size_t step, ValueLayer layer) {
    const std::string path = fmt::format("/steps/{}", step);
    const Members members(source);
    if (from.handler) ApplyInitialization(*from.handler, members.Find("handler"), path + "/handler", layer);
    if (from.timeout_seconds) {
      Set(path, path + "/timeout_seconds", Written(layer, *from.timeout_seconds, members.Find("timeout_seconds")));
    }
    if (from.retry) ApplyRetry(*from.retry, members.Find("retry"), path + "/retry", layer);
  }

  // The whole block is replaced: what the override does not write goes back to its default, or away.
  void ApplyRetry(const RetryConfiguration& retry, const Source& source, const std::string& block, ValueLayer layer) {
    const base::Json json = ToJson(retry);
    const Members members(source);
    std::vector<std::string>& keys = retry_keys_[block];
    if (keys.empty()) keys = {"retryable", "limit", "backoff", "backoff_base_ms", "max_backoff_ms"};
    NoteExtensions(block, json.get_object(), keys);
    for (const std::string& key : keys) {
      const std::string path = base::JsonPointer(block, key);
      const base::Json* const value = json.get_object().if_contains(key);
      const Source written = members.Find(key);
      if (value == nullptr) {
        const auto found = index_.find(path);
        if (found == index_.end() || !entries_[found->second].field.current.value) continue;
        Set(block, path, Written(layer, std::nullopt, source));
      } else if (written.node && !written.node->is_null()) {
        Set(block, path, Written(layer, *value, written));
      } else {
        Set(block, path, Written(ValueLayer::kDefault, *value, source));
      }
    }
  }

  // The x-… keys of a retry block, which go with it: those of the base and those of the override.
  void NoteExtensions(const std::string& block, const base::JsonObject& added, std::vector<std::string>& keys) {
    const size_t step = std::stoul(block.substr(std::string_view("/steps/").size()));
    for (const base::JsonObject* object : {&tmpl_.steps[step].retry.extensions, &added}) {
      for (const auto& [key, value] : *object) {
        if (std::find(keys.begin(), keys.end(), View(key)) == keys.end()) keys.emplace_back(View(key));
      }
    }
  }

  const TaskTemplate& tmpl_;
  const Source root_;
  std::vector<Entry> entries_;
  std::unordered_map<std::string, size_t> index_;       // field's pointer → entry
  std::unordered_map<std::string, size_t> block_ends_;  // block's pointer → its last entry
  std::unordered_map<std::string, std::vector<std::string>> retry_keys_;
};

JsonObject ToObject(const ExplainedValue& value) {
  JsonObject object;
  if (value.value) object["value"] = *value.value;
  const std::string_view layer = ValueLayerName(value.layer);
  object["layer"] = boost::json::string_view(layer.data(), layer.size());
  if (!value.source_path.empty()) object["source_path"] = value.source_path;
  if (value.position.known()) {
    object["line"] = value.position.line;
    object["column"] = value.position.column;
  }
  return object;
}

}  // namespace

std::string_view ValueLayerName(ValueLayer layer) {
  switch (layer) {
    case ValueLayer::kDefault:
      return "default";
    case ValueLayer::kBase:
      return "base";
    case ValueLayer::kTaskHandlerOverride:
      return "task_handler override";
    case ValueLayer::kAllOverride:
      return "ALL override";
    case ValueLayer::kStepOverride:
      return "step override";
  }
  return "";
}

Explanation ExplainResolution(const TaskTemplate& tmpl, const Document& document, std::string_view environment) {
  Explainer explainer(tmpl, document);
  const auto found = tmpl.environments.find(environment);
  if (found != tmpl.environments.end()) explainer.Apply(environment, found->second);
  return {std::string(environment), found != tmpl.environments.end(), explainer.Take()};
}

base::Json ToJson(const Explanation& explanation) {
  base::JsonArray fields;
  for (const ExplainedField& field : explanation.fields) {
    JsonObject object{{"path", field.path}};
    for (auto& [key, value] : ToObject(field.current)) object[key] = value;
    base::JsonArray replaced;
    for (const ExplainedValue& value : field.replaced) replaced.push_back(ToObject(value));
    object["replaced"] = std::move(replaced);
    fields.push_back(std::move(object));
  }
  return JsonObject{{"environment", explanation.environment},
                    {"environment_defined", explanation.environment_defined},
                    {"fields", std::move(fields)}};
}

}  // namespace tasker::tmpl
