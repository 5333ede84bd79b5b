#include "client/options.h"

#include <absl/status/status.h>
#include <fmt/format.h>

namespace tasker::client {

absl::StatusOr<absl::Duration> ParseTimeout(std::string_view text) {
  const bool is_number = !text.empty() && text.find_first_not_of("0123456789.") == std::string_view::npos;
  absl::Duration timeout;
  const bool is_duration = absl::ParseDuration(std::string(text) + (is_number ? "s" : ""), &timeout);
  if (is_duration && timeout > absl::ZeroDuration() && timeout <= absl::Hours(24)) return timeout;
  return absl::InvalidArgumentError(
      fmt::format("'{}' is no timeout: write 10s, 500ms or 1m30s, more than none and at most 24h", text));
}

}  // namespace tasker::client
