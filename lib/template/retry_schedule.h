#pragma once

#include <cstdint>
#include <vector>

#include "lib/template/model.h"

namespace tasker::tmpl {

/// The waits in milliseconds before attempts 1 to `attempts`, by the specification's formulas: none 0; linear base·n;
/// exponential base·2^(n−1); fibonacci base·fib(n) with fib(1) = fib(2) = 1. Base defaults to 1000; capped at
/// `max_backoff_ms` where present; saturates at 2^64−1. Linear in `attempts`; whether the step may retry at all is not
/// looked at.
std::vector<uint64_t> RetrySchedule(const RetryConfiguration& retry, uint32_t attempts);

}  // namespace tasker::tmpl
