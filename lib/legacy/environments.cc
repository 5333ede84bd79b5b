#include "lib/legacy/environments.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <unordered_map>
#include <utility>

#include "lib/template/model.h"

namespace tasker::legacy {
namespace {

// What a step (or the task's handler) is set to in one environment, after the overrides read so far.
struct Effective {
  const JsonObject* base = nullptr;  // initialization of the template; nullptr: none
  JsonObject over;                   // keys that overrides have set
  Retry retry;

  const Json* Value(std::string_view key) const {
    if (const Json* const value = Find(over, key)) return value;
    return base != nullptr ? Find(*base, key) : nullptr;
  }
};

// As Rails' deep_merge: maps merge, everything else replaces. The base's keys come first.
JsonObject DeepMerge(const JsonObject& base, const JsonObject& over) {
  JsonObject merged = base;
  for (const auto& [key, value] : over) {
    const Json* const old = merged.if_contains(key);
    const bool both = old != nullptr && old->is_object() && value.is_object();
    merged.insert_or_assign(key, both ? Json(DeepMerge(old->get_object(), value.get_object())) : value);
  }
  return merged;
}

// An old override's configuration: each nested map that the base has too is replaced by the merge of both.
JsonObject MergedConfig(Context& context, Position position, const JsonObject& config, Effective& effective) {
  JsonObject out;
  for (const auto& [key, value] : config) {
    const std::string_view name(key.data(), key.size());
    const Json* const base = effective.Value(name);
    Json merged = value;
    if (base != nullptr && base->is_object() && value.is_object() && context.CountCopy(*base, position)) {
      merged = DeepMerge(base->get_object(), value.get_object());
    }
    if (merged != value) {
      context.Notice(position, fmt::format("'{}' is written out with what the base has in it: an override replaces a "
                                           "nested map whole here, and the old runtime merged it",
                                           name));
    }
    Put(out, name, merged);
    Put(effective.over, name, std::move(merged));
  }
  return out;
}

class EnvironmentConverter {
 public:
  EnvironmentConverter(Context& context, const std::vector<Step>& steps, const JsonObject* task_handler)
      : context_(context), task_handler_(task_handler) {
    for (const Step& step : steps) steps_.emplace(step.name, &step);
  }

  JsonObject Convert(Node node, const std::string& name) {
    Block block(context_, node, {"environments", name});
    effective_.clear();
    JsonObject out;
    TakeTaskHandler(block, out);
    JsonArray overrides;
    for (const std::string_view key : {"step_templates", "step_overrides", "steps"}) {
      const std::optional<Field> field = block.Take({key}, "steps");
      if (!field) continue;
      const bool merges = key != "steps";
      EachNamed(block, *field, [&](Node item, const std::string& step, Position position) {
        AddOverride(item, step, position, name, merges, overrides);
      });
    }
    if (!overrides.empty()) Put(out, "steps", std::move(overrides));
    block.Finish(out);
    return out;
  }

 private:
  void TakeTaskHandler(Block& block, JsonObject& out) {
    JsonObject handler;
    if (auto known = block.TakeKnown("task_handler", tmpl::kHandlerOverrideKeys)) handler = std::move(*known);
    if (handler.empty() && task_handler_ != nullptr) {
      const Json* const base = Find(*task_handler_, "initialization");
      Effective effective{base != nullptr && base->is_object() ? &base->get_object() : nullptr, {}, {}};
      TakeConfig(block, "task_handler.initialization", effective, handler);
    }
    if (!handler.empty()) Put(out, "task_handler", std::move(handler));
  }

  void TakeConfig(Block& block, std::string_view becomes, Effective& effective, JsonObject& handler) {
    const std::optional<Field> field = block.Take({"handler_config"}, becomes);
    if (!field) return;
    if (!field->value.is_map()) return block.SetAside(*field, "is not a map");
    const Json config = context_.PlainJson(field->value);
    JsonObject merged = MergedConfig(context_, field->position, config.get_object(), effective);
    if (!merged.empty()) Put(handler, "initialization", std::move(merged));
  }

