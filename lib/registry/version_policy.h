#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/base/issue.h"
#include "lib/registry/checked_source.h"
#include "lib/store/records.h"
#include "lib/store/store.h"

namespace tasker::registry {

/// Registers a batch with the version policies of its namespaces. The database finds what each new version has to be
/// compared with, under the lock that registering holds; the comparison is made here, and the batch sent again with
/// what was compared. So a batch without a policy costs one round trip, and no race lets one pass by its policy. Used
/// once, by one thread.
class PolicedBatch {
 public:
  /// All must outlive it; `checked` and `batch` belong together item by item. With `allow_breaking`, a version that is
  /// too low draws a warning where it would be refused, and the change log says so.
  PolicedBatch(store::Store& store, std::span<CheckedSource> checked, std::vector<store::NewVersion>& batch,
               bool allow_breaking);

  /// As Store::Register; an item is kUnchecked only where a version is too low under an enforced policy, and then
  /// nothing is stored. What the policies found is in the issues of `checked`, code VERSION_BUMP_TOO_SMALL: errors
  /// where they keep the batch out, else warnings. ABORTED (VERSION_POLICY_CONTENDED) when other writers change what is
  /// compared with faster than it is compared; DEADLINE_EXCEEDED.
  absl::StatusOr<store::RegisterResult> Register(const store::RegisterOptions& options, absl::Time deadline);

 private:
  absl::Status Compare(const store::RegisterResult& result, absl::Time deadline);
  absl::Status CompareItem(size_t item, const store::PolicyBase& base, absl::Time deadline);
  absl::StatusOr<std::string> LoadConfiguration(const store::NewVersion& version, const store::PolicyBase& base,
                                                absl::Time deadline);

  store::Store& store_;
  const std::span<CheckedSource> checked_;
  std::vector<store::NewVersion>& batch_;
  const bool allow_breaking_;
  std::vector<std::optional<base::Issue>> found_;  // by item: of the last comparison
};

/// FAILED_PRECONDITION, reason VERSION_BUMP_TOO_SMALL, with a violation for each item that has that error, which gives
/// all its reasons and the version to use; metadata "reference" is that of the first. REQUIRES: one has.
absl::Status RefuseTooSmallBumps(std::span<const CheckedSource> checked, bool batch);

}  // namespace tasker::registry
