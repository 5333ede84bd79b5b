#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/base/json.h"
#include "lib/validate/rules.h"
#include "lib/validate/rules/override_keys.h"
#include "lib/validate/rules/override_retry.h"

/// What an override may do that its author hardly means. Each environment is replayed override by override, as
/// resolution applies them, so that "changes nothing" and "replaces" are told of what is there at that moment.
namespace tasker::validate {
namespace {

// What resolving may cost at most; keeps an ALL override of 10,000 steps from making gigabytes out of megabytes.
constexpr size_t kMaxFieldsSet = 1'000'000;          // over all environments: what replaying them costs
constexpr size_t kMaxBytesAdded = size_t{16} << 20;  // in one environment: what resolving it costs

constexpr size_t kAllBases = static_cast<size_t>(-1);  // the key index of all steps together
constexpr size_t kTaskBase = static_cast<size_t>(-2);  // that of the task handler

bool IsAll(const tmpl::StepOverride& step) { return step.name == tmpl::kAllSteps; }

const tmpl::JsonObject* InitializationOf(const std::optional<tmpl::HandlerOverride>& handler) {
  return handler && handler->initialization ? &*handler->initialization : nullptr;
}

// Whether the environments are cheap enough to replay and resolve; an error when not.
bool CheckCost(Context& context) {
  const size_t all_steps = context.tmpl().steps.size();
  size_t fields = 0;
  for (const auto& [name, environment] : context.tmpl().environments) {
    size_t bytes = 0;
    for (const tmpl::StepOverride& step : environment.steps) {
      const size_t affected = IsAll(step) ? all_steps : 1;
      const tmpl::JsonObject* const values = InitializationOf(step.handler);
      fields += affected * (1 + (values == nullptr ? 0 : values->size()));
      if (affected > 1 && values != nullptr) {
        std::string text;
        base::AppendCanonicalJson(*values, text);
        bytes += affected * text.size();
      }
    }
    if (fields <= kMaxFieldsSet && bytes <= kMaxBytesAdded) continue;
    context.Error(
        "RESOLUTION_TOO_LARGE", base::JsonPointer("/environments", name),
        fmt::format("the overrides of environment {} add too much to {} steps", Quoted(name), all_steps),
        fmt::format(
            "overrides may set {} fields over all environments, and add {} MiB in each; move values of ALL into "
            "the base, or split the template",
            kMaxFieldsSet, kMaxBytesAdded >> 20),
        Context::At::kKey);
    return false;
  }
  return true;
}

// A value that an override may set, and which override of one step by name set it last.
template <typename Value>
struct Field {
  Value value;
  const tmpl::StepOverride* set_by = nullptr;
};

// A step as the overrides replayed so far have left it.
struct StepState {
  Field<std::optional<uint32_t>> timeout;
  Field<WrittenRetry> retry;
  std::unordered_map<std::string_view, Field<const base::Json*>> initialization;  // only what an override set
};

// Equality of large values that ALL puts into thousands of steps: the same two are compared again and again.
class MemoizedEquality {
 public:
  bool operator()(const base::Json* a, const base::Json* b) {
    if (a == b) return true;
    if (a != a_ || b != b_) {
      equal_ = *a == *b;
      a_ = a;
      b_ = b;
    }
    return equal_;
  }

 private:
  const base::Json* a_ = nullptr;
  const base::Json* b_ = nullptr;
  bool equal_ = false;
};

// Replays the step overrides of all environments, one after the other.
class StepOverrides {
 public:
  StepOverrides(Context& context, OverrideKeys& keys)
      : context_(context), keys_(keys), base_retries_(context.tmpl().steps.size()) {}

  void Check(const tmpl::EnvironmentOverride& environment, const std::string& path) {
    states_.clear();
    for (size_t i = 0; i < environment.steps.size(); ++i) {
      CheckOverride(environment.steps[i], fmt::format("{}/steps/{}", path, i));
    }
  }

 private:
  // What one override does to all the steps that it applies to.
  struct Effect {
    bool changes = false;
    RetryResets resets;
    std::vector<std::pair<std::string, std::string>> replaced;  // field below the override, step named before
  };

  void CheckOverride(const tmpl::StepOverride& from, const std::string& path) {
    const auto& steps = context_.tmpl().steps;
    const size_t found = IsAll(from) ? 0 : context_.graph().Find(from.name);
    if (from.name.empty() || steps.empty()) return;
    if (found == tmpl::StepGraph::npos) return ReportUnknownStep(from, path);
    const size_t end = IsAll(from) ? steps.size() : found + 1;
    WrittenRetry retry;
    if (from.retry) retry = ReadWrittenRetry(context_, *from.retry, path + "/retry");
    Effect effect;
    for (size_t i = found; i < end; ++i) Apply(from, retry, i, effect);
    if (!effect.changes) {
      context_.Warning("OVERRIDE_NO_EFFECT", path + "/name",
                       fmt::format("this override of {} changes nothing", OwnerName(from)),
                       "every value is what it was; remove the override");
    }
    effect.resets.Report(context_, path + "/retry");
    for (const auto& [field, step] : effect.replaced) {
      context_.Warning("OVERRIDE_ALL_AFTER_STEP", path + field,
                       fmt::format("ALL comes after the override of step {} and replaces what that set", Quoted(step)),
                       "list ALL before the overrides of single steps", Context::At::kKey);
    }
    if (const tmpl::JsonObject* const values = InitializationOf(from.handler)) CheckKeys(from, found, *values, path);
  }

