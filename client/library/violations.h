#pragma once

#include <absl/status/status.h>

#include <string>
#include <vector>

namespace tasker::client {

/// What a failed call says of single fields of the request (google.rpc.BadRequest): "FIELD: what is wrong with it".
std::vector<std::string> Violations(const absl::Status& status);

}  // namespace tasker::client
