#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/template/model.h"

namespace tasker::tmpl {

/// Steps as a graph: edges from a step to those it depends on. Refers to the template, which must outlive it and must
/// not change. Building and each query are linear in steps and dependencies. Constant after construction.
class StepGraph {
 public:
  explicit StepGraph(const TaskTemplate& tmpl);

  size_t size() const { return dependencies_.size(); }

  /// The index of the (first) step of that name; npos when there is none.
  size_t Find(std::string_view step_name) const;
  static constexpr size_t npos = static_cast<size_t>(-1);

  /// Indices of the existing steps that step `i` depends on, without itself, each once, in the order written.
  std::span<const uint32_t> DependenciesOf(size_t i) const { return dependencies_[i]; }
  /// The other direction.
  std::span<const uint32_t> DependentsOf(size_t i) const { return dependents_[i]; }

  /// One shortest cycle of each strongly connected group of steps, as step indices, each cycle starting with its
  /// earliest step and following dependencies (a depends on the next). Empty when the graph has no cycle.
  /// "Shortest" is exact for groups of up to 1,000 steps and edges; in larger ones it is the shortest through the
  /// group's earliest step, so that the time stays linear.
  std::vector<std::vector<size_t>> Cycles() const;

  /// Execution waves: wave n holds the steps whose longest chain of dependencies has n steps. Steps on or behind a
  /// cycle are left out.
  std::vector<std::vector<size_t>> Waves() const;

 private:
  std::unordered_map<std::string_view, size_t> index_;
  std::vector<std::vector<uint32_t>> dependencies_;  // four bytes each, because hostile text has a million of them
  std::vector<std::vector<uint32_t>> dependents_;
};

}  // namespace tasker::tmpl
