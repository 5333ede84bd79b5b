#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "lib/template/model.h"

namespace tasker::render {

/// Drawings of a template's steps: dependencies as arrows, systems by colour, step types by shape, published events,
/// the critical path highlighted. Text of the template is only text in every format: nothing in a name can end a
/// string, open a tag or add an edge. Steps that depend on steps which do not exist are drawn without that arrow.
///
/// A Mermaid flowchart: https://mermaid.js.org/syntax/flowchart.html
std::string Mermaid(const tmpl::TaskTemplate& tmpl);

/// A Graphviz graph: https://graphviz.org/doc/info/lang.html
std::string Dot(const tmpl::TaskTemplate& tmpl);

/// The same, laid out by Graphviz's library. RESOURCE_EXHAUSTED beyond the bounds below, because layout time grows
/// faster than the graph; within them it is a second of processor time at most. Graphviz is not thread-safe, so calls
/// wait for each other.
absl::StatusOr<std::string> Svg(const tmpl::TaskTemplate& tmpl);
inline constexpr size_t kMaxSvgSteps = 300;
/// Of all arrows together, counted in waves: an arrow from one wave to the next has length 1. Measured with Graphviz
/// 2.43: 0.5 s for 5,000, 1 s for 8,000.
inline constexpr size_t kMaxSvgArrowLength = 6000;

struct TextGraphOptions {
  size_t width = 80;   ///< columns; longer lines are cut
  bool color = false;  ///< ANSI colours for systems and the critical path
};

/// A drawing for the terminal: one line a step, with lanes that lead from a step to those that depend on it.
std::string TextGraph(const tmpl::TaskTemplate& tmpl, TextGraphOptions options = {});

}  // namespace tasker::render
