#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "lib/base/display.h"
#include "lib/render/describe.h"
#include "lib/render/graph.h"
#include "lib/render/graph_model.h"

// Steps come in topological order, one line each. A lane (two columns) leads from a step down to the last step that
// depends on it; the line above a step shows which lanes end in it or branch off to it.

namespace tasker::render {
namespace {

constexpr size_t kFree = static_cast<size_t>(-1);
constexpr size_t kMaxLanes = 12;

// Which of its four sides a cell's lines reach.
enum Side : unsigned { kUp = 1, kDown = 2, kLeft = 4, kRight = 8 };

std::string_view Glyph(unsigned sides) {
  static constexpr std::array<std::string_view, 16> kGlyphs = {" ", "╵", "╷", "│", "╴", "╯", "╮", "┤",
                                                               "╶", "╰", "╭", "├", "─", "┴", "┬", "┼"};
  return kGlyphs[sides];
}

class Lanes {
 public:
  explicit Lanes(const tmpl::StepGraph& graph) : waiting_(graph.size()), graph_(graph) {
    for (size_t i = 0; i < graph.size(); ++i) waiting_[i] = graph.DependentsOf(i).size();
  }

  // Moves to `step`: the connector line above it (empty when nothing leads to it) and its own line up to the dot.
  std::pair<std::string, std::string> Advance(size_t step) {
    std::vector<bool> is_dependency(lanes_.size(), false), ends(lanes_.size(), false);
    for (size_t lane = 0; lane < lanes_.size(); ++lane) {
      const auto dependencies = graph_.DependenciesOf(step);
      if (lanes_[lane] == kFree) continue;
      is_dependency[lane] = std::find(dependencies.begin(), dependencies.end(), lanes_[lane]) != dependencies.end();
      if (is_dependency[lane]) ends[lane] = --waiting_[lanes_[lane]] == 0;
    }
    const size_t own = OwnLane(ends);
    const std::string connector = Connector(is_dependency, ends, own);
    for (size_t lane = 0; lane < ends.size(); ++lane) {
      if (ends[lane]) lanes_[lane] = kFree;
    }
    if (own == lanes_.size()) lanes_.push_back(kFree);
    std::string line;
    for (size_t lane = 0; lane < lanes_.size(); ++lane) {
      line += lane == own ? "●" : lanes_[lane] == kFree ? " " : "│";
      line += ' ';
    }
    lanes_[own] = waiting_[step] > 0 ? step : kFree;
    while (!lanes_.empty() && lanes_.back() == kFree) lanes_.pop_back();
    return {connector, line};
  }

  size_t count() const { return lanes_.size(); }

  // The lanes as they go on below the step.
  std::string Below() const {
    std::string line;
    for (const size_t lane : lanes_) line += lane == kFree ? "  " : "│ ";
    return line;
  }

 private:
  // The leftmost lane that ends here, else the leftmost free one.
  size_t OwnLane(const std::vector<bool>& ends) const {
    const auto ending = std::find(ends.begin(), ends.end(), true);
    if (ending != ends.end()) return static_cast<size_t>(ending - ends.begin());
    return static_cast<size_t>(std::find(lanes_.begin(), lanes_.end(), kFree) - lanes_.begin());
  }

  std::string Connector(const std::vector<bool>& is_dependency, const std::vector<bool>& ends, size_t own) const {
    if (std::find(is_dependency.begin(), is_dependency.end(), true) == is_dependency.end()) return "";
    size_t first = own, last = own;
    for (size_t lane = 0; lane < is_dependency.size(); ++lane) {
      if (!is_dependency[lane]) continue;
      first = std::min(first, lane);
      last = std::max(last, lane);
    }
    std::string line;
    for (size_t lane = 0; lane < std::max(lanes_.size(), own + 1); ++lane) {
      const bool occupied = lane < lanes_.size() && lanes_[lane] != kFree;
      const bool joins = lane == own || (lane < is_dependency.size() && is_dependency[lane]);
      const bool goes_on = lane == own || (occupied && !ends[lane]);
      unsigned sides = (occupied ? kUp : 0u) | (goes_on ? kDown : 0u);
      if (joins || !occupied)
        sides |= (lane > first && lane <= last ? kLeft : 0u) | (lane >= first && lane < last ? kRight : 0u);
      line += Glyph(sides);
      line += lane >= first && lane < last ? "─" : " ";
    }
    return line;
  }

