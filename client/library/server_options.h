#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <string>
#include <string_view>
#include <vector>

namespace tasker::client {

/// Where the registry is and how to talk to it.
struct ServerOptions {
  std::vector<std::string> servers{"localhost:50051"};  ///< HOST:PORT each
  absl::Duration timeout = absl::Seconds(10);           ///< of one call, its repetitions included
  bool tls = false;                                     ///< any of the three files below asks for TLS, too
  std::string tls_ca;                                   ///< PEM file of the authorities to trust; "" the system's
  std::string tls_cert;                                 ///< PEM file of the client's certificate chain; "" none
  std::string tls_key;                                  ///< PEM file of its key
  std::string token_file;                               ///< file of the bearer token, read for each call; "" none

  bool uses_tls() const { return tls || !tls_ca.empty() || !tls_cert.empty() || !tls_key.empty(); }
};

/// `server` with the default port where it names none: gRPC would take 443.
std::string WithPort(std::string server);

/// Whether `server` is this machine: localhost, a loopback address, or a unix socket.
bool IsLocal(std::string_view server);

/// INVALID_ARGUMENT when options contradict each other: a certificate without its key, a token that would travel
/// readable through a network.
absl::Status CheckServerOptions(const ServerOptions& options);

}  // namespace tasker::client
