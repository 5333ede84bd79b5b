#include "lib/template/resolve.h"

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
  for (const StepOverride& from : overrides.steps) {
    for (StepDefinition& step : resolved.tmpl.steps) {
      if (from.name != kAllSteps && from.name != step.name) continue;
      ApplyStepOverride(from, step);
      if (from.name != kAllSteps) break;
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
