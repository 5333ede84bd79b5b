#include "lib/render/describe.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "lib/template/retry_schedule.h"
#include "lib/template/step_graph.h"

namespace tasker::render {
namespace {

constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();

uint64_t Add(uint64_t a, uint64_t b) { return a > kMost - b ? kMost : a + b; }
uint64_t Multiply(uint64_t a, uint64_t b) { return b != 0 && a > kMost / b ? kMost : a * b; }

StepTiming TimingOf(const tmpl::StepDefinition& step, const std::string& name) {
  StepTiming timing;
  timing.step = name;
  timing.attempts = step.retry.retryable ? std::max(step.retry.limit, 1u) : 1;
  timing.waits_ms = tmpl::RetrySchedule(step.retry, timing.attempts - 1);
  timing.has_timeout = step.timeout_seconds.has_value();
  timing.best_ms = uint64_t{1000} * step.timeout_seconds.value_or(0);
  timing.worst_ms = Multiply(timing.best_ms, timing.attempts);
  for (const uint64_t wait : timing.waits_ms) timing.worst_ms = Add(timing.worst_ms, wait);
  return timing;
}

// The slowest chain that ends in each step, by the cost that `cost_of` gives a step.
struct Chain {
  uint64_t cost = 0;
  size_t steps = 0;
  size_t before = tmpl::StepGraph::npos;
};

template <typename CostOf>
std::vector<Chain> SlowestChains(const tmpl::StepGraph& graph, const std::vector<std::vector<size_t>>& waves,
                                 CostOf cost_of) {
  std::vector<Chain> chains(graph.size());
  for (const std::vector<size_t>& wave : waves) {
    for (const size_t step : wave) {
      Chain& chain = chains[step];
      for (const size_t dependency : graph.DependenciesOf(step)) {
        const Chain& candidate = chains[dependency];
        const bool slower = std::pair(candidate.cost, candidate.steps) > std::pair(chain.cost, chain.steps);
        if (chain.before != tmpl::StepGraph::npos && !slower) continue;
        chain = {candidate.cost, candidate.steps, dependency};
      }
      chain.cost = Add(chain.cost, cost_of(step));
      chain.steps += 1;
    }
  }
  return chains;
}

size_t Slowest(const std::vector<Chain>& chains) {
  const auto slower = [](const Chain& a, const Chain& b) {
    return std::pair(a.cost, a.steps) < std::pair(b.cost, b.steps);
  };
  return static_cast<size_t>(std::max_element(chains.begin(), chains.end(), slower) - chains.begin());
}

}  // namespace

Description Describe(const tmpl::TaskTemplate& tmpl) {
  Description out;
  for (const tmpl::StepDefinition& step : tmpl.steps) {
    out.timings.push_back(TimingOf(step, step.name));
    if (!step.timeout_seconds) out.untimed_steps.push_back(step.name);
    uint64_t& calls = out.calls_per_system[step.system_dependency.value_or(tmpl.system_dependencies.primary)];
    calls = Add(calls, out.timings.back().attempts);
  }
  const tmpl::StepGraph graph(tmpl);
  const std::vector<std::vector<size_t>> waves = graph.Waves();
  for (const std::vector<size_t>& wave : waves) {
    std::vector<std::string>& names = out.waves.emplace_back();
    for (const size_t step : wave) names.push_back(tmpl.steps[step].name);
  }
  if (waves.empty()) return out;
  const auto best = SlowestChains(graph, waves, [&](size_t step) { return out.timings[step].best_ms; });
  const auto worst = SlowestChains(graph, waves, [&](size_t step) { return out.timings[step].worst_ms; });
  out.best_ms = best[Slowest(best)].cost;
  out.worst_ms = worst[Slowest(worst)].cost;
  for (size_t step = Slowest(worst); step != tmpl::StepGraph::npos; step = worst[step].before) {
    out.critical_path.push_back(tmpl.steps[step].name);
  }
  std::reverse(out.critical_path.begin(), out.critical_path.end());
  return out;
}

std::string DurationText(uint64_t milliseconds) {
  if (milliseconds == 0) return "0";
  if (milliseconds < 1000) return fmt::format("{} ms", milliseconds);
  if (milliseconds < 60'000) {
    const double seconds = static_cast<double>(milliseconds) / 1000;
    return fmt::format("{:g} s", seconds);
  }
  const uint64_t seconds = milliseconds / 1000;
  const uint64_t minutes = seconds / 60;
  if (minutes < 60) {
    return seconds % 60 == 0 ? fmt::format("{} m", minutes) : fmt::format("{} m {} s", minutes, seconds % 60);
  }
  const uint64_t hours = minutes / 60;
  if (hours < 24) return minutes % 60 == 0 ? fmt::format("{} h", hours) : fmt::format("{} h {} m", hours, minutes % 60);
  return hours % 24 == 0 ? fmt::format("{} d", hours / 24) : fmt::format("{} d {} h", hours / 24, hours % 24);
}

}  // namespace tasker::render
