#include "server/services.h"
#include "tasker/registry/v1/resolver.grpc.pb.h"

namespace tasker::server {
namespace {

namespace pb = ::tasker::registry::v1;
using Bytes = grpc::ByteBuffer;
using Context = grpc::CallbackServerContext;
using Reactor = grpc::ServerUnaryReactor;
using Raw = pb::ResolverService::WithRawCallbackMethod_ResolveTemplate<
    pb::ResolverService::WithRawCallbackMethod_ResolveHandler<pb::ResolverService::Service>>;

class ResolverService final : public Raw {
 public:
  ResolverService(CallRunner& runner, registry::Resolver& resolver) : runner_(runner), resolver_(resolver) {}

  Reactor* ResolveTemplate(Context* context, const Bytes* request, Bytes* response) override {
    return RunFast<pb::ResolveTemplateRequest>(resolve_template_, context, request, response);
  }

  Reactor* ResolveHandler(Context* context, const Bytes* request, Bytes* response) override {
    return RunFast<pb::ResolveHandlerRequest>(resolve_handler_, context, request, response);
  }

 private:
  template <typename Request>
  Reactor* RunFast(const Method& method, Context* context, const Bytes* request, Bytes* response) {
    return runner_.RunFast<Request>(
        method, context, request, response, [this](const Request& r) { return resolver_.Find(r); },
        [this](const Request& r, Call& call) { return resolver_.Resolve(r, call.deadline()); });
  }

  CallRunner& runner_;
  registry::Resolver& resolver_;
  const Method resolve_template_ = runner_.MakeMethod("ResolverService/ResolveTemplate");
  const Method resolve_handler_ = runner_.MakeMethod("ResolverService/ResolveHandler");
};

}  // namespace

std::unique_ptr<grpc::Service> MakeResolverService(CallRunner& runner, registry::Resolver& resolver) {
  return std::make_unique<ResolverService>(runner, resolver);
}

}  // namespace tasker::server