  void ReportUnknownStep(const tmpl::StepOverride& from, const std::string& path) {
    std::string upper = from.name;
    std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
    context_.Warning(
        "OVERRIDE_STEP_UNKNOWN", path + "/name",
        fmt::format("this override has no effect: there is no step {}", Quoted(from.name)),
        upper == tmpl::kAllSteps ? "ALL, in capitals, stands for every step" : context_.DidYouMeanStep(from.name));
  }

  static std::string OwnerName(const tmpl::StepOverride& from) {
    return IsAll(from) ? "every step" : "step " + Quoted(from.name);
  }

  void CheckKeys(const tmpl::StepOverride& from, size_t step, const tmpl::JsonObject& values, const std::string& path) {
    std::vector<const tmpl::JsonObject*> bases;
    const auto& steps = context_.tmpl().steps;
    if (IsAll(from)) {
      for (const tmpl::StepDefinition& each : steps) bases.push_back(&each.handler.initialization);
    } else {
      bases.push_back(&steps[step].handler.initialization);
    }
    keys_.Check(values, path + "/handler/initialization", OwnerName(from), bases, IsAll(from) ? kAllBases : step);
  }

  StepState& StateOf(size_t step) {
    const auto [entry, is_new] = states_.try_emplace(step);
    if (is_new) {
      const tmpl::StepDefinition& base = context_.tmpl().steps[step];
      entry->second.timeout.value = base.timeout_seconds;
      if (base_retries_[step].retry == nullptr) {
        base_retries_[step] = ReadWrittenRetry(context_, base.retry, fmt::format("/steps/{}/retry", step));
      }
      entry->second.retry.value = base_retries_[step];
    }
    return entry->second;
  }

  void Apply(const tmpl::StepOverride& from, const WrittenRetry& retry, size_t step, Effect& effect) {
    StepState& state = StateOf(step);
    if (from.timeout_seconds) {
      const bool changes = state.timeout.value != from.timeout_seconds;
      Set(state.timeout, from.timeout_seconds, changes, from, "/timeout_seconds", effect);
    }
    if (from.retry) {
      effect.resets.Add(context_.tmpl().steps[step].name, state.retry.value, retry);
      const bool changes = *state.retry.value.retry != *from.retry;
      Set(state.retry, retry, changes, from, "/retry", effect);
    }
    const tmpl::JsonObject* const values = InitializationOf(from.handler);
    if (values == nullptr) return;
    const tmpl::JsonObject& base = context_.tmpl().steps[step].handler.initialization;
    for (const auto& [key, value] : *values) {
      Field<const base::Json*>& field = state.initialization[{key.data(), key.size()}];
      if (field.value == nullptr) field.value = base.if_contains(key);
      const bool changes = field.value == nullptr || !equal_(field.value, &value);
      if (!changes && !IsAll(from)) continue;
      Set(field, &value, changes, from, base::JsonPointer("/handler/initialization", {key.data(), key.size()}), effect);
    }
  }

  template <typename Value>
  void Set(Field<Value>& field, const Value& value, bool changes, const tmpl::StepOverride& from,
           const std::string& path, Effect& effect) {
    effect.changes |= changes;
    if (changes && IsAll(from) && field.set_by != nullptr) NoteReplaced(path, field.set_by->name, effect);
    field.value = value;
    field.set_by = IsAll(from) ? nullptr : &from;
  }

  // Once for each field, naming the first step.
  static void NoteReplaced(const std::string& path, const std::string& step, Effect& effect) {
    for (const auto& [field, first_step] : effect.replaced) {
      if (field == path) return;
    }
    effect.replaced.emplace_back(path, step);
  }

  Context& context_;
  OverrideKeys& keys_;
  MemoizedEquality equal_;
  std::vector<WrittenRetry> base_retries_;  // filled in when a step is first overridden
  std::unordered_map<size_t, StepState> states_;
};

void CheckTaskHandler(Context& context, OverrideKeys& keys, const tmpl::EnvironmentOverride& environment,
                      const std::string& path) {
  if (!environment.task_handler) return;
  if (!context.tmpl().task_handler) {
    if (context.IsWritten("/task_handler")) return;  // of the wrong type, which the reader reported
    context.Warning("OVERRIDE_TASK_HANDLER_MISSING", path,
                    "this override has no effect: the template has no task_handler",
                    "give the template a task_handler, or remove the override", Context::At::kKey);
    return;
  }
  const tmpl::JsonObject& base = context.tmpl().task_handler->initialization;
  bool changes = false;
  if (const tmpl::JsonObject* const values = InitializationOf(environment.task_handler)) {
    for (const auto& [key, value] : *values) {
      const base::Json* const before = base.if_contains(key);
      changes = changes || before == nullptr || *before != value;
    }
    const tmpl::JsonObject* const bases[] = {&base};
    keys.Check(*values, path + "/initialization", "the task handler", bases, kTaskBase);
  }
  if (changes) return;
  context.Warning("OVERRIDE_NO_EFFECT", path, "this override of the task handler changes nothing",
                  "every value is what it was; remove the override", Context::At::kKey);
}

}  // namespace

void CheckEnvironments(Context& context, std::optional<std::string_view> only) {
  if (!CheckCost(context)) return;
  OverrideKeys keys(context);
  StepOverrides steps(context, keys);
  for (const auto& [name, environment] : context.tmpl().environments) {
    if (only && *only != name) continue;
    const std::string path = base::JsonPointer("/environments", name);
    CheckTaskHandler(context, keys, environment, path + "/task_handler");
    steps.Check(environment, path);
  }
}

}  // namespace tasker::validate
