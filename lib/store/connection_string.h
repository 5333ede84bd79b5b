#pragma once

#include <absl/status/statusor.h>

#include <string>

namespace tasker::store {

/// `database_url` (libpq URL or key words) as key words, completed where the user left it open: a connect timeout and
/// TCP keepalives, so that a dead host costs seconds, not minutes; the primary, when several hosts are named.
/// INVALID_ARGUMENT when libpq cannot read it; the message does not quote it.
absl::StatusOr<std::string> CompleteConnectionString(const std::string& database_url);

/// `value` quoted as libpq's key words want it.
std::string QuoteConnectionValue(const std::string& value);

}  // namespace tasker::store
