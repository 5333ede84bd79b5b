#pragma once

#include <absl/status/statusor.h>
#include <grpcpp/impl/codegen/service_type.h>
#include <grpcpp/server.h>

#include <memory>
#include <string>
#include <vector>

#include "server/options.h"

namespace tasker::server {

struct Listening {
  std::unique_ptr<grpc::Server> server;
  std::string address;  ///< host:port, the actual one
};

/// Binds the options' address and serves `services` there, with health and reflection. UNAVAILABLE when the address
/// cannot be bound, INVALID_ARGUMENT for TLS files that cannot be read. The services must outlive the server.
absl::StatusOr<Listening> Listen(const Options& options, const std::vector<grpc::Service*>& services);

}  // namespace tasker::server
