#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <memory>

#include "lib/registry/template_loader.h"
#include "lib/store/store.h"
#include "tasker/registry/v1/resolver.pb.h"

namespace tasker::registry {

namespace pb = ::tasker::registry::v1;

inline constexpr int kMaxCheckedCallables = 100'000;
inline constexpr int kMaxCheckedReferences = 1000;

/// Says which templates a worker can run whole. Reads the templates themselves, some at a time, so what it costs
/// depends on them and not on how many callables the worker has. Safe to call from any thread.
class CallableChecker {
 public:
  CallableChecker(std::shared_ptr<store::Store> store, std::shared_ptr<TemplateLoader> loader);

  /// A page of answers, which ends early where it would grow beyond some MiB. Callables are compared as they are
  /// written. Errors:
  ///   INVALID_ARGUMENT    more than kMaxCheckedReferences, references beside a filter, a malformed reference, a token
  ///   of
  ///                       another check;
  ///   RESOURCE_EXHAUSTED  TOO_MANY_CALLABLES: more than kMaxCheckedCallables;
  ///   NOT_FOUND           a reference that names nothing, see not_found.h.
  absl::StatusOr<pb::CheckCallablesResponse> Check(const pb::CheckCallablesRequest& request, absl::Time deadline) const;

 private:
  class Page;
  absl::StatusOr<pb::CheckCallablesResponse> CheckReferences(const pb::CheckCallablesRequest& request, Page page,
                                                             absl::Time deadline) const;
  absl::StatusOr<pb::CheckCallablesResponse> CheckLatest(const pb::CheckCallablesRequest& request, Page page,
                                                         absl::Time deadline) const;

  const std::shared_ptr<store::Store> store_;
  const std::shared_ptr<TemplateLoader> loader_;
};

}  // namespace tasker::registry
