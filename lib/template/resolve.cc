#include "lib/template/resolve.h"

#include <unordered_map>
#include <utility>

namespace tasker::tmpl {
namespace {

void MergeInitialization(const HandlerOverride& from, HandlerDefinition& handler) {
  if (!from.initialization) return;
  for (const auto& [key, value] : *from.initialization) handler.initialization.insert_or_assign(key, value);
}

void ApplyStepOverride(const StepOverride& from, StepDefinition& step) {
  if (from.handler) MergeInitialization(*from.handler, step.handler);
  if (from.timeout_seconds) step.timeout_seconds = from.timeout_seconds;
  if (from.retry) step.retry = *from.retry;
}

}  // namespace

ResolvedTaskTemplate ResolveForEnvironment(TaskTemplate tmpl, std::string_view environment) {
  ResolvedTaskTemplate resolved{std::move(tmpl), std::string(environment), false};
  const auto found = resolved.tmpl.environments.find(environment);
  if (found == resolved.tmpl.environments.end()) return resolved;
  resolved.environment_defined = true;
  const EnvironmentOverride& overrides = found->second;
  if (overrides.task_handler && resolved.tmpl.task_handler) {
    MergeInitialization(*overrides.task_handler, *resolved.tmpl.task_handler);
  }
  std::unordered_map<std::string_view, StepDefinition*> steps;
  for (StepDefinition& step : resolved.tmpl.steps) steps.emplace(step.name, &step);  // the first of a name
  for (const StepOverride& from : overrides.steps) {
    if (from.name == kAllSteps) {
      for (StepDefinition& step : resolved.tmpl.steps) ApplyStepOverride(from, step);
    } else if (const auto step = steps.find(from.name); step != steps.end()) {
      ApplyStepOverride(from, *step->second);
    }
  }
  return resolved;
}

std::vector<std::string> AllCallables(const TaskTemplate& tmpl) {
  std::vector<std::string> callables;
  if (tmpl.task_handler) callables.push_back(tmpl.task_handler->callable);
  for (const StepDefinition& step : tmpl.steps) callables.push_back(step.handler.callable);
  return callables;
}

}  // namespace tasker::tmpl
