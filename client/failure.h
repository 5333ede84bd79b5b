#pragma once

#include <absl/status/status.h>

#include "client/exit_code.h"

namespace tasker::client {

/// Says why a call failed, with what the server says of single fields, and gives the exit code: kUnreachable for
/// UNAVAILABLE and DEADLINE_EXCEEDED, kRefused for all else. REQUIRES: !status.ok().
ExitCode PrintFailure(const absl::Status& status);

/// Says what is wrong with the options that RegistryClient::Create refused, and gives kUsage.
ExitCode PrintOptionProblem(const absl::Status& status);

}  // namespace tasker::client
