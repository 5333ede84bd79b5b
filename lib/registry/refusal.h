#pragma once

#include <absl/status/status.h>

#include <span>
#include <string>
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

/// A violation for each item that cannot be registered; reason and metadata ("reference", "digest" and "stored_digest")
/// are the first one's:
///   ALREADY_EXISTS       VERSION_EXISTS: it is registered with other content;
///                        VERSION_PURGED: it was purged, with other content;
///   FAILED_PRECONDITION  VERSION_YANKED: a channel is to point at it, and it is yanked.
/// `differences` has, for each item, the lines that say what differs from what is registered; empty where that was not
/// looked up. REQUIRES: stored.conflict.
absl::Status RefuseConflicts(std::span<const CheckedSource> checked, const store::RegisterResult& stored,
                             std::span<const std::vector<std::string>> differences, bool batch);

/// "sources[7].steps[2].name", or "source.steps[2].name" where it is no batch, of the pointer "/steps/2/name".
std::string FieldOf(size_t item, bool batch, std::string_view pointer, std::string_view source = "source");

}  // namespace tasker::registry
