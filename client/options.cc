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

std::string WithPort(std::string server) {
  const bool has_none = server.find(':') == std::string::npos || server.ends_with(']');
  if (has_none && !server.empty()) server += ":50051";
  return server;
}

bool IsLocal(std::string_view server) {
  for (const std::string_view prefix : {"localhost:", "127.", "[::1]:", "unix:", "ipv4:127.", "ipv6:[::1]"}) {
    if (server.starts_with(prefix)) return true;
  }
  return false;
}

absl::Status CheckServerOptions(const ServerOptions& options) {
  if (options.tls_cert.empty() != options.tls_key.empty()) {
    return absl::InvalidArgumentError("--tls-cert and --tls-key belong together: give both");
  }
  if (options.servers.empty()) return absl::InvalidArgumentError("--server names no server");
  for (const std::string& server : options.servers) {
    if (server.empty()) return absl::InvalidArgumentError("--server names an empty server; write HOST:PORT");
    if (server.find("://") != std::string::npos && !server.starts_with("unix:") && !server.starts_with("dns:")) {
      return absl::InvalidArgumentError(fmt::format("--server takes HOST:PORT, not a URL like '{}'", server));
    }
    if (!options.token_file.empty() && !options.uses_tls() && !IsLocal(server)) {
      return absl::InvalidArgumentError(
          fmt::format("the token would travel readable to {}; use --tls with --token-file", server));
    }
  }
  return absl::OkStatus();
}

}  // namespace tasker::client
