#include "client/library/server_options.h"

#include <fmt/format.h>

namespace tasker::client {

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
    return absl::InvalidArgumentError("the TLS certificate and its key belong together: give both");
  }
  if (options.servers.empty()) return absl::InvalidArgumentError("no server is named");
  for (const std::string& server : options.servers) {
    if (server.empty()) return absl::InvalidArgumentError("an empty server is named; write HOST:PORT");
    if (server.find("://") != std::string::npos && !server.starts_with("unix:") && !server.starts_with("dns:")) {
      return absl::InvalidArgumentError(fmt::format("a server is HOST:PORT, not a URL like '{}'", server));
    }
    if (!options.token_file.empty() && !options.uses_tls() && !IsLocal(server)) {
      return absl::InvalidArgumentError(
          fmt::format("the token would travel readable to {}; use TLS with a token", server));
    }
  }
  return absl::OkStatus();
}

}  // namespace tasker::client