  std::vector<size_t> lanes_;    // the step that each lane leads from, or kFree
  std::vector<size_t> waiting_;  // how many dependents of each step are still to come
  const tmpl::StepGraph& graph_;
};

// `text` cut to `columns`, with an ellipsis where it was longer.
std::string Cut(std::string_view text, size_t columns) {
  if (base::DisplayWidth(text) <= columns) return std::string(text);
  return std::string(base::DisplayPrefix(text, columns - 1)) + "…";
}

std::string StepText(const DrawnStep& drawn, const tmpl::StepGraph& graph, size_t step, bool with_dependencies,
                     const Drawing& drawing) {
  std::string out = fmt::format("{}  [{}]", LabelText(drawn.step->name), LabelText(drawn.system, 60));
  if (const std::string type = TypeLabel(*drawn.step); !type.empty()) out += fmt::format("  <{}>", type);
  if (drawn.step->timeout_seconds)
    out += fmt::format("  {}", DurationText(uint64_t{1000} * *drawn.step->timeout_seconds));
  if (with_dependencies) {
    std::string separator = "  after ";
    for (const size_t dependency : graph.DependenciesOf(step)) {
      out += std::exchange(separator, ", ") + LabelText(drawing.steps[dependency].step->name);
    }
  }
  return out;
}

// A line in the colour of the step's system, bold on the critical path.
std::string Painted(const std::string& text, const DrawnStep& drawn, bool color) {
  static constexpr std::array<int, 6> kColors = {36, 32, 33, 35, 34, 31};
  if (!color) return text;
  return fmt::format("\x1b[{}{}m{}\x1b[0m", drawn.critical ? "1;" : "", kColors[drawn.system_index % kColors.size()],
                     text);
}

// Columns that are left beside `beginning`; at least a few, so that a narrow terminal still shows something.
size_t Room(const TextGraphOptions& options, std::string_view beginning) {
  constexpr size_t kLeast = 10;
  const size_t used = base::DisplayWidth(beginning);
  return options.width > used + kLeast ? options.width - used : kLeast;
}

}  // namespace

std::string TextGraph(const tmpl::TaskTemplate& tmpl, TextGraphOptions options) {
  const tmpl::StepGraph graph(tmpl);
  const Drawing drawing = Draw(tmpl, graph);
  Lanes lanes(graph);
  std::string out;
  bool too_wide = false;  // many lanes say nothing any more: from there on, dependencies are named instead
  const auto append = [&](size_t step) {
    std::string connector, line = "● ", below = "  ";
    if (!too_wide) {
      std::tie(connector, line) = lanes.Advance(step);
      below = lanes.Below();
      too_wide = lanes.count() > kMaxLanes;
    }
    if (!connector.empty()) out += connector.substr(0, connector.find_last_not_of(' ') + 1) + "\n";
    const DrawnStep& drawn = drawing.steps[step];
    std::string text = (drawn.critical ? "*" : " ") + StepText(drawn, graph, step, too_wide, drawing);
    std::string events = EventsLabel(*drawn.step);
    const bool fits = base::DisplayWidth(text) + 2 + base::DisplayWidth(events) <= Room(options, line);
    if (fits && !events.empty()) text += "  " + std::exchange(events, "");
    out += line + Painted(Cut(text, Room(options, line)), drawn, options.color) + "\n";
    if (events.empty()) return;
    // Under the step's name, which begins three columns behind its lanes.
    below.resize(
        below.size() + base::DisplayWidth(line) - std::min(base::DisplayWidth(line), base::DisplayWidth(below)) + 3,
        ' ');
    out += below + Painted(Cut(events, Room(options, below)), drawn, options.color) + "\n";
  };
  for (const std::vector<size_t>& wave : graph.Waves()) std::for_each(wave.begin(), wave.end(), append);
  return out + "* on the critical path\n";
}

}  // namespace tasker::render
