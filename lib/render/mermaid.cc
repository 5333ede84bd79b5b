#include <fmt/format.h>

#include "lib/render/graph.h"
#include "lib/render/graph_model.h"

namespace tasker::render {
namespace {

// Inside a quoted label Mermaid interprets quotes, HTML and its own #…; entities: each such character goes as a numeric
// entity, and everything else stays readable.
std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : LabelText(text)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' ||
                       c == '_' || c == '.' || c == ',' || c == '-' || c == ':' ||
                       static_cast<unsigned char>(c) >= 0x80;
    out += plain ? std::string(1, c) : fmt::format("#{};", static_cast<int>(c));
  }
  return out;
}

std::pair<std::string_view, std::string_view> Brackets(const tmpl::StepDefinition& step) {
  switch (step.type.value_or(tmpl::StepType::kStandard)) {
    case tmpl::StepType::kStandard:
      return {"[", "]"};
    case tmpl::StepType::kDecision:
      return {"{", "}"};
    case tmpl::StepType::kDeferredConvergence:
      return {"([", "])"};
    case tmpl::StepType::kBatchable:
      return {"[[", "]]"};
    case tmpl::StepType::kBatchWorker:
      return {"[/", "/]"};
  }
  return {"[", "]"};
}

}  // namespace

std::string Mermaid(const tmpl::TaskTemplate& tmpl) {
  const tmpl::StepGraph graph(tmpl);
  const Drawing drawing = Draw(tmpl, graph);
  std::string out = "flowchart TD\n";
  for (size_t i = 0; i < drawing.steps.size(); ++i) {
    const DrawnStep& drawn = drawing.steps[i];
    std::string label = fmt::format("{}<br/>{}", Escaped(drawn.step->name), Escaped(drawn.system));
    if (const std::string type = TypeLabel(*drawn.step); !type.empty()) label += "<br/>" + Escaped(type);
    if (const std::string events = EventsLabel(*drawn.step); !events.empty()) label += "<br/>" + Escaped(events);
    const auto [open, close] = Brackets(*drawn.step);
    out += fmt::format("  s{}{}\"{}\"{}:::system{}\n", i, open, label, close, drawn.system_index);
    if (drawn.critical) out += fmt::format("  style s{} stroke:#b00020,stroke-width:3px\n", i);
  }
  for (size_t i = 0; i < drawing.edges.size(); ++i) {
    const DrawnEdge& edge = drawing.edges[i];
    out += fmt::format("  s{} {} s{}\n", edge.from, edge.critical ? "==>" : "-->", edge.to);
  }
  for (size_t i = 0; i < drawing.systems.size(); ++i) {
    out += fmt::format("  classDef system{} fill:{},stroke:#444,color:#000\n", i, SystemColor(i));
  }
  return out;
}

}  // namespace tasker::render
