#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "lib/store/records.h"
#include "tasker/registry/v1/registry.pb.h"
#include "tasker/registry/v1/resolver.pb.h"

namespace tasker::registry {

namespace pb = ::tasker::registry::v1;

/// An encoded message, shared by all who send it.
using MessageBytes = std::shared_ptr<const std::string>;

/// All changes of one revision, encoded once for all watchers. Never changes.
struct ChangeBatch {
  int64_t revision = 0;
  std::vector<pb::Change> changes;
  std::vector<MessageBytes> messages;  ///< WatchTemplatesResponses with all of `changes`, in order
  size_t bytes = 0;                    ///< that this takes in memory, about
};
using ChangeBatchHandle = std::shared_ptr<const ChangeBatch>;

/// A row of the change log as the API shows it. What `detail` holds beyond the kinds that are known is left out.
pb::Change ToProto(const store::ChangeRow& row);

/// "REGISTER" for CHANGE_KIND_REGISTER; empty for one that is unknown or unspecified.
std::string ChangeKindWord(pb::ChangeKind kind);

/// One batch for each revision. REQUIRES: whole revisions, in order.
std::vector<ChangeBatchHandle> MakeBatches(std::span<const store::ChangeRow> rows);

/// Which changes a watcher wants. Constant after construction.
class WatchFilter {
 public:
  static constexpr int kMaxNames = 1000;

  /// INVALID_ARGUMENT for a namespace that is no name, a reference that is not NAMESPACE/NAME, more than kMaxNames.
  static absl::StatusOr<WatchFilter> FromRequest(const pb::WatchTemplatesRequest& request);

  /// The messages with those changes of `batch` that are wanted; empty when none is.
  std::vector<MessageBytes> Messages(const ChangeBatch& batch) const;

 private:
  bool Wants(const pb::Change& change) const;

  std::set<std::string, std::less<>> namespaces_;
  std::set<std::string, std::less<>> references_;  // with both empty, everything is wanted
};

/// A WatchTemplatesResponse that says that everything up to `revision` has been sent.
MessageBytes Bookmark(int64_t revision);

}  // namespace tasker::registry
