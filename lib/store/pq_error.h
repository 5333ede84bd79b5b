#pragma once

#include <absl/status/status.h>

#include <stdexcept>
#include <string_view>

namespace tasker::store {

/// What a failed call means for the connection and for the caller.
struct PqError {
  absl::Status status;             ///< for the caller; never the driver's text
  bool connection_broken = false;  ///< close it
  bool may_retry = false;          ///< PostgreSQL rolled it back because of other transactions: run it again
};

/// A text parameter that PostgreSQL cannot hold; libpqxx 6 would cut it silently.
struct NulInText : std::invalid_argument {
  NulInText() : std::invalid_argument("NUL byte in a text parameter") {}
};

/// Maps the exception being handled (call it inside `catch (...)`), and writes its full text to the log under the name
/// `what`. The only place that knows libpqxx's exceptions.
PqError ErrorFromCurrentException(std::string_view what);

}  // namespace tasker::store
