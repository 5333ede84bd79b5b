#include <absl/status/status.h>
#include <fmt/format.h>
#include <graphviz/gvc.h>

#include <mutex>
#include <utility>
#include <vector>

#include "lib/render/graph.h"
#include "lib/render/graph_model.h"

namespace tasker::render {
namespace {

// A double-quoted DOT string: backslashes start escapes there (\N is the node's name), so both are escaped.
std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : LabelText(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// Several lines of a label; only the "\n" between them is an escape.
std::string QuotedLines(const std::vector<std::string>& lines) {
  std::string out = "\"";
  for (const std::string& line : lines) {
    if (line.empty()) continue;
    if (out.size() > 1) out += "\\n";
    const std::string quoted = Quoted(line);
    out.append(quoted, 1, quoted.size() - 2);
  }
  return out + "\"";
}

std::string_view Shape(const tmpl::StepDefinition& step) {
  switch (step.type.value_or(tmpl::StepType::kStandard)) {
    case tmpl::StepType::kStandard:
      return "box";
    case tmpl::StepType::kDecision:
      return "diamond";
    case tmpl::StepType::kDeferredConvergence:
      return "oval";
    case tmpl::StepType::kBatchable:
      return "box, peripheries=2";  // as Mermaid's [[…]]
    case tmpl::StepType::kBatchWorker:
      return "parallelogram";
  }
  return "box";
}

// Steps stand in rows by wave, and every row that an arrow crosses costs the layout a node.
size_t ArrowLength(const tmpl::StepGraph& graph) {
  std::vector<size_t> row(graph.size(), 0);
  const auto waves = graph.Waves();
  for (size_t wave = 0; wave < waves.size(); ++wave) {
    for (const size_t step : waves[wave]) row[step] = wave;
  }
  size_t length = 0;
  for (size_t step = 0; step < graph.size(); ++step) {
    for (const size_t dependency : graph.DependenciesOf(step)) {
      length += row[step] > row[dependency] ? row[step] - row[dependency] : 1;
    }
  }
  return length;
}

}  // namespace

std::string Dot(const tmpl::TaskTemplate& tmpl) {
  const tmpl::StepGraph graph(tmpl);
  const Drawing drawing = Draw(tmpl, graph);
  std::string out = fmt::format("digraph {} {{\n", Quoted(tmpl.name));
  out += "  charset=\"UTF-8\";\n  node [style=\"filled,rounded\", fontname=\"Helvetica\", fontsize=11];\n";
  for (size_t i = 0; i < drawing.steps.size(); ++i) {
    const DrawnStep& drawn = drawing.steps[i];
    const std::string label =
        QuotedLines({drawn.step->name, drawn.system, TypeLabel(*drawn.step), EventsLabel(*drawn.step)});
    out += fmt::format("  s{} [label={}, shape={}, fillcolor=\"{}\"{}];\n", i, label, Shape(*drawn.step),
                       SystemColor(drawn.system_index), drawn.critical ? ", color=\"#b00020\", penwidth=2" : "");
  }
  for (const DrawnEdge& edge : drawing.edges) {
    out +=
        fmt::format("  s{} -> s{}{};\n", edge.from, edge.to, edge.critical ? " [color=\"#b00020\", penwidth=2]" : "");
  }
  return out + "}\n";
}

absl::StatusOr<std::string> Svg(const tmpl::TaskTemplate& tmpl) {
  const tmpl::StepGraph graph(tmpl);
  const size_t arrows = ArrowLength(graph);
  if (graph.size() > kMaxSvgSteps || arrows > kMaxSvgArrowLength) {
    return absl::ResourceExhaustedError(fmt::format(
        "an SVG is drawn for at most {} steps and arrows of the length {}, and the template has {} and {}; take the "
        "DOT or Mermaid form instead",
        kMaxSvgSteps, kMaxSvgArrowLength, graph.size(), arrows));
  }
  const std::string dot = Dot(tmpl);
  static std::mutex graphviz_mutex;
  const std::lock_guard lock(graphviz_mutex);
  static GVC_t* const context = gvContext();  // lives as long as the process; making one reads all plugins
  Agraph_t* const parsed = agmemread(dot.c_str());
  if (parsed == nullptr) return absl::InternalError("Graphviz does not read the graph");
  // Bounds on the iterations of the layout, as multiples of the number of nodes: without them a graph of 60 steps and
  // 1,200 arrows takes minutes. https://graphviz.org/docs/attrs/nslimit/
  constexpr std::pair<const char*, const char*> kBounds[] = {{"nslimit", "1"}, {"nslimit1", "1"}, {"mclimit", "0.3"}};
  for (const auto& [name, value] : kBounds) {
    agattr(parsed, AGRAPH, const_cast<char*>(name), const_cast<char*>(value));  // it copies both
  }
  char* data = nullptr;
  unsigned int length = 0;
  const bool drawn = gvLayout(context, parsed, "dot") == 0 && gvRenderData(context, parsed, "svg", &data, &length) == 0;
  std::string svg = drawn ? std::string(data, length) : std::string();
  if (data != nullptr) gvFreeRenderData(data);
  gvFreeLayout(context, parsed);
  agclose(parsed);
  if (!drawn) return absl::InternalError("Graphviz does not lay the graph out");
  return svg;
}

}  // namespace tasker::render
