#pragma once

#include <absl/status/status.h>

#include <string_view>

namespace tasker::registry {

/// OK when `name` can name a channel: a name (DESIGN §5) that no other selector reads as, so neither "latest" nor
/// anything that begins with a digit. Otherwise INVALID_ARGUMENT about `field`.
absl::Status CheckChannelName(std::string_view field, std::string_view name);

}  // namespace tasker::registry
