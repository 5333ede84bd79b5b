#include "lib/registry/comparison.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

#include "lib/diff/compare.h"
#include "lib/registry/checked_source.h"
#include "lib/registry/error.h"
#include "lib/registry/not_found.h"
#include "lib/registry/refusal.h"

namespace tasker::registry {
namespace {

struct Named {
  std::string reference;  // exact
  tmpl::LoadedTemplate loaded;
};

pb::VersionBump ToProto(diff::Bump bump) {
  switch (bump) {
    case diff::Bump::kNone:
      return pb::VERSION_BUMP_NONE;
    case diff::Bump::kPatch:
      return pb::VERSION_BUMP_PATCH;
    case diff::Bump::kMinor:
      return pb::VERSION_BUMP_MINOR;
    case diff::Bump::kMajor:
      return pb::VERSION_BUMP_MAJOR;
  }
  return pb::VERSION_BUMP_UNSPECIFIED;
}

pb::DifferenceKind ToProto(diff::ChangeKind kind) {
  switch (kind) {
    case diff::ChangeKind::kAdded:
      return pb::DIFFERENCE_KIND_ADDED;
    case diff::ChangeKind::kRemoved:
      return pb::DIFFERENCE_KIND_REMOVED;
    case diff::ChangeKind::kChanged:
      return pb::DIFFERENCE_KIND_CHANGED;
    case diff::ChangeKind::kRenamed:
      return pb::DIFFERENCE_KIND_RENAMED;
    case diff::ChangeKind::kMoved:
      return pb::DIFFERENCE_KIND_MOVED;
  }
  return pb::DIFFERENCE_KIND_UNSPECIFIED;
}

// The JSON text of a value that is there and not too long.
std::optional<std::string> ValueText(const std::optional<base::Json>& value) {
  if (!value) return std::nullopt;
  std::string text = base::CanonicalJson(*value);
  return text.size() > kMaxDifferenceValueBytes ? std::nullopt : std::optional(std::move(text));
}

void PutDifference(const diff::AssessedChange& from, pb::Difference& to) {
  const diff::Change& change = from.change;
  to.set_code(std::string(from.info->code));
  to.set_kind(ToProto(change.kind));
  to.set_bump(ToProto(from.info->bump));
  to.set_breaks(std::string(from.info->breaks));
  to.set_place(change.place);
  to.set_old_path(change.old_path);
  to.set_new_path(change.new_path);
  if (auto text = ValueText(change.old_value)) to.set_old_value_json(*std::move(text));
  if (auto text = ValueText(change.new_value)) to.set_new_value_json(*std::move(text));
  to.set_old_line(change.old_position.line);
  to.set_new_line(change.new_position.line);
  to.set_reason(from.reason);
  if (auto text = ValueText(from.counterexample)) to.set_counterexample_json(*std::move(text));
}

void PutDifferences(const diff::Assessment& assessment, pb::CompareTemplatesResponse& response) {
  size_t room = kMaxDifferenceBytes;
  int32_t omitted = 0;
  for (const diff::AssessedChange& change : assessment.changes) {
    pb::Difference difference;
    if (omitted == 0) PutDifference(change, difference);
    const size_t bytes = difference.ByteSizeLong();
    if (omitted > 0 || bytes > room) {
      ++omitted;
      continue;
    }
    room -= bytes;
    *response.add_differences() = std::move(difference);
  }
  response.set_omitted_difference_count(omitted);
}

absl::StatusOr<Named> LoadRegistered(TemplateLoader& loader, const std::string& reference, absl::Time deadline) {
  const absl::StatusOr<store::StoredVersion> stored = loader.LoadStored(reference, deadline);
  if (!stored.ok()) return stored.status();
  absl::StatusOr<tmpl::LoadedTemplate> loaded = LoadWithPositions(*stored);
  if (!loaded.ok()) return loaded.status();
  return Named{ExactReference(stored->summary), *std::move(loaded)};
}

absl::StatusOr<Named> LoadSource(const pb::TemplateSource& source, const tmpl::ReadLimits& limits) {
  std::optional<tmpl::Document> document;
  CheckedSource checked = CheckSource(source, limits, &document);
  if (absl::Status refusal = RefuseInvalid({&source}, {&checked, 1}, false, "new_source"); !refusal.ok()) {
    return refusal;
  }
  return Named{std::move(checked.reference), {*std::move(checked.tmpl), *std::move(document)}};
}

bool HasEnvironments(const pb::CompareTemplatesRequest& request) {
  return request.has_old_environment() || request.has_new_environment();
}

absl::StatusOr<diff::SideComparison> CompareNamed(const pb::CompareTemplatesRequest& request, const Named& before,
                                                  const Named& after) {
  diff::Side old_side{before.loaded};
  diff::Side new_side{after.loaded};
  if (HasEnvironments(request)) {
    old_side.environment = request.old_environment();
    new_side.environment = request.new_environment();
    for (const std::string* environment : {&request.old_environment(), &request.new_environment()}) {
      if (diff::IsKnownEnvironment(*environment, before.loaded.tmpl, after.loaded.tmpl)) continue;
      return EnvironmentNotDefined(before.reference, *environment, before.loaded.tmpl);
    }
  }
  return diff::CompareSides(old_side, new_side);
}

}  // namespace

Comparison::Comparison(std::shared_ptr<TemplateLoader> loader, tmpl::ReadLimits limits)
    : loader_(std::move(loader)), limits_(limits) {}

absl::StatusOr<pb::CompareTemplatesResponse> Comparison::Compare(const pb::CompareTemplatesRequest& request,
                                                                 absl::Time deadline) const {
  const bool one_side = !request.has_new_source() && request.new_reference().empty();
  if (one_side && !HasEnvironments(request)) {
    return InvalidField("new_reference", "is empty, and so are new_source and the environments: nothing to compare");
  }
  const absl::StatusOr<Named> before = LoadRegistered(*loader_, request.old_reference(), deadline);
  if (!before.ok()) return before.status();
  std::optional<Named> other;
  if (!one_side) {
    absl::StatusOr<Named> loaded = request.has_new_source()
                                       ? LoadSource(request.new_source(), limits_)
                                       : LoadRegistered(*loader_, request.new_reference(), deadline);
    if (!loaded.ok()) return loaded.status();
    other = *std::move(loaded);
  }
  const Named& after = other ? *other : *before;
  const absl::StatusOr<diff::SideComparison> comparison = CompareNamed(request, *before, after);
  if (!comparison.ok()) return comparison.status();
  pb::CompareTemplatesResponse response;
  response.set_old_reference(before->reference);
  response.set_new_reference(after.reference);
  response.set_bump(ToProto(comparison->assessment.bump));
  if (comparison->next_version) response.set_next_version(comparison->next_version->ToString());
  response.set_is_bump_enough(comparison->is_bump_enough);
  PutDifferences(comparison->assessment, response);
  return response;
}

}  // namespace tasker::registry
