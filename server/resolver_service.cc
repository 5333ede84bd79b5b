#include "lib/registry/batch_resolver.h"
#include "server/joined_resolves.h"
#include "server/services.h"
#include "server/watch.h"
#include "tasker/registry/v1/resolver.grpc.pb.h"

namespace tasker::server {
namespace {

namespace pb = ::tasker::registry::v1;
using Bytes = grpc::ByteBuffer;
using Context = grpc::CallbackServerContext;
using Reactor = grpc::ServerUnaryReactor;
using Raw = RawMethods<pb::ResolverService::Service, pb::ResolverService::WithRawCallbackMethod_ResolveTemplate,
                       pb::ResolverService::WithRawCallbackMethod_ResolveHandler,
                       pb::ResolverService::WithRawCallbackMethod_BatchResolveTemplates,
                       pb::ResolverService::WithRawCallbackMethod_ValidateTaskInput,
                       pb::ResolverService::WithRawCallbackMethod_ValidateEventPayload,
                       pb::ResolverService::WithRawCallbackMethod_CheckCallables,
                       pb::ResolverService::WithRawCallbackMethod_WatchTemplates>;

class ResolverService final : public Raw {
 public:
  ResolverService(CallRunner& runner, registry::Resolver& resolver, JoinedResolves& joined,
                  registry::PayloadCheck& payloads, const registry::CallableChecker& callables, WatchHub& watches)
      : runner_(runner),
        resolver_(resolver),
        joined_(joined),
        payloads_(payloads),
        callables_(callables),
        watches_(watches) {}

  Reactor* ResolveTemplate(Context* context, const Bytes* request, Bytes* response) override {
    return RunFast(Kind::kTemplate, registry::ReadResolveTemplateRequest, resolve_template_, context, request, response,
                   [&](std::shared_ptr<Call> call) { joined_.Add(std::move(call), request); });
  }

  Reactor* ResolveHandler(Context* context, const Bytes* request, Bytes* response) override {
    return RunFast(Kind::kHandler, registry::ReadResolveHandlerRequest, resolve_handler_, context, request, response,
                   [&](const std::shared_ptr<Call>& call) {
                     runner_.RunCall<pb::ResolveHandlerRequest>(call, resolve_handler_, request,
                                                                [this](const pb::ResolveHandlerRequest& r, Call& c) {
                                                                  return resolver_.Resolve(r, c.deadline());
                                                                });
                   });
  }

  Reactor* BatchResolveTemplates(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::BatchResolveTemplatesRequest>(batch_resolve_templates_, context, request, response,
                                                         [this](const pb::BatchResolveTemplatesRequest& r, Call& call) {
                                                           return registry::BatchResolve(resolver_, r, call.deadline());
                                                         });
  }

  Reactor* ValidateTaskInput(Context* context, const Bytes* request, Bytes* response) override {
    return RunCheck<pb::ValidateTaskInputRequest>(validate_task_input_, context, request, response);
  }

  Reactor* ValidateEventPayload(Context* context, const Bytes* request, Bytes* response) override {
    return RunCheck<pb::ValidateEventPayloadRequest>(validate_event_payload_, context, request, response);
  }

  Reactor* CheckCallables(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::CheckCallablesRequest>(
        check_callables_, context, request, response,
        [this](const pb::CheckCallablesRequest& r, Call& call) { return callables_.Check(r, call.deadline()); });
  }

  grpc::ServerWriteReactor<Bytes>* WatchTemplates(Context* context, const Bytes* request) override {
    return watches_.Watch(context, request);
  }

 private:
  using Kind = registry::Resolver::Kind;

  template <typename Read, typename Miss>
  Reactor* RunFast(Kind kind, const Read& read, const Method& method, Context* context, const Bytes* request,
                   Bytes* response, const Miss& miss) {
    return runner_.RunFast(
        method, context, request, response,
        [&](std::string_view bytes, Call& call) -> std::optional<absl::StatusOr<registry::Reply>> {
          const std::optional<registry::ResolveRequestView> view = read(bytes);
          if (!view || !runner_.Knows(view->min_revision)) return std::nullopt;
          call.set_reference(view->reference);
          return resolver_.Find(kind, *view);
        },
        miss);
  }

  // Never on gRPC's own threads: what a check costs is up to the schema and the payload.
  template <typename Request>
  Reactor* RunCheck(const Method& method, Context* context, const Bytes* request, Bytes* response) {
    return runner_.Run<Request>(method, context, request, response,
                                [this](const Request& r, Call& call) { return payloads_.Check(r, call.deadline()); });
  }

  CallRunner& runner_;
  registry::Resolver& resolver_;
  JoinedResolves& joined_;
  registry::PayloadCheck& payloads_;
  const registry::CallableChecker& callables_;
  WatchHub& watches_;
  const Method resolve_template_ = runner_.MakeMethod("ResolverService/ResolveTemplate");
  const Method resolve_handler_ = runner_.MakeMethod("ResolverService/ResolveHandler");
  const Method batch_resolve_templates_ = runner_.MakeMethod("ResolverService/BatchResolveTemplates");
  const Method validate_task_input_ = runner_.MakeMethod("ResolverService/ValidateTaskInput");
  const Method validate_event_payload_ = runner_.MakeMethod("ResolverService/ValidateEventPayload");
  const Method check_callables_ = runner_.MakeMethod("ResolverService/CheckCallables");
};

}  // namespace

std::unique_ptr<grpc::Service> MakeResolverService(CallRunner& runner, registry::Resolver& resolver,
                                                   JoinedResolves& joined, registry::PayloadCheck& payloads,
                                                   const registry::CallableChecker& callables, WatchHub& watches) {
  return std::make_unique<ResolverService>(runner, resolver, joined, payloads, callables, watches);
}

}  // namespace tasker::server
