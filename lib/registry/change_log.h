#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <memory>

#include "lib/store/store.h"
#include "tasker/registry/v1/catalog.pb.h"

namespace tasker::registry {

namespace pb = ::tasker::registry::v1;

/// The change log for people. INVALID_ARGUMENT for a negative revision or page_size, an unknown kind, a name without a
/// namespace, a token of another list; otherwise as the store fails. No match is an empty page.
absl::StatusOr<pb::ListChangesResponse> ListChanges(store::Store& store, const pb::ListChangesRequest& request,
                                                    absl::Time deadline);

}  // namespace tasker::registry
