#include "server/services.h"
#include "tasker/registry/v1/registry.grpc.pb.h"

namespace tasker::server {
namespace {

namespace pb = ::tasker::registry::v1;
using Bytes = grpc::ByteBuffer;
using Context = grpc::CallbackServerContext;
using Reactor = grpc::ServerUnaryReactor;
using Raw = RawMethods<
    pb::RegistryService::Service, pb::RegistryService::WithRawCallbackMethod_RegisterTemplate,
    pb::RegistryService::WithRawCallbackMethod_RegisterTemplates,
    pb::RegistryService::WithRawCallbackMethod_ValidateTemplate, pb::RegistryService::WithRawCallbackMethod_SetChannel,
    pb::RegistryService::WithRawCallbackMethod_DeleteChannel,
    pb::RegistryService::WithRawCallbackMethod_DeprecateTemplate,
    pb::RegistryService::WithRawCallbackMethod_YankTemplate, pb::RegistryService::WithRawCallbackMethod_RestoreTemplate,
    pb::RegistryService::WithRawCallbackMethod_PurgeTemplate,
    pb::RegistryService::WithRawCallbackMethod_SetVersionPolicy>;

class RegistryService final : public Raw {
 public:
  RegistryService(CallRunner& runner, const registry::Registrar& registrar) : runner_(runner), registrar_(registrar) {}

  Reactor* RegisterTemplate(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::RegisterTemplateRequest>(
        register_template_, context, request, response,
        [this](const pb::RegisterTemplateRequest& r, Call& call) { return registrar_.Register(r, call.caller()); });
  }

  Reactor* RegisterTemplates(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::RegisterTemplatesRequest>(
        register_templates_, context, request, response,
        [this](const pb::RegisterTemplatesRequest& r, Call& call) { return registrar_.Register(r, call.caller()); });
  }

  Reactor* ValidateTemplate(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::ValidateTemplateRequest>(
        validate_template_, context, request, response,
        [this](const pb::ValidateTemplateRequest& r, Call& call) { return registrar_.Validate(r, call.caller()); });
  }

 private:
  CallRunner& runner_;
  const registry::Registrar& registrar_;
  const Method register_template_ = runner_.MakeMethod("RegistryService/RegisterTemplate");
  const Method register_templates_ = runner_.MakeMethod("RegistryService/RegisterTemplates");
  const Method validate_template_ = runner_.MakeMethod("RegistryService/ValidateTemplate");
};

}  // namespace

std::unique_ptr<grpc::Service> MakeRegistryService(CallRunner& runner, const registry::Registrar& registrar) {
  return std::make_unique<RegistryService>(runner, registrar);
}

}  // namespace tasker::server
