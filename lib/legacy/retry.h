#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lib/legacy/block.h"

/// Private to lib/legacy.
namespace tasker::legacy {

/// What one step, or one override of it, says about retrying. Absent: it says nothing.
struct Retry {
  std::optional<bool> retryable;
  std::optional<uint64_t> limit;
  std::optional<std::string> backoff;
  std::optional<uint64_t> base_ms;
  std::optional<uint64_t> max_ms;
  JsonObject extensions;
  /// From `default_retry_limit` and its like, whose defaults the old runtime filled in; not from a `retry` block.
  bool flat = false;

  bool empty() const { return !retryable && !limit && !backoff && !base_ms && !max_ms && extensions.empty(); }
  /// Every one of the named fields is there.
  bool complete() const { return retryable && limit && backoff && base_ms && max_ms; }
};

/// Takes `retry` and every old key about retrying from a step or an override.
Retry TakeRetry(Block& step);

/// What a step that says `retry` does: the same with all defaults in place.
Retry WithDefaults(Retry retry);

/// `base` with what `over` says in its stead.
Retry Overlaid(Retry base, const Retry& over);

/// The `retry` block: the fields that are there, in the specification's order.
JsonObject RetryJson(const Retry& retry);

}  // namespace tasker::legacy
