#pragma once

#include <absl/status/statusor.h>
#include <google/protobuf/repeated_field.h>

#include <vector>

#include "lib/registry/error.h"
#include "lib/store/store.h"
#include "tasker/registry/v1/catalog.pb.h"

/// The store's records as messages, and what lists ask for. For the files of this folder that answer lists.
namespace tasker::registry {

namespace pb = ::tasker::registry::v1;

pb::VersionPolicy ToProto(store::VersionPolicy policy);
void PutSummary(const store::VersionSummary& from, pb::TemplateSummary& to);

/// INVALID_ARGUMENT for a state that this server does not know; TEMPLATE_STATE_UNSPECIFIED asks for no particular one.
absl::StatusOr<std::vector<store::VersionState>> StatesOf(const google::protobuf::RepeatedField<int>& states);

/// INVALID_ARGUMENT for a negative page_size.
template <typename Request>
absl::StatusOr<store::PageOptions> PageOf(const Request& request) {
  if (request.page_size() < 0) return InvalidField("page_size", "is negative");
  return store::PageOptions{request.page_size(), request.page_token()};
}

}  // namespace tasker::registry
