#include "lib/diff/change_class.h"

#include <algorithm>
#include <array>
#include <limits>

namespace tasker::diff {
namespace {

using enum ChangeClass;
using enum Bump;

constexpr auto kClasses = std::to_array<ClassInfo>({
    {kIdentityChanged, "IDENTITY_CHANGED", kMajor, "everybody", "another name or namespace: another template"},
    {kInputSchemaNarrowed, "INPUT_SCHEMA_NARROWED", kMajor, "callers", "an input that was accepted is refused"},
    {kInputSchemaUndecided, "INPUT_SCHEMA_UNDECIDED", kMajor, "callers",
     "it could not be shown that every input that was accepted still is"},
    {kInputSchemaWidened, "INPUT_SCHEMA_WIDENED", kMinor, "nobody", "more inputs are accepted than before"},
    {kInputSchemaEquivalent, "INPUT_SCHEMA_EQUIVALENT", kPatch, "nobody", "the same inputs are accepted"},
    {kEventRemoved, "EVENT_REMOVED", kMajor, "subscribers", "an event is no longer declared"},
    {kEventAdded, "EVENT_ADDED", kMinor, "nobody", "an event is declared that was not"},
    {kEventNoLongerPublished, "EVENT_NO_LONGER_PUBLISHED", kMajor, "subscribers", "no step publishes the event now"},
    {kEventNewlyPublished, "EVENT_NEWLY_PUBLISHED", kMinor, "nobody", "a step publishes an event that none did"},
    {kEventPublisherChanged, "EVENT_PUBLISHER_CHANGED", kMinor, "nobody", "other steps than before publish the event"},
    {kEventDeliveryChanged, "EVENT_DELIVERY_CHANGED", kMajor, "subscribers",
     "an event is published on another condition or delivered in another way"},
    {kEventSchemaWidened, "EVENT_SCHEMA_WIDENED", kMajor, "subscribers",
     "a payload is possible that the old schema refuses"},
    {kEventSchemaUndecided, "EVENT_SCHEMA_UNDECIDED", kMajor, "subscribers",
     "it could not be shown that the old schema accepts every new payload"},
    {kEventSchemaNarrowed, "EVENT_SCHEMA_NARROWED", kMinor, "nobody", "fewer payloads are possible than before"},
    {kEventSchemaEquivalent, "EVENT_SCHEMA_EQUIVALENT", kPatch, "nobody", "the same payloads are possible"},
    {kResultSchemaWidened, "RESULT_SCHEMA_WIDENED", kMajor, "readers of step results",
     "a result is possible that the old schema refuses"},
    {kResultSchemaUndecided, "RESULT_SCHEMA_UNDECIDED", kMajor, "readers of step results",
     "it could not be shown that the old schema accepts every new result"},
    {kResultSchemaNarrowed, "RESULT_SCHEMA_NARROWED", kMinor, "nobody", "fewer results are possible than before"},
    {kResultSchemaEquivalent, "RESULT_SCHEMA_EQUIVALENT", kPatch, "nobody", "the same results are possible"},
    {kStepRemoved, "STEP_REMOVED", kMajor, "readers of step results", "a step is gone, and its result with it"},
    {kStepRenamed, "STEP_RENAMED", kMajor, "readers of step results", "a step has another name"},
    {kStepAdded, "STEP_ADDED", kMinor, "nobody", "a step more; workers need its callable first"},
    {kStepTypeChanged, "STEP_TYPE_CHANGED", kMajor, "workers", "a step is of another type"},
    {kCallableChanged, "CALLABLE_CHANGED", kMajor, "workers", "other code runs the task or a step"},
    {kInitializationChanged, "INITIALIZATION_CHANGED", kMinor, "nobody", "a handler gets other parameters"},
    {kDependencyRemoved, "DEPENDENCY_REMOVED", kMajor, "workers", "a step no longer waits for another and its result"},
    {kDependencyAdded, "DEPENDENCY_ADDED", kMinor, "nobody", "a step waits for one more"},
    {kDependencyImplied, "DEPENDENCY_IMPLIED", kPatch, "nobody",
     "a dependency came or went that other dependencies imply"},
    {kSystemChanged, "SYSTEM_CHANGED", kMinor, "nobody", "other external systems are used"},
    {kRetryEnabled, "RETRY_ENABLED", kMajor, "workers", "a handler that was never run again may be"},
    {kRetryChanged, "RETRY_CHANGED", kPatch, "nobody", "retries happen more or less often, or at other times"},
    {kTimeoutChanged, "TIMEOUT_CHANGED", kPatch, "nobody", "a step may take another time"},
    {kBatchChanged, "BATCH_CHANGED", kMinor, "nobody", "work is cut into other batches"},
    {kLifecycleChanged, "LIFECYCLE_CHANGED", kMinor, "nobody", "other lifecycle limits hold"},
    {kEnvironmentRemoved, "ENVIRONMENT_REMOVED", kMajor, "workers", "an environment is no longer defined"},
    {kEnvironmentChanged, "ENVIRONMENT_CHANGED", kPatch, "nobody", "overrides of an environment differ"},
    {kDocumentationChanged, "DOCUMENTATION_CHANGED", kPatch, "nobody", "descriptions or metadata differ"},
    {kOrderChanged, "ORDER_CHANGED", kPatch, "nobody", "the order of a list that has no meaning"},
    {kExtensionChanged, "EXTENSION_CHANGED", kPatch, "nobody", "keys that the registry gives no meaning"},
    {kVersionChanged, "VERSION_CHANGED", kNone, "nobody", "the version itself"},
});

// Raises one part and clears those below it; carries when it cannot grow.
std::optional<tmpl::Version> Raised(tmpl::Version version, int part) {
  constexpr int32_t kMost = std::numeric_limits<int32_t>::max();
  int32_t* const parts[] = {&version.major, &version.minor, &version.patch};
  for (; part >= 0; --part) {
    const bool can_grow = *parts[part] < kMost;
    if (can_grow) ++*parts[part];
    for (int below = can_grow ? part + 1 : part; below < 3; ++below) *parts[below] = 0;
    if (can_grow) return version;
  }
  return std::nullopt;
}

}  // namespace

std::string_view BumpName(Bump bump) {
  constexpr std::string_view kNames[] = {"none", "patch", "minor", "major"};
  return kNames[static_cast<size_t>(bump)];
}

std::span<const ClassInfo> ChangeClasses() { return kClasses; }

const ClassInfo& InfoOf(ChangeClass id) { return kClasses[static_cast<size_t>(id)]; }

std::optional<tmpl::Version> NextVersion(const tmpl::Version& old, Bump bump) {
  if (bump == kNone) return old;
  // The part that a breaking change raises; a compatible feature raises the one after it.
  const int breaking = old.major > 0 ? 0 : old.minor > 0 ? 1 : 2;
  const int part = bump == kMajor ? breaking : bump == kMinor ? std::min(breaking + 1, 2) : 2;
  return Raised(old, part);
}

bool IsEnough(const tmpl::Version& old, const tmpl::Version& next, Bump bump) {
  const std::optional<tmpl::Version> least = NextVersion(old, bump);
  return least && next >= *least;
}

}  // namespace tasker::diff
