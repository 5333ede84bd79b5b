#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "lib/template/model.h"

namespace tasker::render {

/// What a step costs at most, in milliseconds. A step without timeout counts 0 ms for each attempt.
struct StepTiming {
  std::string step;
  uint32_t attempts = 1;           ///< retry.limit where it may retry, at least 1
  std::vector<uint64_t> waits_ms;  ///< between the attempts: attempts - 1 of them
  bool has_timeout = false;
  uint64_t best_ms = 0;   ///< the first attempt succeeds at the last moment
  uint64_t worst_ms = 0;  ///< every attempt runs into its timeout
};

/// How a template runs: in which order, how long at most, against which systems.
struct Description {
  std::vector<std::vector<std::string>> waves;       ///< steps that can run at once, in order; without steps on a cycle
  std::vector<std::string> critical_path;            ///< the chain that decides `worst_ms`
  uint64_t best_ms = 0;                              ///< along the slowest chain, when every first attempt succeeds
  uint64_t worst_ms = 0;                             ///< along the slowest chain, when every attempt is needed
  std::vector<std::string> untimed_steps;            ///< without timeout, so the durations are no bounds
  std::map<std::string, uint64_t> calls_per_system;  ///< attempts at most, by the steps' system
  std::vector<StepTiming> timings;                   ///< in the order of the template
};

/// Describes a template, resolved or not. Sums saturate at 2^64-1. Linear in steps and dependencies.
Description Describe(const tmpl::TaskTemplate& tmpl);

/// "2 m 30 s", "1.5 s", "0": for people.
std::string DurationText(uint64_t milliseconds);

}  // namespace tasker::render
