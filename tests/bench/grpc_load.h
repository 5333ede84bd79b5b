#pragma once

#include <memory>
#include <string>

#include "lib/registry/resolver.h"

namespace tasker::bench {

/// The resolver service and an echo in one server on a free port, and a client that calls them over one connection.
class GrpcLoad {
 public:
  explicit GrpcLoad(registry::Resolver& resolver);
  ~GrpcLoad();

  /// `calls` calls with `depth` of them at once; ends the program when one fails. Gives `calls`.
  long Echo(long calls, int depth);
  long Resolve(const registry::pb::ResolveTemplateRequest& request, long calls, int depth);

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace tasker::bench
