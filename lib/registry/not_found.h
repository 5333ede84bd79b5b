#pragma once

#include <absl/status/status.h>

#include <string_view>

#include "lib/store/store.h"
#include "lib/template/model.h"
#include "lib/template/reference.h"

namespace tasker::registry {

/// NOT_FOUND for a reference that names nothing, with the nearest thing that exists: reason NAMESPACE_NOT_FOUND,
/// TEMPLATE_NOT_FOUND, VERSION_NOT_FOUND, CHANNEL_NOT_FOUND or DIGEST_NOT_FOUND; metadata "reference" and, where there
/// is one, "nearest". VERSION_PURGED, with when and why, for what was purged.
absl::Status ReferenceNotFound(const tmpl::Reference& reference, const store::Neighbours& neighbours);

/// NOT_FOUND, reason CHANNEL_YANKED: the channel that `reference` names points at `yanked`. Metadata "reference" and
/// "version".
absl::Status ChannelYanked(const tmpl::Reference& reference, const store::VersionSummary& yanked);

/// NOT_FOUND, reason STEP_NOT_FOUND, with the nearest step. `exact` is the template's exact reference.
absl::Status StepNotFound(std::string_view exact, std::string_view step_name, const tmpl::TaskTemplate& tmpl);

/// NOT_FOUND, reason EVENT_NOT_FOUND, with the nearest event that the template declares or publishes.
absl::Status EventNotFound(std::string_view exact, std::string_view event_name, const tmpl::TaskTemplate& tmpl);

/// FAILED_PRECONDITION, reason ENVIRONMENT_NOT_DEFINED, naming the environments that are.
absl::Status EnvironmentNotDefined(std::string_view exact, std::string_view environment,
                                   const tmpl::TaskTemplate& tmpl);

}  // namespace tasker::registry
