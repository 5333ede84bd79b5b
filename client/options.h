#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>
#include <string_view>
#include <vector>

namespace tasker::client {

/// Where the server is and how to talk to it.
struct ServerOptions {
  std::vector<std::string> servers{"localhost:50051"};  ///< asked in this order, the next when one cannot be reached
  absl::Duration timeout = absl::Seconds(10);           ///< of one call
  bool tls = false;                                     ///< any of the three files below asks for TLS, too
  std::string tls_ca;                                   ///< PEM file of the authorities to trust; "" the system's
  std::string tls_cert;                                 ///< PEM file of the client's certificate chain; "" none
  std::string tls_key;                                  ///< PEM file of its key
  std::string token_file;                               ///< file of the bearer token; "" none

  bool uses_tls() const { return tls || !tls_ca.empty() || !tls_cert.empty() || !tls_key.empty(); }
};

/// What every command takes.
struct CommonOptions {
  ServerOptions server;
  std::string output;  ///< the format asked for; "" the command's own
  bool no_color = false;
};

/// "10s", "500ms", "1m30s", or a plain number of seconds; more than none, at most a day. INVALID_ARGUMENT for anything
/// else.
absl::StatusOr<absl::Duration> ParseTimeout(std::string_view text);

/// `server` with the default port where it names none: gRPC would take 443.
std::string WithPort(std::string server);

/// Whether `server` is this machine: localhost, a loopback address, or a unix socket.
bool IsLocal(std::string_view server);

/// INVALID_ARGUMENT when options contradict each other: a certificate without its key, a token that would travel
/// readable through a network.
absl::Status CheckServerOptions(const ServerOptions& options);

}  // namespace tasker::client
