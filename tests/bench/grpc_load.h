#pragma once

#include <memory>
#include <string>

#include "lib/registry/payload_check.h"
#include "lib/registry/resolver.h"

namespace tasker::bench {

/// The resolver service and an echo in one server on a free port, and a client that calls them over one connection.
class GrpcLoad {
 public:
  GrpcLoad(registry::Resolver& resolver, registry::PayloadCheck& payloads);
  ~GrpcLoad();

  /// `calls` calls with `depth` of them at once; ends the program when one fails. Gives `calls`.
  long Echo(long calls, int depth);
  long Resolve(const registry::pb::ResolveTemplateRequest& request, long calls, int depth);

  /// The 99th percentile of the latencies, in seconds, of `calls` calls one after the other.
  double ValidateP99(const registry::pb::ValidateTaskInputRequest& request, long calls);
  double EchoP99(const std::string& bytes, long calls);

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace tasker::bench
