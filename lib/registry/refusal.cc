#include "lib/registry/refusal.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "lib/base/json.h"
#include "lib/registry/error.h"
#include "lib/registry/registration_issues.h"

namespace tasker::registry {
namespace {

// "payments.yaml:42:7: message [CODE]; hint", without what is not known.
std::string Line(const base::Issue& issue, const std::string& file_name) {
  std::string line = file_name;
  if (issue.position.known()) {
    line += fmt::format("{}{}:{}", line.empty() ? "" : ":", issue.position.line, issue.position.column);
  }
  line += fmt::format("{}{} [{}]", line.empty() ? "" : ": ", issue.message, issue.code);
  if (!issue.hint.empty()) line += "; " + issue.hint;
  return line;
}

std::string AndMore(std::string text, size_t more) {
  if (more > 0) text += fmt::format(" (and {} more)", more);
  return text;
}

// Of a refusal; empty for an item that can be registered.
std::string_view Reason(store::RegisterOutcome outcome) {
  switch (outcome) {
    case store::RegisterOutcome::kCreated:
    case store::RegisterOutcome::kUnchanged:
    case store::RegisterOutcome::kUnchecked:
      break;
    case store::RegisterOutcome::kConflict:
      return "VERSION_EXISTS";
    case store::RegisterOutcome::kPurged:
      return "VERSION_PURGED";
    case store::RegisterOutcome::kYanked:
      return "VERSION_YANKED";
  }
  return "";
}

}  // namespace

std::string FieldOf(size_t item, bool batch, std::string_view pointer, std::string_view source) {
  std::string field = batch ? fmt::format("sources[{}]", item) : std::string(source);
  for (const std::string& token : base::JsonPointerTokens(pointer)) {
    const bool index = !token.empty() && token.find_first_not_of("0123456789") == std::string::npos;
    field += fmt::format(index ? fmt::runtime("[{}]") : fmt::runtime(".{}"), token);
  }
  return field;
}

absl::Status RefuseInvalid(const Sources& sources, std::span<const CheckedSource> checked, bool batch,
                           std::string_view field) {
  ErrorDetail detail{"TEMPLATE_INVALID", {}, {}};
  size_t errors = 0;
  size_t invalid = 0;
  for (size_t i = 0; i < checked.size(); ++i) {
    if (!checked[i].issues.has_errors()) continue;
    ++invalid;
    errors += checked[i].issues.error_count();
    for (const base::Issue& issue : checked[i].issues.Sorted()) {
      if (detail.violations.size() == kMaxViolations) break;
      if (issue.severity != base::Severity::kError) continue;
      detail.violations.push_back({FieldOf(i, batch, issue.path, field), Line(issue, sources[i]->file_name())});
    }
  }
  if (errors == 0) return absl::OkStatus();
  detail.metadata = {{"error_count", fmt::to_string(errors)}, {"invalid_count", fmt::to_string(invalid)}};
  return Error(absl::StatusCode::kInvalidArgument, AndMore(detail.violations.front().description, errors - 1), detail);
}

absl::Status RefuseConflicts(std::span<const CheckedSource> checked, const store::RegisterResult& stored,
                             std::span<const std::vector<std::string>> differences, bool batch) {
  ErrorDetail detail;
  size_t conflicts = 0;
  for (size_t i = 0; i < checked.size(); ++i) {
    const store::RegisteredItem& item = stored.items[i];
    const std::string_view reason = Reason(item.outcome);
    if (reason.empty()) continue;
    if (conflicts++ == 0) {
      detail.reason = reason;
      detail.metadata = {
          {"reference", checked[i].reference}, {"digest", checked[i].digest}, {"stored_digest", item.stored_digest}};
    }
    if (detail.violations.size() == kMaxViolations) continue;
    detail.violations.push_back({FieldOf(i, batch, "/version"), ConflictMessage(item, differences[i], checked[i])});
  }
  const absl::StatusCode code =
      detail.reason == "VERSION_YANKED" ? absl::StatusCode::kFailedPrecondition : absl::StatusCode::kAlreadyExists;
  return Error(code, AndMore(detail.violations.front().description, conflicts - 1), detail);
}

}  // namespace tasker::registry
