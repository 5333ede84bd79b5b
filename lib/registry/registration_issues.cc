#include "lib/registry/registration_issues.h"

#include <absl/time/time.h>
#include <fmt/format.h>

#include <string_view>
#include <unordered_map>

#include "lib/registry/error.h"
#include "lib/template/reference.h"

namespace tasker::registry {

void ReportTwins(std::vector<CheckedSource>& checked) {
  std::unordered_map<std::string_view, size_t> first;
  for (size_t i = 0; i < checked.size(); ++i) {
    if (checked[i].digest.empty()) continue;  // has errors
    const auto [found, is_new] = first.emplace(checked[i].reference, i);
    if (is_new || checked[found->second].digest == checked[i].digest) continue;
    checked[i].issues.AddError("BATCH_IDENTITY_TWICE", checked[i].version.path, checked[i].version.position,
                               fmt::format("{} stands in this batch already, as item {}, with other content",
                                           checked[i].reference, found->second),
                               "give one of them another version");
  }
}

void ReportEventDifferences(const store::RegisteredItem& stored, CheckedSource& checked) {
  const std::string namespace_name = checked.reference.substr(0, checked.reference.find('/'));
  for (const store::EventDifference& difference : stored.event_differences) {
    const Place& place = checked.events[difference.event];
    checked.issues.AddWarning(
        "EVENT_SCHEMA_DIFFERS", place.path, place.position,
        fmt::format("event '{}' has another schema in {}", difference.event,
                    tmpl::ExactReference(namespace_name, difference.template_name, difference.version)),
        "one event has one schema in a namespace: align them, or give this one another name");
  }
}

void ReportConflict(const store::RegisteredItem& stored, std::span<const std::string> difference,
                    CheckedSource& checked) {
  const auto add = [&](std::string_view code) {
    checked.issues.AddError(code, checked.version.path, checked.version.position,
                            ConflictMessage(stored, difference, checked));
  };
  switch (stored.outcome) {
    case store::RegisterOutcome::kCreated:
    case store::RegisterOutcome::kUnchanged:
    case store::RegisterOutcome::kUnchecked:
      return;
    case store::RegisterOutcome::kConflict:
      return add("VERSION_EXISTS");
    case store::RegisterOutcome::kPurged:
      return add("VERSION_PURGED");
    case store::RegisterOutcome::kYanked:
      return add("VERSION_YANKED");
  }
}

std::string ConflictMessage(const store::RegisteredItem& stored, std::span<const std::string> difference,
                            const CheckedSource& checked) {
  const std::string reason = stored.message.empty() ? "" : fmt::format(" ({})", stored.message);
  switch (stored.outcome) {
    case store::RegisterOutcome::kPurged:
      return fmt::format(
          "{} had other content and was purged at {}{}; only the content of before may return, take a new version",
          checked.reference, TimeText(stored.stored_time), reason);
    case store::RegisterOutcome::kYanked:
      return fmt::format("{} is yanked{}, so no channel can point at it; restore it first, or take a new version",
                         checked.reference, reason);
    default:
      return fmt::format("{} is registered with other content{}{}; a version never changes, take a new one",
                         checked.reference, difference.empty() ? "" : ": ", fmt::join(difference, "; "));
  }
}

}  // namespace tasker::registry
