#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/template/model.h"
#include "lib/template/step_graph.h"

/// What all drawings have in common. Private to lib/render.
namespace tasker::render {

struct DrawnStep {
  const tmpl::StepDefinition* step;
  std::string system;       ///< its own, or the template's primary one
  size_t system_index = 0;  ///< for its colour: the order in which systems appear
  bool critical = false;    ///< on the critical path
};

struct DrawnEdge {
  size_t from;  ///< the dependency
  size_t to;    ///< the step that waits for it
  bool critical = false;
};

struct Drawing {
  std::vector<DrawnStep> steps;
  std::vector<DrawnEdge> edges;
  std::vector<std::string> systems;  ///< in the order of their colours
};

Drawing Draw(const tmpl::TaskTemplate& tmpl, const tmpl::StepGraph& graph);

/// Fill colours of systems, light enough for black text; used in turn.
std::string_view SystemColor(size_t system_index);

/// `text` without control characters and cut to `bytes`: what a label may show.
std::string LabelText(std::string_view text, size_t bytes = 120);

/// "batch_worker" with blanks: "batch worker". Empty for standard steps.
std::string TypeLabel(const tmpl::StepDefinition& step);

/// "→ " and the names of the events that a step publishes, at most four and then "…"; "" when there are none.
std::string EventsLabel(const tmpl::StepDefinition& step);

}  // namespace tasker::render
