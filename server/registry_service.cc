#include "server/archive_streams.h"
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
    pb::RegistryService::WithRawCallbackMethod_SetVersionPolicy,
    pb::RegistryService::WithRawCallbackMethod_ExportTemplates,
    pb::RegistryService::WithRawCallbackMethod_ImportTemplates>;

class RegistryService final : public Raw {
 public:
  RegistryService(CallRunner& runner, const registry::Registrar& registrar, const registry::Lifecycle& lifecycle,
                  ArchiveStreams& archives)
      : runner_(runner), registrar_(registrar), lifecycle_(lifecycle), archives_(archives) {}

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

  Reactor* SetChannel(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::SetChannelRequest>(
        set_channel_, context, request, response,
        [this](const pb::SetChannelRequest& r, Call& call) { return lifecycle_.SetChannel(r, call.caller()); });
  }

  Reactor* DeleteChannel(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::DeleteChannelRequest>(
        delete_channel_, context, request, response,
        [this](const pb::DeleteChannelRequest& r, Call& call) { return lifecycle_.DeleteChannel(r, call.caller()); });
  }

  Reactor* DeprecateTemplate(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::DeprecateTemplateRequest>(
        deprecate_template_, context, request, response,
        [this](const pb::DeprecateTemplateRequest& r, Call& call) { return lifecycle_.Deprecate(r, call.caller()); });
  }

  Reactor* YankTemplate(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::YankTemplateRequest>(
        yank_template_, context, request, response,
        [this](const pb::YankTemplateRequest& r, Call& call) { return lifecycle_.Yank(r, call.caller()); });
  }

  Reactor* RestoreTemplate(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::RestoreTemplateRequest>(
        restore_template_, context, request, response,
        [this](const pb::RestoreTemplateRequest& r, Call& call) { return lifecycle_.Restore(r, call.caller()); });
  }

  Reactor* PurgeTemplate(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::PurgeTemplateRequest>(
        purge_template_, context, request, response,
        [this](const pb::PurgeTemplateRequest& r, Call& call) { return lifecycle_.Purge(r, call.caller()); });
  }

  Reactor* SetVersionPolicy(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::SetVersionPolicyRequest>(set_version_policy_, context, request, response,
                                                    [this](const pb::SetVersionPolicyRequest& r, Call& call) {
                                                      return lifecycle_.SetVersionPolicy(r, call.caller());
                                                    });
  }

  grpc::ServerWriteReactor<Bytes>* ExportTemplates(Context* context, const Bytes* request) override {
    return archives_.Export(context, request);
  }

  grpc::ServerReadReactor<Bytes>* ImportTemplates(Context* context, Bytes* response) override {
    return archives_.Import(context, response);
  }

 private:
  CallRunner& runner_;
  const registry::Registrar& registrar_;
  const registry::Lifecycle& lifecycle_;
  ArchiveStreams& archives_;
  const Method register_template_ = runner_.MakeMethod("RegistryService/RegisterTemplate");
  const Method register_templates_ = runner_.MakeMethod("RegistryService/RegisterTemplates");
  const Method validate_template_ = runner_.MakeMethod("RegistryService/ValidateTemplate");
  const Method set_channel_ = runner_.MakeMethod("RegistryService/SetChannel");
  const Method delete_channel_ = runner_.MakeMethod("RegistryService/DeleteChannel");
  const Method deprecate_template_ = runner_.MakeMethod("RegistryService/DeprecateTemplate");
  const Method yank_template_ = runner_.MakeMethod("RegistryService/YankTemplate");
  const Method restore_template_ = runner_.MakeMethod("RegistryService/RestoreTemplate");
  const Method purge_template_ = runner_.MakeMethod("RegistryService/PurgeTemplate");
  const Method set_version_policy_ = runner_.MakeMethod("RegistryService/SetVersionPolicy");
};

}  // namespace

std::unique_ptr<grpc::Service> MakeRegistryService(CallRunner& runner, const registry::Registrar& registrar,
                                                   const registry::Lifecycle& lifecycle, ArchiveStreams& archives) {
  return std::make_unique<RegistryService>(runner, registrar, lifecycle, archives);
}

}  // namespace tasker::server
