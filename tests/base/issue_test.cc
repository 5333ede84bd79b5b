#include "lib/base/issue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/issue_text.h"

namespace tasker::base {
namespace {

TEST(IssueListTest, SortsByPositionAndCountsWhatItLeavesOut) {
  IssueList issues(3);
  issues.AddWarning("W", "", {1, 1}, "first");
  issues.AddError("E", "", {9, 1}, "late");
  issues.AddError("E", "", {2, 5}, "early");
  issues.AddError("E", "", {2, 1}, "earlier");
  issues.AddError("E", "", {1, 1}, "not listed");
  const std::vector<Issue> listed = issues.Sorted();
  ASSERT_EQ(listed.size(), 3u);
  EXPECT_EQ(listed[0].message, "earlier");
  EXPECT_EQ(listed[1].message, "early");
  EXPECT_EQ(listed[2].message, "late");
  EXPECT_EQ(issues.omitted_count(), 2u);
  EXPECT_EQ(issues.error_count(), 4u);
  EXPECT_EQ(issues.warning_count(), 1u);
}

TEST(IssueTextTest, PutsTheCaretUnderTheWord) {
  const Issue issue{Severity::kError, "STEP_DEPENDENCY_UNKNOWN", "/steps/0", {2, 16}, "no such step", "look again"};
  EXPECT_EQ(IssueText(issue, "a.yaml", "steps:\n\tdependenciés: x\n"),
            "a.yaml:2:16: error: no such step [STEP_DEPENDENCY_UNKNOWN]\n"
            "    2 |  dependenciés: x\n"
            "      |               ^\n"
            "help: look again\n");
}

TEST(IssueTextTest, CutsALongLineAroundTheCaret) {
  const std::string text = std::string(1000, 'a') + "X" + std::string(1000000, 'b');
  const Issue issue{Severity::kWarning, "C", "", {1, 1001}, "m", ""};
  const std::string out = IssueText(issue, "f", text);
  EXPECT_LT(out.size(), 500u);
  const size_t caret = out.rfind('^') - (out.rfind('\n', out.rfind('^')) + 1);
  const size_t line = out.find('\n') + 1;
  EXPECT_EQ(out[line + caret], 'X');
}

TEST(IssueTextTest, ShowsThePathWhereThereIsNoText) {
  const Issue issue{Severity::kError, "C", "/steps/0", {}, "m", ""};
  EXPECT_EQ(IssueText(issue, "request", ""), "request: error: m [C]\n  at: /steps/0\n");
}

}  // namespace
}  // namespace tasker::base
