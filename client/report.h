#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/issue.h"
#include "lib/base/json.h"

/// What was found in templates' texts, in the forms that `validate` writes. All of these are pure.
namespace tasker::client {

/// Of one file.
struct FileReport {
  std::string file;       ///< the path as given; "-" for stdin. Any bytes
  std::string_view text;  ///< what the positions refer to
  std::string reference;  ///< "payments/pay:1.0.0", as far as it could be read
  std::vector<base::Issue> issues;
  size_t error_count = 0;    ///< listed or not
  size_t warning_count = 0;  ///< listed or not
  size_t omitted_count = 0;  ///< how many of both `issues` leaves out
};

/// The code of the issue that a file which cannot be read gets.
inline constexpr std::string_view kFileUnreadable = "FILE_UNREADABLE";

/// Takes over what `issues` collected.
void SetIssues(const base::IssueList& issues, FileReport& report);

/// The path as messages show it: well-formed UTF-8, "<stdin>" for "-".
std::string DisplayName(std::string_view file);

/// Like a compiler's; "" when nothing was found.
std::string TextReport(std::span<const FileReport> reports, bool color);

/// "2 files checked: 1 error, 3 warnings".
std::string ReportSummary(std::span<const FileReport> reports);

/// {valid, error_count, warning_count, files: [{file, reference, valid, issues, omitted_issue_count}]}.
base::Json JsonReport(std::span<const FileReport> reports);

/// {severity, code, path, line, column, message, hint}; without line and column where they are not known.
base::Json IssueJson(const base::Issue& issue);

/// SARIF 2.1.0 (OASIS), for code scanning. Paths below `directory`, an absolute path without a slash at the end, are
/// relative to %SRCROOT%, others absolute; columns count code points.
base::Json SarifReport(std::span<const FileReport> reports, std::string_view directory);

/// GitHub's workflow commands, one line for each issue:
/// https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
std::string GithubReport(std::span<const FileReport> reports);

}  // namespace tasker::client
