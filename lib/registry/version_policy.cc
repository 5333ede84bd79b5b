#include "lib/registry/version_policy.h"

#include <absl/time/clock.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lib/base/utf8.h"
#include "lib/diff/assessment.h"
#include "lib/registry/error.h"
#include "lib/registry/refusal.h"
#include "lib/template/load.h"
#include "lib/template/reference.h"

namespace tasker::registry {
namespace {

constexpr std::string_view kTooSmall = "VERSION_BUMP_TOO_SMALL";
constexpr int kMaxTries = 10;
// Of one item in its message; `tasker-registryctl diff` shows them all.
constexpr size_t kMaxReasons = 20;
constexpr size_t kMaxReasonBytes = 300;

// "CALLABLE_CHANGED steps[a].handler.callable (…): \"A\" -> \"B\", breaks workers"
std::string Reason(const diff::AssessedChange& assessed) {
  std::string reason = fmt::format("{} {}", assessed.info->code, diff::ChangeLine(assessed.change));
  if (!assessed.reason.empty()) reason += fmt::format(", because {}", assessed.reason);
  reason = base::Shortened(reason, kMaxReasonBytes);
  if (assessed.info->bump == diff::Bump::kMajor) reason += fmt::format(", breaks {}", assessed.info->breaks);
  return reason;
}

// What the version does not make plain, the gravest first.
std::string Reasons(const diff::Assessment& assessment, const tmpl::Version& base, const tmpl::Version& version) {
  std::string reasons;
  size_t count = 0;
  for (const diff::AssessedChange& change : assessment.changes) {
    if (diff::IsEnough(base, version, change.info->bump)) continue;
    if (++count <= kMaxReasons) reasons += (reasons.empty() ? "" : "; ") + Reason(change);
  }
  if (count > kMaxReasons) reasons += fmt::format("; and {} more", count - kMaxReasons);
  return reasons;
}

}  // namespace

PolicedBatch::PolicedBatch(store::Store& store, std::span<CheckedSource> checked, std::vector<store::NewVersion>& batch,
                           bool allow_breaking)
    : store_(store), checked_(checked), batch_(batch), allow_breaking_(allow_breaking), found_(batch.size()) {}

absl::StatusOr<store::RegisterResult> PolicedBatch::Register(const store::RegisterOptions& options,
                                                             absl::Time deadline) {
  for (int tries = 0; tries < kMaxTries; ++tries) {
    absl::StatusOr<store::RegisterResult> result = store_.Register(batch_, options, deadline);
    if (!result.ok()) return result;
    if (result->unchecked) {
      if (absl::Status status = Compare(*result, deadline); !status.ok()) return status;
    }
    const bool is_refused = std::any_of(found_.begin(), found_.end(), [](const std::optional<base::Issue>& issue) {
      return issue && issue->severity == base::Severity::kError;
    });
    if (result->unchecked && !is_refused) continue;
    for (size_t i = 0; i < found_.size(); ++i) {
      if (found_[i]) checked_[i].issues.Add(*std::move(found_[i]));
    }
    return result;
  }
  return Error(absl::StatusCode::kAborted,
               "other registrations keep changing what the version policy compares with; try again",
               {"VERSION_POLICY_CONTENDED", {}, {}});
}

absl::Status PolicedBatch::Compare(const store::RegisterResult& result, absl::Time deadline) {
  for (size_t i = 0; i < batch_.size(); ++i) {
    if (result.items[i].outcome != store::RegisterOutcome::kUnchecked) continue;
    if (absl::Status status = CompareItem(i, result.items[i].policy_base, deadline); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status PolicedBatch::CompareItem(size_t item, const store::PolicyBase& base, absl::Time deadline) {
  if (absl::Now() > deadline) return absl::DeadlineExceededError("comparing with the versions before took too long");
  store::NewVersion& version = batch_[item];
  found_[item].reset();
  version.allowance.clear();
  version.checked_against = base.checked_against();
  const absl::StatusOr<std::string> configuration = LoadConfiguration(version, base, deadline);
  if (!configuration.ok()) return configuration.status();
  const absl::StatusOr<tmpl::TaskTemplate> before = tmpl::TemplateFromJsonb(*configuration);
  const absl::StatusOr<tmpl::TaskTemplate> after = tmpl::TemplateFromJsonb(version.configuration);
  if (!before.ok() || !after.ok()) return absl::InternalError("a configuration that was checked cannot be read");
  const tmpl::Version old_version = *tmpl::ParseVersion(base.version);
  const tmpl::Version new_version = *tmpl::ParseVersion(version.version);
  const diff::Assessment assessment = diff::Assess(*before, *after);
  if (diff::IsEnough(old_version, new_version, assessment.bump)) return absl::OkStatus();
  const std::optional<tmpl::Version> next = diff::NextVersion(old_version, assessment.bump);
  const std::string wanted = next ? fmt::format("{} or higher", next->ToString()) : "a higher version than there is";
  const bool is_error = base.is_enforced && !allow_breaking_;
  if (base.is_enforced && allow_breaking_) {
    version.allowance = fmt::format("allowed although the version policy asks for {} after {}", wanted, base.version);
  }
  const Place& place = checked_[item].version;
  found_[item] = {is_error ? base::Severity::kError : base::Severity::kWarning,
                  std::string(kTooSmall),
                  place.path,
                  place.position,
                  fmt::format("{} is too low after {}, {} is wanted: {}", checked_[item].reference, base.version,
                              wanted, Reasons(assessment, old_version, new_version)),
                  fmt::format("use {}", wanted)};
  return absl::OkStatus();
}

absl::StatusOr<std::string> PolicedBatch::LoadConfiguration(const store::NewVersion& version,
                                                            const store::PolicyBase& base, absl::Time deadline) {
  for (const store::NewVersion& other : batch_) {
    const bool is_base =
        other.namespace_name == version.namespace_name && other.name == version.name && other.version == base.version;
    if (is_base) return other.configuration;
  }
  const absl::StatusOr<std::optional<store::StoredVersion>> stored =
      store_.LoadVersion(version.namespace_name, version.name, *tmpl::ParseVersion(base.version), deadline);
  if (!stored.ok()) return stored.status();
  if (*stored) return (*stored)->configuration;
  // Purged since. What is compared instead says the next try.
  return version.configuration;
}

absl::Status RefuseTooSmallBumps(std::span<const CheckedSource> checked, bool batch) {
  ErrorDetail detail{std::string(kTooSmall), {}, {}};
  size_t refused = 0;
  std::string first;
  for (size_t i = 0; i < checked.size(); ++i) {
    for (const base::Issue& issue : checked[i].issues.Sorted()) {
      if (issue.severity != base::Severity::kError || issue.code != kTooSmall) continue;
      if (++refused == 1) {
        first = issue.message;
        detail.metadata = {{"reference", checked[i].reference}};
      }
      detail.violations.push_back({FieldOf(i, batch, "/version"), issue.message});
    }
  }
  if (refused > 1) first += fmt::format(" (and {} more)", refused - 1);
  return Error(absl::StatusCode::kFailedPrecondition, first, detail);
}

}  // namespace tasker::registry