  Effective& EffectiveOf(const std::string& step_name) {
    const auto [entry, is_new] = effective_.try_emplace(step_name);
    if (!is_new) return entry->second;
    const auto step = steps_.find(step_name);
    if (step == steps_.end()) {
      entry->second.retry = WithDefaults({});
      return entry->second;
    }
    entry->second.retry = WithDefaults(step->second->retry);
    entry->second.retry.extensions.clear();
    const Json* const handler = Find(step->second->json, "handler");
    const Json* const initialization = Find(handler->get_object(), "initialization");
    if (initialization != nullptr && initialization->is_object()) entry->second.base = &initialization->get_object();
    return entry->second;
  }

  void AddOverride(Node node, const std::string& name_from_key, Position position, const std::string& environment,
                   bool merges, JsonArray& overrides) {
    if (node.is_null() && !name_from_key.empty()) return;  // `step_overrides: {fetch: }` says nothing
    if (!node.is_map()) {
      context_.Error("LEGACY_STEP", position,
                     fmt::format("an override of a step must be a map, but is {}", tmpl::NodeKindPhrase(node.kind())));
      return;
    }
    Block block(context_, node, {"environments", environment, "steps"});
    const std::string name = TakeName(block, name_from_key);
    if (name.empty()) {
      context_.Error("LEGACY_STEP", position, "an override has no 'name'", "name the step that it overrides");
      return;
    }
    block.set_place({"environments", environment, "steps", name});
    Effective& effective = EffectiveOf(name);
    JsonObject out;
    Put(out, "name", JsonText(name));
    TakeHandlerOverride(block, effective, out);
    TakeTimeout(block, out);
    TakeRetryOverride(block, position, merges, effective, out);
    block.Finish(out);
    if (out.size() > 1) overrides.push_back(std::move(out));
    if (steps_.find(name) == steps_.end() && name != tmpl::kAllSteps) {
      context_.Notice(position, fmt::format("'{}' is overridden and is no step of this template", name));
    }
  }

  void TakeHandlerOverride(Block& block, Effective& effective, JsonObject& out) {
    JsonObject handler;
    if (auto known = block.TakeKnown("handler", tmpl::kHandlerOverrideKeys)) handler = std::move(*known);
    if (handler.empty()) TakeConfig(block, "handler.initialization", effective, handler);
    if (!handler.empty()) Put(out, "handler", std::move(handler));
  }

  void TakeRetryOverride(Block& block, Position position, bool merges, Effective& effective, JsonObject& out) {
    const Retry own = TakeRetry(block);
    if (own.empty()) return;
    if (!own.flat && !merges) return Put(out, "retry", RetryJson(own));
    Retry whole = Overlaid(effective.retry, own);
    Put(out, "retry", RetryJson(whole));
    whole.extensions.clear();  // of no effect, and so not worth repeating in every override
    effective.retry = std::move(whole);
    if (own.complete()) return;
    context_.Notice(position,
                    "'retry' is written out whole, with what the step has: an override replaces all of it here, and "
                    "the old runtime only what is written");
  }

  Context& context_;
  const JsonObject* task_handler_;
  std::unordered_map<std::string, const Step*> steps_;
  std::unordered_map<std::string, Effective> effective_;  // by step, of the environment at hand
};

}  // namespace

JsonObject ConvertEnvironments(Context& context, Node environments, const std::vector<Step>& steps,
                               const JsonObject* task_handler) {
  JsonObject out;
  EnvironmentConverter converter(context, steps, task_handler);
  Block block(context, environments, {"environments"});
  for (const Field& field : block.TakeRest()) {
    if (field.value.is_null()) {
      Put(out, field.key, JsonObject());
    } else if (!field.value.is_map()) {
      block.SetAside(field, "is not a map");
    } else if (CheckNameLength(context, field.key, field.position)) {
      Put(out, field.key, converter.Convert(field.value, field.key));
    }
  }
  return out;
}

}  // namespace tasker::legacy
