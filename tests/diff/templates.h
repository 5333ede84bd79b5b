#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "lib/base/issue.h"
#include "lib/template/load.h"

namespace tasker::diff {

inline constexpr std::string_view kHead = "name: t\nnamespace_name: n\nversion: 1.0.0\n";

/// Reads a template; `body` is what follows its name and version.
inline tmpl::LoadedTemplate Load(std::string_view body, std::string_view head = kHead) {
  base::IssueList issues;
  tmpl::LoadOptions options;
  options.keep_unknown_keys = true;
  auto loaded = tmpl::LoadTemplate(std::string(head) + std::string(body), options, issues);
  EXPECT_FALSE(issues.has_errors()) << issues.Sorted()[0].message << "\n" << body;
  return std::move(*loaded);
}

inline tmpl::TaskTemplate Template(std::string_view body, std::string_view head = kHead) {
  return Load(body, head).tmpl;
}

}  // namespace tasker::diff
