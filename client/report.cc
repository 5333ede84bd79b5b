#include "client/report.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "lib/base/issue_text.h"
#include "lib/base/utf8.h"

namespace tasker::client {
namespace {

std::string Counted(size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace

void SetIssues(const base::IssueList& issues, FileReport& report) {
  report.issues = issues.Sorted();
  report.error_count = issues.error_count();
  report.warning_count = issues.warning_count();
  report.omitted_count = issues.omitted_count();
}

std::string DisplayName(std::string_view file) {
  if (file == "-") return "<stdin>";
  std::string name(file);
  for (size_t bad; (bad = base::FindInvalidUtf8(name)) != std::string::npos;) name.replace(bad, 1, "\uFFFD");
  return name;
}

std::string TextReport(std::span<const FileReport> reports, bool color) {
  std::string out;
  for (const FileReport& report : reports) {
    out += base::IssueTexts(report.issues, report.omitted_count, DisplayName(report.file), report.text, {color});
  }
  return out;
}

std::string ReportSummary(std::span<const FileReport> reports) {
  size_t errors = 0;
  size_t warnings = 0;
  for (const FileReport& report : reports) {
    errors += report.error_count;
    warnings += report.warning_count;
  }
  return fmt::format("{} checked: {}, {}", Counted(reports.size(), "file"), Counted(errors, "error"),
                     Counted(warnings, "warning"));
}

base::Json IssueJson(const base::Issue& issue) {
  base::JsonObject out;
  out["severity"] = issue.severity == base::Severity::kError ? "error" : "warning";
  out["code"] = issue.code;
  out["path"] = issue.path;
  if (issue.position.known()) {
    out["line"] = issue.position.line;
    out["column"] = issue.position.column;
  }
  out["message"] = issue.message;
  out["hint"] = issue.hint;
  return out;
}

base::Json JsonReport(std::span<const FileReport> reports) {
  base::JsonArray files;
  uint64_t errors = 0;
  uint64_t warnings = 0;
  for (const FileReport& report : reports) {
    errors += report.error_count;
    warnings += report.warning_count;
    base::JsonArray issues;
    for (const base::Issue& issue : report.issues) issues.push_back(IssueJson(issue));
    base::JsonObject& file = files.emplace_back(base::JsonObject()).as_object();
    file["file"] = DisplayName(report.file);
    if (!report.reference.empty()) file["reference"] = report.reference;
    file["valid"] = report.error_count == 0;
    file["issues"] = std::move(issues);
    file["omitted_issue_count"] = static_cast<uint64_t>(report.omitted_count);
  }
  base::JsonObject out;
  out["valid"] = errors == 0;
  out["error_count"] = errors;
  out["warning_count"] = warnings;
  out["files"] = std::move(files);
  return out;
}

}  // namespace tasker::client
