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

  /// INVALID_ARGUMENT for a page_size below 0 or a token of another list. No match is an empty page.
  absl::StatusOr<pb::ListTemplatesResponse> ListTemplates(const pb::ListTemplatesRequest& request, absl::Time deadline);
  /// The same; NOT_FOUND for an unknown template; INVALID_ARGUMENT for a reference with a selector.
  absl::StatusOr<pb::ListTemplateVersionsResponse> ListTemplateVersions(const pb::ListTemplateVersionsRequest& request,
                                                                        absl::Time deadline);

 private:
  const std::shared_ptr<store::Store> store_;
  const std::shared_ptr<TemplateLoader> loader_;
};

}  // namespace tasker::registry
