#include <algorithm>
#include <string>
#include <string_view>

#include "lib/registry/catalog.h"
#include "lib/registry/catalog_messages.h"
#include "lib/registry/not_found.h"
#include "lib/registry/state_notice.h"
#include "lib/registry/timestamp.h"
#include "lib/template/reference.h"

namespace tasker::registry {
namespace {

constexpr size_t kMaxSearchBytes = 1000;

// NAMESPACE/NAME. INVALID_ARGUMENT for anything else.
absl::StatusOr<tmpl::Reference> ParseTemplate(std::string_view text) {
  absl::StatusOr<tmpl::Reference> reference = ParseRequestReference(text);
  if (reference.ok() && !reference->selector.empty()) {
    return InvalidField("reference", "must be NAMESPACE/NAME, without a selector");
  }
  return reference;
}

absl::Status CheckSearch(const std::string& text) {
  if (text.size() > kMaxSearchBytes) return InvalidField("text", "is longer than 1000 bytes");
  return absl::OkStatus();
}

// A blank search asks for nothing, and so is none.
bool IsBlank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

void PutChannel(const store::Channel& from, pb::Channel& to) {
  to.set_reference(tmpl::ExactReference(from.namespace_name, from.name, from.version));
  to.set_channel(from.channel);
  to.set_version(from.version);
  to.set_digest(from.digest);
  to.set_state(ToProto(from.state));
  to.set_actor(from.actor);
  PutTime(from.update_time, *to.mutable_update_time());
  to.set_revision(from.revision);
}

}  // namespace

absl::StatusOr<pb::ListNamespacesResponse> Catalog::ListNamespaces(const pb::ListNamespacesRequest& request,
                                                                   absl::Time deadline) {
  const absl::StatusOr<store::PageOptions> page = PageOf(request);
  if (!page.ok()) return page.status();
  const auto found = store_->ListNamespaces(request.name_prefix(), *page, deadline);
  if (!found.ok()) return found.status();
  pb::ListNamespacesResponse response;
  for (const store::NamespaceSummary& row : found->rows) {
    pb::NamespaceSummary& out = *response.add_namespaces();
    out.set_name(row.name);
    out.set_description(row.description);
    for (const std::string& system : row.system_dependencies) out.add_system_dependencies(system);
    out.set_template_count(row.template_count);
    PutTime(row.create_time, *out.mutable_create_time());
    out.set_version_policy(ToProto(row.version_policy));
  }
  response.set_next_page_token(found->next_token);
  return response;
}

absl::StatusOr<pb::ListTemplatesResponse> Catalog::ListTemplates(const pb::ListTemplatesRequest& request,
                                                                 absl::Time deadline) {
  const absl::StatusOr<store::PageOptions> page = PageOf(request);
  if (!page.ok()) return page.status();
  const absl::StatusOr<std::vector<store::VersionState>> states = StatesOf(request.states());
  if (!states.ok()) return states.status();
  if (absl::Status status = CheckSearch(request.text()); !status.ok()) return status;
  const store::TemplateFilter filter{.namespace_name = request.namespace_name(),
                                     .name_prefix = request.name_prefix(),
                                     .tag = request.tag(),
                                     .system = request.system(),
                                     .event = request.event(),
                                     .callable = request.callable(),
                                     .text = IsBlank(request.text()) ? "" : request.text(),
                                     .states = *states};
  const absl::StatusOr<store::Page<store::TemplateSummary>> found = store_->ListTemplates(filter, *page, deadline);
  if (!found.ok()) return found.status();
  pb::ListTemplatesResponse response;
  for (const store::TemplateSummary& row : found->rows) {
    pb::TemplateSummary& out = *response.add_templates();
    PutSummary(row.latest, out);
    out.set_version_count(row.version_count);
  }
  response.set_next_page_token(found->next_token);
  return response;
}

absl::StatusOr<pb::ListTemplateVersionsResponse> Catalog::ListTemplateVersions(
    const pb::ListTemplateVersionsRequest& request, absl::Time deadline) {
  const absl::StatusOr<store::PageOptions> page = PageOf(request);
  if (!page.ok()) return page.status();
  const absl::StatusOr<std::vector<store::VersionState>> states = StatesOf(request.states());
  if (!states.ok()) return states.status();
  const absl::StatusOr<tmpl::Reference> reference = ParseTemplate(request.reference());
  if (!reference.ok()) return reference.status();
  const absl::StatusOr<store::Page<store::VersionSummary>> found =
      store_->ListVersions(reference->namespace_name, reference->name, *states, *page, deadline);
  if (!found.ok()) return found.status();
  if (found->rows.empty() && page->token.empty()) {
    if (absl::Status status = CheckExists(*reference, deadline); !status.ok()) return status;
  }
  pb::ListTemplateVersionsResponse response;
  for (const store::VersionSummary& row : found->rows) PutSummary(row, *response.add_versions());
  response.set_next_page_token(found->next_token);
  return response;
}

absl::StatusOr<pb::ListChannelsResponse> Catalog::ListChannels(const pb::ListChannelsRequest& request,
                                                               absl::Time deadline) {
  const absl::StatusOr<store::PageOptions> page = PageOf(request);
  if (!page.ok()) return page.status();
  store::ChannelFilter filter{.namespace_name = request.namespace_name(), .channel = request.channel()};
  absl::StatusOr<tmpl::Reference> reference = tmpl::Reference{};
  if (!request.reference().empty()) {
    if (!request.namespace_name().empty()) return InvalidField("namespace_name", "does not go with a reference");
    reference = ParseTemplate(request.reference());
    if (!reference.ok()) return reference.status();
    filter.namespace_name = reference->namespace_name;
    filter.name = reference->name;
  }
  const absl::StatusOr<store::Page<store::Channel>> found = store_->ListChannels(filter, *page, deadline);
  if (!found.ok()) return found.status();
  if (found->rows.empty() && page->token.empty() && !filter.name.empty()) {
    if (absl::Status status = CheckExists(*reference, deadline); !status.ok()) return status;
  }
  pb::ListChannelsResponse response;
  for (const store::Channel& row : found->rows) PutChannel(row, *response.add_channels());
  response.set_next_page_token(found->next_token);
  return response;
}

absl::StatusOr<pb::ListChannelHistoryResponse> Catalog::ListChannelHistory(const pb::ListChannelHistoryRequest& request,
                                                                           absl::Time deadline) {
  const absl::StatusOr<store::PageOptions> page = PageOf(request);
  if (!page.ok()) return page.status();
  const absl::StatusOr<tmpl::Reference> reference = ParseTemplate(request.reference());
  if (!reference.ok()) return reference.status();
  if (request.channel().empty()) return InvalidField("channel", "is empty");
  const absl::StatusOr<store::Page<store::ChannelMove>> found =
      store_->ListChannelMoves(reference->namespace_name, reference->name, request.channel(), *page, deadline);
  if (!found.ok()) return found.status();
  if (found->rows.empty() && page->token.empty()) {
    if (absl::Status status = CheckExists(*reference, deadline); !status.ok()) return status;
  }
  pb::ListChannelHistoryResponse response;
  for (const store::ChannelMove& row : found->rows) {
    pb::ChannelMove& out = *response.add_moves();
    out.set_version(row.version);
    out.set_actor(row.actor);
    PutTime(row.create_time, *out.mutable_create_time());
    out.set_revision(row.revision);
  }
  response.set_next_page_token(found->next_token);
  return response;
}

absl::StatusOr<pb::ListDomainEventsResponse> Catalog::ListDomainEvents(const pb::ListDomainEventsRequest& request,
                                                                       absl::Time deadline) {
  const absl::StatusOr<store::PageOptions> page = PageOf(request);
  if (!page.ok()) return page.status();
  const auto found = store_->ListDomainEvents(request.namespace_name(), request.name_prefix(), *page, deadline);
  if (!found.ok()) return found.status();
  pb::ListDomainEventsResponse response;
  for (const store::NamespaceEvent& row : found->rows) {
    pb::DomainEvent& out = *response.add_events();
    out.set_namespace_name(row.namespace_name);
    out.set_event_name(row.name);
    out.set_description(row.description);
    out.set_schema_digest(row.schema_digest);
    out.set_schema_json(row.schema_json);
    out.set_reference(tmpl::ExactReference(row.namespace_name, row.template_name, row.version));
    PutTime(row.create_time, *out.mutable_create_time());
  }
  response.set_next_page_token(found->next_token);
  return response;
}

absl::Status Catalog::CheckExists(const tmpl::Reference& reference, absl::Time deadline) {
  const absl::StatusOr<store::Neighbours> neighbours = store_->LoadNeighbours(reference, deadline);
  if (!neighbours.ok()) return neighbours.status();
  return neighbours->template_exists ? absl::OkStatus() : ReferenceNotFound(reference, *neighbours);
}

}  // namespace tasker::registry
