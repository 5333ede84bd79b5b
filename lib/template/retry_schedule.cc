#include "lib/template/retry_schedule.h"

#include <algorithm>
#include <limits>

namespace tasker::tmpl {
namespace {

constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
constexpr uint64_t kDefaultBaseMs = 1000;

uint64_t Add(uint64_t a, uint64_t b) { return a > kMost - b ? kMost : a + b; }

}  // namespace

std::vector<uint64_t> RetrySchedule(const RetryConfiguration& retry, uint32_t attempts) {
  const uint64_t base = retry.backoff_base_ms.value_or(kDefaultBaseMs);
  const uint64_t cap = retry.max_backoff_ms.value_or(kMost);
  std::vector<uint64_t> waits;
  waits.reserve(attempts);
  uint64_t wait = base;
  uint64_t before = 0;  // the Fibonacci wait one attempt earlier
  for (uint32_t n = 0; n < attempts; ++n) {
    if (retry.backoff == BackoffStrategy::kNone) {
      waits.push_back(0);
      continue;
    }
    waits.push_back(std::min(wait, cap));
    const uint64_t last = wait;
    switch (retry.backoff) {
      case BackoffStrategy::kNone:
        break;
      case BackoffStrategy::kLinear:
        wait = Add(wait, base);
        break;
      case BackoffStrategy::kExponential:
        wait = Add(wait, wait);
        break;
      case BackoffStrategy::kFibonacci:
        wait = Add(wait, before);
        break;
    }
    before = last;
  }
  return waits;
}

}  // namespace tasker::tmpl
