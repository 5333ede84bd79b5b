#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <unordered_set>
#include <vector>

#include "lib/base/utf8.h"
#include "lib/validate/rules.h"

namespace tasker::validate {
namespace {

constexpr size_t kPrintedCycle = 20;  // steps; a longer cycle is cut in the middle

void CheckDependenciesOf(Context& context, size_t step_index) {
  const tmpl::StepDefinition& step = context.tmpl().steps[step_index];
  // The graph keeps each existing dependency once: equal counts mean that there is nothing to report.
  if (context.graph().DependenciesOf(step_index).size() == step.dependencies.size()) return;
  std::unordered_set<std::string_view> seen;
  for (size_t i = 0; i < step.dependencies.size(); ++i) {
    const std::string& dependency = step.dependencies[i];
    const auto path = [&] { return fmt::format("/steps/{}/dependencies/{}", step_index, i); };
    if (!seen.insert(dependency).second) {
      context.Warning("STEP_DEPENDENCY_DUPLICATE", path(),
                      fmt::format("step {} lists its dependency {} twice", Quoted(step.name), Quoted(dependency)),
                      "remove one of the two");
    } else if (dependency == step.name) {
      context.Error("STEP_DEPENDENCY_SELF", path(), fmt::format("step {} depends on itself", Quoted(step.name)),
                    "remove this dependency");
    } else if (context.graph().Find(dependency) == tmpl::StepGraph::npos) {
      context.Error("STEP_DEPENDENCY_UNKNOWN", path(),
                    fmt::format("step {} depends on {}, which does not exist", Quoted(step.name), Quoted(dependency)),
                    context.DidYouMeanStep(dependency));
    }
  }
}

std::string CycleText(const tmpl::TaskTemplate& tmpl, const std::vector<size_t>& cycle) {
  std::string text;
  for (size_t i = 0; i < cycle.size(); ++i) {
    if (cycle.size() > kPrintedCycle && i == kPrintedCycle / 2) {
      text += fmt::format("… ({} more) … → ", cycle.size() - kPrintedCycle);
      i = cycle.size() - kPrintedCycle / 2;
    }
    text += base::Shortened(tmpl.steps[cycle[i]].name) + " → ";
  }
  return text + base::Shortened(tmpl.steps[cycle.front()].name);
}

void ReportCycle(Context& context, const std::vector<size_t>& cycle) {
  const tmpl::TaskTemplate& tmpl = context.tmpl();
  const tmpl::StepDefinition& first = tmpl.steps[cycle.front()];
  const std::string& next = tmpl.steps[cycle[1 % cycle.size()]].name;
  const auto edge = std::find(first.dependencies.begin(), first.dependencies.end(), next);
  context.Error("STEP_CYCLE",
                fmt::format("/steps/{}/dependencies/{}", cycle.front(), edge - first.dependencies.begin()),
                fmt::format("steps depend on each other in a circle: {}", CycleText(tmpl, cycle)),
                "remove one of these dependencies");
}

}  // namespace

void CheckDependencies(Context& context) {
  for (size_t i = 0; i < context.tmpl().steps.size(); ++i) CheckDependenciesOf(context, i);
  for (const std::vector<size_t>& cycle : context.graph().Cycles()) ReportCycle(context, cycle);
}

}  // namespace tasker::validate
