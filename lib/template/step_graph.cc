#include "lib/template/step_graph.h"

#include <algorithm>
#include <utility>

namespace tasker::tmpl {
namespace {

constexpr size_t kExactSearchSize = 1000;  // steps and edges of a group up to which every start is tried

using Edges = std::vector<std::vector<uint32_t>>;

// Tarjan's strongly connected components without recursion, because a chain of 10,000 steps would overflow the stack.
std::vector<std::vector<size_t>> Components(const Edges& edges) {
  const size_t n = edges.size();
  constexpr size_t kUnseen = static_cast<size_t>(-1);
  std::vector<size_t> order(n, kUnseen), low(n, 0), stack;
  std::vector<bool> on_stack(n, false);
  std::vector<std::vector<size_t>> components;
  std::vector<std::pair<size_t, size_t>> calls;  // node and its next edge
  size_t next = 0;
  const auto enter = [&](size_t node) {
    order[node] = low[node] = next++;
    stack.push_back(node);
    on_stack[node] = true;
    calls.emplace_back(node, 0);
  };
  for (size_t start = 0; start < n; ++start) {
    if (order[start] != kUnseen) continue;
    enter(start);
    while (!calls.empty()) {
      auto& [node, edge] = calls.back();
      if (edge < edges[node].size()) {
        const size_t target = edges[node][edge++];
        if (order[target] == kUnseen) {
          enter(target);
        } else if (on_stack[target]) {
          low[node] = std::min(low[node], order[target]);
        }
        continue;
      }
      const size_t done = node;
      calls.pop_back();
      if (!calls.empty()) low[calls.back().first] = std::min(low[calls.back().first], low[done]);
      if (low[done] != order[done]) continue;
      std::vector<size_t> component;
      size_t member = 0;
      do {
        member = stack.back();
        stack.pop_back();
        on_stack[member] = false;
        component.push_back(member);
      } while (member != done);
      components.push_back(std::move(component));
    }
  }
  return components;
}

// A shortest path from `start` back to itself inside the component, by breadth-first search; empty when it would not be
// shorter than `bound`.
std::vector<size_t> ShortestCycleThrough(size_t start, const Edges& edges, const std::vector<size_t>& component_of,
                                         size_t bound, std::vector<size_t>& came_from, std::vector<size_t>& touched) {
  std::vector<size_t> level = {start};
  std::vector<size_t> cycle;
  for (size_t length = 1; length < bound && !level.empty() && cycle.empty(); ++length) {
    std::vector<size_t> next_level;
    for (const size_t node : level) {
      for (const size_t target : edges[node]) {
        if (target == start) {
          for (size_t at = node; at != start; at = came_from[at]) cycle.push_back(at);
          cycle.push_back(start);
          std::reverse(cycle.begin(), cycle.end());
          break;
        }
        if (component_of[target] != component_of[start] || came_from[target] != StepGraph::npos) continue;
        came_from[target] = node;
        touched.push_back(target);
        next_level.push_back(target);
      }
      if (!cycle.empty()) break;
    }
    level = std::move(next_level);
  }
  for (const size_t node : touched) came_from[node] = StepGraph::npos;
  touched.clear();
  return cycle;
}

}  // namespace

StepGraph::StepGraph(const TaskTemplate& tmpl) : dependencies_(tmpl.steps.size()), dependents_(tmpl.steps.size()) {
  index_.reserve(tmpl.steps.size());
  for (size_t i = 0; i < tmpl.steps.size(); ++i) index_.emplace(tmpl.steps[i].name, i);
  std::vector<size_t> last_seen(tmpl.steps.size(), npos);  // the latest step that lists this one: drops repetitions
  std::vector<size_t> dependent_counts(tmpl.steps.size(), 0);
  for (size_t i = 0; i < tmpl.steps.size(); ++i) {
    dependencies_[i].reserve(tmpl.steps[i].dependencies.size());
    for (const std::string& name : tmpl.steps[i].dependencies) {
      const size_t target = Find(name);
      if (target == npos || target == i || last_seen[target] == i) continue;
      last_seen[target] = i;
      dependencies_[i].push_back(static_cast<uint32_t>(target));
      ++dependent_counts[target];
    }
  }
  // Counted first, so that a million dependencies take no more memory than they need.
  for (size_t i = 0; i < tmpl.steps.size(); ++i) dependents_[i].reserve(dependent_counts[i]);
  for (size_t i = 0; i < tmpl.steps.size(); ++i) {
    for (const size_t target : dependencies_[i]) dependents_[target].push_back(static_cast<uint32_t>(i));
  }
}

size_t StepGraph::Find(std::string_view step_name) const {
  const auto found = index_.find(step_name);
  return found == index_.end() ? npos : found->second;
}

std::vector<std::vector<size_t>> StepGraph::Cycles() const {
  std::vector<std::vector<size_t>> groups = Components(dependencies_);
  std::vector<size_t> group_of(size(), 0);
  for (size_t g = 0; g < groups.size(); ++g) {
    for (const size_t node : groups[g]) group_of[node] = g;
  }
  std::vector<size_t> came_from(size(), npos), touched;
  std::vector<std::vector<size_t>> cycles;
  for (std::vector<size_t>& group : groups) {
    if (group.size() < 2) continue;
    std::sort(group.begin(), group.end());
    size_t weight = group.size();
    for (const size_t node : group) weight += dependencies_[node].size();
    const size_t starts = weight <= kExactSearchSize ? group.size() : 1;
    std::vector<size_t> best;
    for (size_t i = 0; i < starts; ++i) {
      const size_t bound = best.empty() ? group.size() + 1 : best.size();
      std::vector<size_t> cycle = ShortestCycleThrough(group[i], dependencies_, group_of, bound, came_from, touched);
      if (!cycle.empty()) best = std::move(cycle);
    }
    std::rotate(best.begin(), std::min_element(best.begin(), best.end()), best.end());
    cycles.push_back(std::move(best));
  }
  std::sort(cycles.begin(), cycles.end());
  return cycles;
}

std::vector<std::vector<size_t>> StepGraph::Waves() const {
  std::vector<size_t> missing(size());
  std::vector<size_t> wave;
  for (size_t i = 0; i < size(); ++i) {
    missing[i] = dependencies_[i].size();
    if (missing[i] == 0) wave.push_back(i);
  }
  std::vector<std::vector<size_t>> waves;
  while (!wave.empty()) {
    std::vector<size_t> next_wave;
    for (const size_t done : wave) {
      for (const size_t step : dependents_[done]) {
        if (--missing[step] == 0) next_wave.push_back(step);
      }
    }
    std::sort(next_wave.begin(), next_wave.end());
    waves.push_back(std::exchange(wave, std::move(next_wave)));
  }
  return waves;
}

}  // namespace tasker::tmpl
