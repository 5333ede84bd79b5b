#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "lib/base/issue_text.h"
#include "lib/validate/check.h"

namespace tasker::validate {

inline std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

inline base::IssueList Check(std::string_view text, tmpl::LoadOptions options = {}) {
  base::IssueList issues;
  LoadAndCheck(text, options, issues);
  return issues;
}

/// What the command line prints for `text`, without blanks at the ends of lines.
inline std::string Report(std::string_view text, std::string_view file) {
  const base::IssueList issues = Check(text);
  std::string report;
  for (const char c : base::IssueTexts(issues.Sorted(), issues.omitted_count(), file, text)) {
    while (c == '\n' && report.ends_with(' ')) report.pop_back();
    report += c;
  }
  return report;
}

}  // namespace tasker::validate
