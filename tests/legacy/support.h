#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "lib/base/issue_text.h"
#include "lib/base/json.h"
#include "lib/legacy/convert.h"
#include "lib/template/canonical.h"
#include "lib/template/load.h"

namespace tasker::legacy {

/// The conversion, which the test expects to succeed; an empty one otherwise.
inline Conversion MustConvert(const std::string& old_text, const std::string& namespace_name = "") {
  base::IssueList issues;
  ConvertOptions options;
  options.namespace_name = namespace_name;
  std::optional<Conversion> conversion = Convert(old_text, options, issues);
  EXPECT_TRUE(conversion.has_value()) << base::IssueTexts(issues.Sorted(), 0, "old.yaml", old_text);
  EXPECT_EQ(conversion.has_value(), !issues.has_errors());
  return conversion.value_or(Conversion());
}

/// The issues of a conversion that the test expects to fail.
inline std::vector<base::Issue> IssuesOf(const std::string& old_text, const std::string& namespace_name = "") {
  base::IssueList issues;
  ConvertOptions options;
  options.namespace_name = namespace_name;
  EXPECT_FALSE(Convert(old_text, options, issues).has_value()) << old_text;
  EXPECT_TRUE(issues.has_errors());
  return issues.Sorted();
}

/// The template's canonical JSON, defaults filled in.
inline base::Json CanonicalOf(const std::string& yaml) {
  base::IssueList issues;
  const auto loaded = tmpl::LoadTemplate(yaml, {}, issues);
  EXPECT_TRUE(loaded.has_value() && !issues.has_errors())
      << base::IssueTexts(issues.Sorted(), 0, "new.yaml", yaml) << yaml;
  return loaded ? tmpl::ToJson(loaded->tmpl) : base::Json();
}

/// Every scalar of the old text that is neither in the new text nor in a note: values, and the keys that have one.
std::vector<std::string> Vanished(const std::string& old_text, const Conversion& conversion);

}  // namespace tasker::legacy
