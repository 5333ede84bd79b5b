#include <utility>

#include "lib/registry/change_log.h"
#include "server/services.h"
#include "tasker/registry/v1/catalog.grpc.pb.h"

namespace tasker::server {
namespace {

namespace pb = ::tasker::registry::v1;
using Bytes = grpc::ByteBuffer;
using Context = grpc::CallbackServerContext;
using Reactor = grpc::ServerUnaryReactor;
using Raw = RawMethods<
    pb::CatalogService::Service, pb::CatalogService::WithRawCallbackMethod_GetTemplate,
    pb::CatalogService::WithRawCallbackMethod_ListNamespaces, pb::CatalogService::WithRawCallbackMethod_ListTemplates,
    pb::CatalogService::WithRawCallbackMethod_ListTemplateVersions,
    pb::CatalogService::WithRawCallbackMethod_ListChannels,
    pb::CatalogService::WithRawCallbackMethod_ListChannelHistory,
    pb::CatalogService::WithRawCallbackMethod_ListDomainEvents, pb::CatalogService::WithRawCallbackMethod_ListChanges,
    pb::CatalogService::WithRawCallbackMethod_FindCallableUsages,
    pb::CatalogService::WithRawCallbackMethod_FindEventUsages,
    pb::CatalogService::WithRawCallbackMethod_FindSystemUsages,
    pb::CatalogService::WithRawCallbackMethod_CompareTemplates,
    pb::CatalogService::WithRawCallbackMethod_DescribeTemplate, pb::CatalogService::WithRawCallbackMethod_ListCallables,
    pb::CatalogService::WithRawCallbackMethod_ExplainResolution,
    pb::CatalogService::WithRawCallbackMethod_GetServerInfo>;

class CatalogService final : public Raw {
 public:
  CatalogService(CallRunner& runner, registry::Catalog& catalog, const registry::Comparison& comparison,
                 registry::Describer& describer, store::Store& store, ServerInfo info)
      : runner_(runner),
        catalog_(catalog),
        comparison_(comparison),
        describer_(describer),
        store_(store),
        info_(std::move(info)) {}

  Reactor* GetTemplate(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::GetTemplateRequest>(
        get_template_, context, request, response,
        [this](const pb::GetTemplateRequest& r, Call& call) { return catalog_.GetTemplate(r, call.deadline()); });
  }

  Reactor* ListNamespaces(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::ListNamespacesRequest>(
        list_namespaces_, context, request, response,
        [this](const pb::ListNamespacesRequest& r, Call& call) { return catalog_.ListNamespaces(r, call.deadline()); });
  }

  Reactor* ListTemplates(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::ListTemplatesRequest>(
        list_templates_, context, request, response,
        [this](const pb::ListTemplatesRequest& r, Call& call) { return catalog_.ListTemplates(r, call.deadline()); });
  }

  Reactor* ListTemplateVersions(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::ListTemplateVersionsRequest>(list_template_versions_, context, request, response,
                                                        [this](const pb::ListTemplateVersionsRequest& r, Call& call) {
                                                          return catalog_.ListTemplateVersions(r, call.deadline());
                                                        });
  }

  Reactor* CompareTemplates(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::CompareTemplatesRequest>(compare_templates_, context, request, response,
                                                    [this](const pb::CompareTemplatesRequest& r, Call& call) {
                                                      call.set_reference(r.old_reference());
                                                      return comparison_.Compare(r, call.deadline());
                                                    });
  }

  Reactor* ListChannels(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::ListChannelsRequest>(
        list_channels_, context, request, response,
        [this](const pb::ListChannelsRequest& r, Call& call) { return catalog_.ListChannels(r, call.deadline()); });
  }

  Reactor* ListChannelHistory(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::ListChannelHistoryRequest>(list_channel_history_, context, request, response,
                                                      [this](const pb::ListChannelHistoryRequest& r, Call& call) {
                                                        return catalog_.ListChannelHistory(r, call.deadline());
                                                      });
  }

  Reactor* ListDomainEvents(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::ListDomainEventsRequest>(list_domain_events_, context, request, response,
                                                    [this](const pb::ListDomainEventsRequest& r, Call& call) {
                                                      return catalog_.ListDomainEvents(r, call.deadline());
                                                    });
  }

