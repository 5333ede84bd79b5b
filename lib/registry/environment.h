#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <string_view>

#include "lib/registry/error.h"

namespace tasker::registry {

/// INVALID_ARGUMENT for what cannot be an environment's name: over 255 bytes, or with a NUL.
inline absl::Status CheckEnvironment(std::string_view environment) {
  constexpr size_t kMaxBytes = 255;
  if (environment.size() > kMaxBytes) return InvalidField("environment", "is longer than 255 bytes");
  if (environment.find('\0') != std::string_view::npos) return InvalidField("environment", "holds the character NUL");
  return absl::OkStatus();
}

}  // namespace tasker::registry
