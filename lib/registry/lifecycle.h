#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <memory>

#include "lib/registry/registrar.h"
#include "lib/registry/template_loader.h"
#include "lib/store/store.h"
#include "tasker/registry/v1/registry.pb.h"

namespace tasker::registry {

namespace pb = ::tasker::registry::v1;

/// Channels, states, purge and version policies: docs/channels-and-states.md says what each does. What is so already
/// is OK and takes no revision. Constant after construction; safe to call from any thread.
///
/// All of them: INVALID_ARGUMENT for a malformed request, NOT_FOUND as in not_found.h, otherwise as the store fails.
class Lifecycle {
 public:
  /// `loader` is told of every state that changes.
  Lifecycle(std::shared_ptr<store::Store> store, std::shared_ptr<TemplateLoader> loader);

  /// ABORTED CHANNEL_MOVED: it does not point at `expected_version`; FAILED_PRECONDITION VERSION_YANKED.
  absl::StatusOr<pb::SetChannelResponse> SetChannel(const pb::SetChannelRequest& request, const Caller& caller) const;
  /// ABORTED CHANNEL_MOVED.
  absl::StatusOr<pb::DeleteChannelResponse> DeleteChannel(const pb::DeleteChannelRequest& request,
                                                          const Caller& caller) const;
  /// FAILED_PRECONDITION VERSION_YANKED.
  absl::StatusOr<pb::DeprecateTemplateResponse> Deprecate(const pb::DeprecateTemplateRequest& request,
                                                          const Caller& caller) const;
  absl::StatusOr<pb::YankTemplateResponse> Yank(const pb::YankTemplateRequest& request, const Caller& caller) const;
  absl::StatusOr<pb::RestoreTemplateResponse> Restore(const pb::RestoreTemplateRequest& request,
                                                      const Caller& caller) const;
  /// FAILED_PRECONDITION VERSION_NOT_YANKED, CHANNEL_POINTS_HERE.
  absl::StatusOr<pb::PurgeTemplateResponse> Purge(const pb::PurgeTemplateRequest& request, const Caller& caller) const;
  absl::StatusOr<pb::SetVersionPolicyResponse> SetVersionPolicy(const pb::SetVersionPolicyRequest& request,
                                                                const Caller& caller) const;

 private:
  struct StateChange;
  struct Changed;
  absl::StatusOr<Changed> SetState(const StateChange& change, const Caller& caller) const;

  const std::shared_ptr<store::Store> store_;
  const std::shared_ptr<TemplateLoader> loader_;
};

}  // namespace tasker::registry
