#include "lib/render/graph_model.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "lib/base/display.h"
#include "lib/base/utf8.h"
#include "lib/render/describe.h"

namespace tasker::render {

Drawing Draw(const tmpl::TaskTemplate& tmpl, const tmpl::StepGraph& graph) {
  Drawing drawing;
  const std::vector<std::string> path = Describe(tmpl).critical_path;
  std::set<std::pair<size_t, size_t>> critical_edges;
  std::set<size_t> critical_steps;
  std::unordered_map<std::string, size_t> system_index;
  for (size_t i = 0; i < path.size(); ++i) {
    critical_steps.insert(graph.Find(path[i]));
    if (i > 0) critical_edges.emplace(graph.Find(path[i - 1]), graph.Find(path[i]));
  }
  for (size_t i = 0; i < tmpl.steps.size(); ++i) {
    DrawnStep drawn{&tmpl.steps[i], tmpl.steps[i].system_dependency.value_or(tmpl.system_dependencies.primary)};
    const auto [known, fresh] = system_index.emplace(drawn.system, drawing.systems.size());
    drawn.system_index = known->second;
    if (fresh) drawing.systems.push_back(drawn.system);
    drawn.critical = critical_steps.contains(i);
    drawing.steps.push_back(std::move(drawn));
    for (const size_t dependency : graph.DependenciesOf(i)) {
      drawing.edges.push_back({dependency, i, critical_edges.contains({dependency, i})});
    }
  }
  return drawing;
}

std::string_view SystemColor(size_t system_index) {
  static constexpr std::array<std::string_view, 8> kColors = {"#cfe2f3", "#d9ead3", "#fff2cc", "#f4cccc",
                                                              "#d9d2e9", "#fce5cd", "#d0e0e3", "#ead1dc"};
  return kColors[system_index % kColors.size()];
}

std::string LabelText(std::string_view text, size_t bytes) { return base::OneLine(base::Shortened(text, bytes)); }

std::string TypeLabel(const tmpl::StepDefinition& step) {
  if (!step.type || *step.type == tmpl::StepType::kStandard) return "";
  std::string label(tmpl::StepTypeName(*step.type));
  std::replace(label.begin(), label.end(), '_', ' ');
  return label;
}

std::string EventsLabel(const tmpl::StepDefinition& step) {
  constexpr size_t kShown = 4;
  std::string label;
  for (size_t i = 0; i < std::min(step.publishes_events.size(), kShown); ++i) {
    label += i > 0 ? ", " : "→ ";
    label += LabelText(step.publishes_events[i].name, 60);
  }
  if (step.publishes_events.size() > kShown) label += ", …";
  return label;
}

}  // namespace tasker::render
