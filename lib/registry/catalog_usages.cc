#include <string>
#include <string_view>

#include "lib/registry/catalog.h"
#include "lib/registry/catalog_messages.h"
#include "lib/registry/state_notice.h"
#include "lib/template/reference.h"

namespace tasker::registry {
namespace {

// The words of index_entries.h.
pb::UsageRole RoleOf(std::string_view word) {
  if (word == "task_handler") return pb::USAGE_ROLE_TASK_HANDLER;
  if (word == "step_handler") return pb::USAGE_ROLE_STEP_HANDLER;
  if (word == "primary") return pb::USAGE_ROLE_PRIMARY_SYSTEM;
  if (word == "secondary") return pb::USAGE_ROLE_SECONDARY_SYSTEM;
  if (word == "step") return pb::USAGE_ROLE_STEP_SYSTEM;
  if (word == "declares") return pb::USAGE_ROLE_DECLARES_EVENT;
  if (word == "publishes") return pb::USAGE_ROLE_PUBLISHES_EVENT;
  return pb::USAGE_ROLE_UNSPECIFIED;
}

template <typename Response, typename Request>
absl::StatusOr<Response> FindUsages(store::Store& store, store::Subject subject, std::string_view field,
                                    const std::string& term, const Request& request, absl::Time deadline) {
  if (term.empty()) return InvalidField(field, "is empty");
  const absl::StatusOr<store::PageOptions> page = PageOf(request);
  if (!page.ok()) return page.status();
  const auto found = store.FindUsages({.subject = subject,
                                       .term = term,
                                       .prefix = request.prefix(),
                                       .all_versions = request.all_versions(),
                                       .namespace_name = request.namespace_name()},
                                      *page, deadline);
  if (!found.ok()) return found.status();
  Response response;
  for (const store::Usage& row : found->rows) {
    pb::Usage& out = *response.add_usages();
    out.set_reference(tmpl::ExactReference(row.namespace_name, row.name, row.version));
    out.set_term(row.term);
    out.set_role(RoleOf(row.role));
    out.set_step_name(row.step);
    out.set_environment(row.environment);
    out.set_state(ToProto(row.state));
  }
  response.set_next_page_token(found->next_token);
  return response;
}

}  // namespace

absl::StatusOr<pb::FindCallableUsagesResponse> Catalog::FindCallableUsages(const pb::FindCallableUsagesRequest& request,
                                                                           absl::Time deadline) {
  return FindUsages<pb::FindCallableUsagesResponse>(*store_, store::Subject::kCallable, "callable", request.callable(),
                                                    request, deadline);
}

absl::StatusOr<pb::FindEventUsagesResponse> Catalog::FindEventUsages(const pb::FindEventUsagesRequest& request,
                                                                     absl::Time deadline) {
  return FindUsages<pb::FindEventUsagesResponse>(*store_, store::Subject::kEvent, "event", request.event(), request,
                                                 deadline);
}

absl::StatusOr<pb::FindSystemUsagesResponse> Catalog::FindSystemUsages(const pb::FindSystemUsagesRequest& request,
                                                                       absl::Time deadline) {
  return FindUsages<pb::FindSystemUsagesResponse>(*store_, store::Subject::kSystem, "system", request.system(), request,
                                                  deadline);
}

}  // namespace tasker::registry