  Reactor* FindCallableUsages(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::FindCallableUsagesRequest>(find_callable_usages_, context, request, response,
                                                      [this](const pb::FindCallableUsagesRequest& r, Call& call) {
                                                        return catalog_.FindCallableUsages(r, call.deadline());
                                                      });
  }

  Reactor* FindEventUsages(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::FindEventUsagesRequest>(find_event_usages_, context, request, response,
                                                   [this](const pb::FindEventUsagesRequest& r, Call& call) {
                                                     return catalog_.FindEventUsages(r, call.deadline());
                                                   });
  }

  Reactor* FindSystemUsages(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::FindSystemUsagesRequest>(find_system_usages_, context, request, response,
                                                    [this](const pb::FindSystemUsagesRequest& r, Call& call) {
                                                      return catalog_.FindSystemUsages(r, call.deadline());
                                                    });
  }

  Reactor* DescribeTemplate(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::DescribeTemplateRequest>(
        describe_template_, context, request, response,
        [this](const pb::DescribeTemplateRequest& r, Call& call) { return describer_.Describe(r, call.deadline()); });
  }

  Reactor* ListCallables(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::ListCallablesRequest>(
        list_callables_, context, request, response,
        [this](const pb::ListCallablesRequest& r, Call& call) { return catalog_.ListCallables(r, call.deadline()); });
  }

  Reactor* ExplainResolution(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::ExplainResolutionRequest>(explain_resolution_, context, request, response,
                                                     [this](const pb::ExplainResolutionRequest& r, Call& call) {
                                                       return catalog_.ExplainResolution(r, call.deadline());
                                                     });
  }

  Reactor* ListChanges(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::ListChangesRequest>(list_changes_, context, request, response,
                                               [this](const pb::ListChangesRequest& r, Call& call) {
                                                 return registry::ListChanges(store_, r, call.deadline());
                                               });
  }

  Reactor* GetServerInfo(Context* context, const Bytes* request, Bytes* response) override {
    return runner_.Run<pb::GetServerInfoRequest>(
        get_server_info_, context, request, response,
        [this](const pb::GetServerInfoRequest&, Call& call) { return info_(call.deadline()); });
  }

 private:
  CallRunner& runner_;
  registry::Catalog& catalog_;
  const registry::Comparison& comparison_;
  registry::Describer& describer_;
  store::Store& store_;
  const ServerInfo info_;
  const Method get_template_ = runner_.MakeMethod("CatalogService/GetTemplate");
  const Method list_namespaces_ = runner_.MakeMethod("CatalogService/ListNamespaces");
  const Method list_templates_ = runner_.MakeMethod("CatalogService/ListTemplates");
  const Method list_template_versions_ = runner_.MakeMethod("CatalogService/ListTemplateVersions");
  const Method compare_templates_ = runner_.MakeMethod("CatalogService/CompareTemplates");
  const Method list_channels_ = runner_.MakeMethod("CatalogService/ListChannels");
  const Method list_channel_history_ = runner_.MakeMethod("CatalogService/ListChannelHistory");
  const Method list_domain_events_ = runner_.MakeMethod("CatalogService/ListDomainEvents");
  const Method find_callable_usages_ = runner_.MakeMethod("CatalogService/FindCallableUsages");
  const Method find_event_usages_ = runner_.MakeMethod("CatalogService/FindEventUsages");
  const Method find_system_usages_ = runner_.MakeMethod("CatalogService/FindSystemUsages");
  const Method describe_template_ = runner_.MakeMethod("CatalogService/DescribeTemplate");
  const Method list_callables_ = runner_.MakeMethod("CatalogService/ListCallables");
  const Method explain_resolution_ = runner_.MakeMethod("CatalogService/ExplainResolution");
  const Method list_changes_ = runner_.MakeMethod("CatalogService/ListChanges");
  const Method get_server_info_ = runner_.MakeMethod("CatalogService/GetServerInfo");
};

}  // namespace

std::unique_ptr<grpc::Service> MakeCatalogService(CallRunner& runner, registry::Catalog& catalog,
                                                  const registry::Comparison& comparison,
                                                  registry::Describer& describer, store::Store& store,
                                                  ServerInfo info) {
  return std::make_unique<CatalogService>(runner, catalog, comparison, describer, store, std::move(info));
}

}  // namespace tasker::server
