#pragma once

#include <grpcpp/impl/codegen/service_type.h>

#include <functional>
#include <memory>

#include "lib/registry/callable_checker.h"
#include "lib/registry/catalog.h"
#include "lib/registry/comparison.h"
#include "lib/registry/describer.h"
#include "lib/registry/lifecycle.h"
#include "lib/registry/payload_check.h"
#include "lib/registry/registrar.h"
#include "lib/registry/resolver.h"
#include "server/call.h"

/// The gRPC services. Each takes raw bytes for every method and hands them to a CallRunner; all that is thrown away
/// here is the wire. What they are given must outlive them.
namespace tasker::server {

class ArchiveStreams;
class JoinedResolves;
class WatchHub;

std::unique_ptr<grpc::Service> MakeRegistryService(CallRunner& runner, const registry::Registrar& registrar,
                                                   const registry::Lifecycle& lifecycle, ArchiveStreams& archives);
std::unique_ptr<grpc::Service> MakeResolverService(CallRunner& runner, registry::Resolver& resolver,
                                                   JoinedResolves& joined, registry::PayloadCheck& payloads,
                                                   const registry::CallableChecker& callables, WatchHub& watches);

/// What GetServerInfo says, filled by whoever knows; may ask the database.
using ServerInfo = std::function<absl::StatusOr<registry::pb::GetServerInfoResponse>(absl::Time deadline)>;
std::unique_ptr<grpc::Service> MakeCatalogService(CallRunner& runner, registry::Catalog& catalog,
                                                  const registry::Comparison& comparison,
                                                  registry::Describer& describer, store::Store& store, ServerInfo info);

}  // namespace tasker::server
