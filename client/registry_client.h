#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <functional>
#include <memory>

#include "client/library/server_options.h"
#include "tasker/registry/v1/catalog.pb.h"
#include "tasker/registry/v1/registry.pb.h"
#include "tasker/registry/v1/resolver.pb.h"

namespace tasker::client {

namespace pb = ::tasker::registry::v1;

/// The calls of the registry that the command line makes, each with the options' timeout. A call's status has gRPC's
/// code; UNAVAILABLE only after every server was tried. Not safe for concurrent use.
class RegistryClient {
 public:
  /// Reads the files that the options name. INVALID_ARGUMENT when one cannot be read. Connects on the first call.
  static absl::StatusOr<std::unique_ptr<RegistryClient>> Create(const ServerOptions& options);
  ~RegistryClient();

  absl::StatusOr<pb::RegisterTemplatesResponse> RegisterTemplates(const pb::RegisterTemplatesRequest& request);
  absl::StatusOr<pb::ValidateTemplateResponse> ValidateTemplate(const pb::ValidateTemplateRequest& request);
  absl::StatusOr<pb::ResolveTemplateResponse> ResolveTemplate(const pb::ResolveTemplateRequest& request);
  absl::StatusOr<pb::ResolveHandlerResponse> ResolveHandler(const pb::ResolveHandlerRequest& request);
  absl::StatusOr<pb::ValidateTaskInputResponse> ValidateTaskInput(const pb::ValidateTaskInputRequest& request);
  absl::StatusOr<pb::ValidateEventPayloadResponse> ValidateEventPayload(const pb::ValidateEventPayloadRequest& request);
  absl::StatusOr<pb::GetTemplateResponse> GetTemplate(const pb::GetTemplateRequest& request);
  absl::StatusOr<pb::ListTemplatesResponse> ListTemplates(const pb::ListTemplatesRequest& request);
  absl::StatusOr<pb::ListTemplateVersionsResponse> ListTemplateVersions(const pb::ListTemplateVersionsRequest& request);
  absl::StatusOr<pb::ListCallablesResponse> ListCallables(const pb::ListCallablesRequest& request);
  absl::StatusOr<pb::ExplainResolutionResponse> ExplainResolution(const pb::ExplainResolutionRequest& request);
  absl::StatusOr<pb::GetServerInfoResponse> GetServerInfo(const pb::GetServerInfoRequest& request);
  absl::StatusOr<pb::SetChannelResponse> SetChannel(const pb::SetChannelRequest& request);
  absl::StatusOr<pb::DeleteChannelResponse> DeleteChannel(const pb::DeleteChannelRequest& request);
  absl::StatusOr<pb::DeprecateTemplateResponse> DeprecateTemplate(const pb::DeprecateTemplateRequest& request);
  absl::StatusOr<pb::YankTemplateResponse> YankTemplate(const pb::YankTemplateRequest& request);
  absl::StatusOr<pb::RestoreTemplateResponse> RestoreTemplate(const pb::RestoreTemplateRequest& request);
  absl::StatusOr<pb::PurgeTemplateResponse> PurgeTemplate(const pb::PurgeTemplateRequest& request);
  absl::StatusOr<pb::SetVersionPolicyResponse> SetVersionPolicy(const pb::SetVersionPolicyRequest& request);
  absl::StatusOr<pb::CheckCallablesResponse> CheckCallables(const pb::CheckCallablesRequest& request);
  absl::StatusOr<pb::ListNamespacesResponse> ListNamespaces(const pb::ListNamespacesRequest& request);
  absl::StatusOr<pb::ListChannelsResponse> ListChannels(const pb::ListChannelsRequest& request);
  absl::StatusOr<pb::ListChannelHistoryResponse> ListChannelHistory(const pb::ListChannelHistoryRequest& request);
  absl::StatusOr<pb::ListDomainEventsResponse> ListDomainEvents(const pb::ListDomainEventsRequest& request);
  absl::StatusOr<pb::ListChangesResponse> ListChanges(const pb::ListChangesRequest& request);
  absl::StatusOr<pb::FindCallableUsagesResponse> FindCallableUsages(const pb::FindCallableUsagesRequest& request);
  absl::StatusOr<pb::FindEventUsagesResponse> FindEventUsages(const pb::FindEventUsagesRequest& request);
  absl::StatusOr<pb::FindSystemUsagesResponse> FindSystemUsages(const pb::FindSystemUsagesRequest& request);

  /// Hands every item to `take`, one at a time; an error of `take` ends the call and comes back. Streams may last an
  /// hour; DEADLINE_EXCEEDED when nothing moves for a minute, or for the options' timeout where that is longer.
  absl::Status ExportTemplates(const pb::ExportTemplatesRequest& request,
                               const std::function<absl::Status(pb::ArchiveItem)>& take);
  /// Sends what `give` fills in until it says false; an error of `give` ends the call, so that nothing is stored, and
  /// comes back. Time as above, but for the server's work after the last item.
  absl::StatusOr<pb::ImportTemplatesResponse> ImportTemplates(
      const std::function<absl::StatusOr<bool>(pb::ImportTemplatesRequest&)>& give);

  /// Gives each message to `take` until that gives false (OK) or the watch ends (its status). Without a limit in time;
  /// the options' timeout is for connecting.
  absl::Status WatchTemplates(const pb::WatchTemplatesRequest& request,
                              const std::function<bool(const pb::WatchTemplatesResponse&)>& take);
  /// Ends a WatchTemplates that is running in another thread, or will be: CANCELLED.
  void CancelWatch();

 private:
  class Connections;
  explicit RegistryClient(std::unique_ptr<Connections> connections);

  std::unique_ptr<Connections> connections_;
};

}  // namespace tasker::client
