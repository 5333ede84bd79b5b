#include "client/library/backoff.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace tasker::client {

absl::Duration Backoff(size_t failures, absl::Duration first, absl::Duration longest) {
  thread_local std::minstd_rand random{std::random_device()()};
  constexpr size_t kMostDoublings = 30;  // beyond, 2^n times any wait is longer than any limit
  const double doublings = static_cast<double>(std::min(failures, kMostDoublings));
  return std::min(longest, first * std::exp2(doublings)) * std::uniform_real_distribution<double>(0.5, 1.0)(random);
}

}  // namespace tasker::client
