#include <fmt/format.h>

#include <vector>

#include "lib/validate/rules.h"

namespace tasker::validate {
namespace {

using tmpl::StepDefinition;
using tmpl::StepType;

StepType TypeOf(const StepDefinition& step) { return step.type.value_or(StepType::kStandard); }

void CheckBatchConfig(Context& context, size_t i) {
  const StepDefinition& step = context.tmpl().steps[i];
  if (!step.batch_config) return;
  if (TypeOf(step) != StepType::kBatchable && TypeOf(step) != StepType::kBatchWorker) {
    context.Warning("BATCH_CONFIG_UNUSED", fmt::format("/steps/{}/batch_config", i),
                    fmt::format("step {} has a batch_config but is of type {}", Quoted(step.name),
                                tmpl::StepTypeName(TypeOf(step))),
                    "only steps of type batchable and batch_worker use it; write type: batchable", Context::At::kKey);
  }
  const std::optional<std::string>& worker = step.batch_config->worker_template;
  if (!worker) return;
  const std::string path = fmt::format("/steps/{}/batch_config/worker_template", i);
  const size_t found = context.graph().Find(*worker);
  if (found == tmpl::StepGraph::npos) {
    context.Error(
        "BATCH_WORKER_UNKNOWN", path,
        fmt::format("worker_template of step {} names {}, which does not exist", Quoted(step.name), Quoted(*worker)),
        context.DidYouMeanStep(*worker));
  } else if (TypeOf(context.tmpl().steps[found]) != StepType::kBatchWorker) {
    context.Error("BATCH_WORKER_TYPE", path,
                  fmt::format("worker_template of step {} names {}, which is a step of type {}", Quoted(step.name),
                              Quoted(*worker), tmpl::StepTypeName(TypeOf(context.tmpl().steps[found]))),
                  fmt::format("give step {} type: batch_worker", Quoted(*worker)));
  }
}

// In a template with decisions, a step that runs at once is one that leads to a decision. Any other without
// dependencies would run whatever is decided, which is rarely meant.
void CheckUnreachable(Context& context, const std::vector<size_t>& decisions) {
  const tmpl::StepGraph& graph = context.graph();
  std::vector<bool> leads_to_decision(graph.size());
  std::vector<size_t> open = decisions;
  for (const size_t i : decisions) leads_to_decision[i] = true;
  while (!open.empty()) {
    const size_t step = open.back();
    open.pop_back();
    for (const size_t before : graph.DependenciesOf(step)) {
      if (leads_to_decision[before]) continue;
      leads_to_decision[before] = true;
      open.push_back(before);
    }
  }
  for (size_t i = 0; i < graph.size(); ++i) {
    const StepDefinition& step = context.tmpl().steps[i];
    if (leads_to_decision[i] || !step.dependencies.empty() || TypeOf(step) == StepType::kBatchWorker) continue;
    context.Warning(
        "STEP_UNREACHABLE", fmt::format("/steps/{}/name", i),
        fmt::format("nothing leads to step {}: no decision or other step comes before it", Quoted(step.name)),
        "name the decision it belongs to in its dependencies; without any it runs at once");
  }
}

}  // namespace

void CheckStepTypes(Context& context) {
  const tmpl::TaskTemplate& tmpl = context.tmpl();
  std::vector<size_t> decisions;
  for (size_t i = 0; i < tmpl.steps.size(); ++i) {
    CheckBatchConfig(context, i);
    const StepDefinition& step = tmpl.steps[i];
    if (TypeOf(step) != StepType::kDecision) continue;
    decisions.push_back(i);
    if (!step.dependencies.empty()) continue;
    context.Error("DECISION_WITHOUT_DEPENDENCY", fmt::format("/steps/{}/name", i),
                  fmt::format("decision step {} depends on nothing, so it has nothing to decide on", Quoted(step.name)),
                  "name the steps whose results it reads in its dependencies");
  }
  if (!decisions.empty()) CheckUnreachable(context, decisions);
}

}  // namespace tasker::validate
