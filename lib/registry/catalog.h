#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <memory>

#include "lib/registry/template_loader.h"
#include "lib/store/store.h"
#include "tasker/registry/v1/catalog.pb.h"

namespace tasker::registry {

namespace pb = ::tasker::registry::v1;

/// What exists. Every call but ListCallables asks the database. Safe to call from any thread.
class Catalog {
 public:
  Catalog(std::shared_ptr<store::Store> store, std::shared_ptr<TemplateLoader> loader);

  /// INVALID_ARGUMENT for a malformed reference or an unknown view; NOT_FOUND as in not_found.h.
  absl::StatusOr<pb::GetTemplateResponse> GetTemplate(const pb::GetTemplateRequest& request, absl::Time deadline);
  absl::StatusOr<pb::ListCallablesResponse> ListCallables(const pb::ListCallablesRequest& request, absl::Time deadline);

  /// Positions are those of the author's text; without one (registered as a message) they are unknown. Errors as above.
  absl::StatusOr<pb::ExplainResolutionResponse> ExplainResolution(const pb::ExplainResolutionRequest& request,
                                                                  absl::Time deadline);

  /// Lists, a page at a time. INVALID_ARGUMENT for a page_size below 0 or a token of another list or filter. No match
  /// is an empty page; a template that the request names and that does not exist is NOT_FOUND. Words, names and terms
  /// are taken as they are: no text is a syntax error.
  absl::StatusOr<pb::ListNamespacesResponse> ListNamespaces(const pb::ListNamespacesRequest& request,
                                                            absl::Time deadline);
  absl::StatusOr<pb::ListTemplatesResponse> ListTemplates(const pb::ListTemplatesRequest& request, absl::Time deadline);
  absl::StatusOr<pb::ListTemplateVersionsResponse> ListTemplateVersions(const pb::ListTemplateVersionsRequest& request,
                                                                        absl::Time deadline);
  absl::StatusOr<pb::ListChannelsResponse> ListChannels(const pb::ListChannelsRequest& request, absl::Time deadline);
  /// Empty for a channel that the template never had.
  absl::StatusOr<pb::ListChannelHistoryResponse> ListChannelHistory(const pb::ListChannelHistoryRequest& request,
                                                                    absl::Time deadline);
  absl::StatusOr<pb::ListDomainEventsResponse> ListDomainEvents(const pb::ListDomainEventsRequest& request,
                                                                absl::Time deadline);
  absl::StatusOr<pb::FindCallableUsagesResponse> FindCallableUsages(const pb::FindCallableUsagesRequest& request,
                                                                    absl::Time deadline);
  absl::StatusOr<pb::FindEventUsagesResponse> FindEventUsages(const pb::FindEventUsagesRequest& request,
                                                              absl::Time deadline);
  absl::StatusOr<pb::FindSystemUsagesResponse> FindSystemUsages(const pb::FindSystemUsagesRequest& request,
                                                                absl::Time deadline);

 private:
  /// NOT_FOUND as in not_found.h when there is no such template.
  absl::Status CheckExists(const tmpl::Reference& reference, absl::Time deadline);

  const std::shared_ptr<store::Store> store_;
  const std::shared_ptr<TemplateLoader> loader_;
};

}  // namespace tasker::registry
