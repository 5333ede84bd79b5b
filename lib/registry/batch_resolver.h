#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>

#include "lib/registry/resolver.h"
#include "tasker/registry/v1/resolver.pb.h"

namespace tasker::registry {

inline constexpr int kMaxBatchRequests = 100;
/// Of the answers of one batch together. What comes after is RESOURCE_EXHAUSTED, reason BATCH_ANSWER_TOO_LARGE.
inline constexpr size_t kMaxBatchAnswerBytes = size_t{32} << 20;

/// The encoded BatchResolveTemplatesResponse: for each request its answer, or the error that it would have got alone.
/// INVALID_ARGUMENT for more than kMaxBatchRequests. As much of it as is known comes from `resolver`'s memory. Safe to
/// call from any thread.
absl::StatusOr<AnswerBytes> BatchResolve(Resolver& resolver, const pb::BatchResolveTemplatesRequest& request,
                                         absl::Time deadline);

}  // namespace tasker::registry
