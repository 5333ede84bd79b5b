#include "lib/template/model.h"

#include <array>
#include <utility>

namespace tasker::tmpl {
namespace {

constexpr std::array<std::pair<BackoffStrategy, std::string_view>, 4> kBackoffs{{
    {BackoffStrategy::kNone, "none"},
    {BackoffStrategy::kLinear, "linear"},
    {BackoffStrategy::kExponential, "exponential"},
    {BackoffStrategy::kFibonacci, "fibonacci"},
}};

constexpr std::array<std::pair<StepType, std::string_view>, 5> kStepTypes{{
    {StepType::kStandard, "standard"},
    {StepType::kDecision, "decision"},
    {StepType::kDeferredConvergence, "deferred_convergence"},
    {StepType::kBatchable, "batchable"},
    {StepType::kBatchWorker, "batch_worker"},
}};

template <typename Enum, size_t N>
std::optional<Enum> Find(const std::array<std::pair<Enum, std::string_view>, N>& table, std::string_view word) {
  for (const auto& [value, name] : table) {
    if (name == word) return value;
  }
  return std::nullopt;
}

}  // namespace

RetryConfiguration DefaultRetry() {
  RetryConfiguration retry;
  retry.backoff_base_ms = 1000;
  retry.max_backoff_ms = 30000;
  return retry;
}

std::string_view BackoffName(BackoffStrategy backoff) { return kBackoffs[static_cast<size_t>(backoff)].second; }
std::optional<BackoffStrategy> ParseBackoff(std::string_view word) { return Find(kBackoffs, word); }
std::string_view StepTypeName(StepType type) { return kStepTypes[static_cast<size_t>(type)].second; }
std::optional<StepType> ParseStepType(std::string_view word) { return Find(kStepTypes, word); }

}  // namespace tasker::tmpl
