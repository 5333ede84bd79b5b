#pragma once

#include <absl/time/time.h>

#include <cstddef>

namespace tasker::client {

/// How long to wait before try number `failures` + 1: `first`, doubled for each failure up to `longest`, of which a
/// random part between half and all, so that clients that failed together do not come back together. Any thread.
absl::Duration Backoff(size_t failures, absl::Duration first, absl::Duration longest);

}  // namespace tasker::client
