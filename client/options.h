#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>
#include <string_view>

#include "client/library/server_options.h"

namespace tasker::client {

/// What every command takes.
struct CommonOptions {
  ServerOptions server;  ///< its servers are asked in their order, the next when one cannot be reached
  std::string output;    ///< the format asked for; "" the command's own
  bool no_color = false;
};

/// "10s", "500ms", "1m30s", or a plain number of seconds; more than none, at most a day. INVALID_ARGUMENT for anything
/// else.
absl::StatusOr<absl::Duration> ParseTimeout(std::string_view text);

}  // namespace tasker::client
