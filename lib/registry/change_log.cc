#include "lib/registry/change_log.h"

#include <string>
#include <utility>

#include "lib/registry/change_batch.h"
#include "lib/registry/error.h"

namespace tasker::registry {
namespace {

absl::StatusOr<store::ChangeFilter> FilterOf(const pb::ListChangesRequest& request) {
  store::ChangeFilter filter;
  if (request.from_revision() < 0) return InvalidField("from_revision", "is negative");
  if (request.to_revision() < 0) return InvalidField("to_revision", "is negative");
  if (!request.name().empty() && request.namespace_name().empty()) {
    return InvalidField("name", "needs a namespace_name");
  }
  filter.after = request.from_revision();
  if (request.to_revision() > 0) filter.up_to = request.to_revision();
  filter.namespace_name = request.namespace_name();
  filter.name = request.name();
  filter.newest_first = request.newest_first();
  bool any_kind = request.kinds().empty();
  for (const int kind : request.kinds()) {
    if (!pb::ChangeKind_IsValid(kind)) return InvalidField("kinds", "has one that this server does not know");
    any_kind |= kind == pb::CHANGE_KIND_UNSPECIFIED;
    filter.kinds.insert(ChangeKindWord(static_cast<pb::ChangeKind>(kind)));
  }
  if (any_kind) filter.kinds.clear();
  return filter;
}

}  // namespace

absl::StatusOr<pb::ListChangesResponse> ListChanges(store::Store& store, const pb::ListChangesRequest& request,
                                                    absl::Time deadline) {
  const absl::StatusOr<store::ChangeFilter> filter = FilterOf(request);
  if (!filter.ok()) return filter.status();
  if (request.page_size() < 0) return InvalidField("page_size", "is negative");
  absl::StatusOr<store::ChangeList> found =
      store.ListChanges(*filter, {request.page_size(), request.page_token()}, deadline);
  if (!found.ok()) return found.status();
  pb::ListChangesResponse response;
  for (const store::ChangeRow& row : found->page.rows) *response.add_changes() = ToProto(row);
  response.set_next_page_token(std::move(found->page.next_token));
  response.set_oldest_revision(found->trimmed + 1);
  return response;
}

}  // namespace tasker::registry
