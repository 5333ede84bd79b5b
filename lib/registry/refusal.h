#pragma once

#include <absl/status/status.h>

#include <span>
#include <string_view>
#include <vector>

#include "lib/registry/checked_source.h"
#include "lib/store/records.h"

namespace tasker::registry {

/// OK when no source has errors. Otherwise INVALID_ARGUMENT, reason TEMPLATE_INVALID: the message is the first error
/// as a compiler would print it, the violations are the first errors of all sources (fields "source.steps[2].name", in
/// a batch "sources[7].steps[2].name"), metadata "error_count" counts them all, and "invalid_count" the sources.
/// `field` is how a request that is no batch calls its source.
absl::Status RefuseInvalid(const Sources& sources, std::span<const CheckedSource> checked, bool batch,
                           std::string_view field = "source");

/// ALREADY_EXISTS, reason VERSION_EXISTS, with a violation for each conflict; metadata "reference", "digest" and
/// "stored_digest" are those of the first. `differences` has, for each item, the lines that say what differs from what
/// is registered; empty where that was not looked up. REQUIRES: stored.conflict.
absl::Status RefuseConflicts(std::span<const CheckedSource> checked, const store::RegisterResult& stored,
                             std::span<const std::vector<std::string>> differences, bool batch);

/// "payments/refund:1.0.0 is registered with other content: steps[a].retry.limit …: 3 -> 5; a version never changes …":
/// what both RefuseConflicts and ValidateTemplate say.
std::string ConflictMessage(const CheckedSource& checked, std::span<const std::string> difference);

}  // namespace tasker::registry
