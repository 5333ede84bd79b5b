#include "lib/validate/check.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/validate/support.h"

namespace tasker::validate {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const fs::path kSource = TASKER_SOURCE_DIR;

std::vector<std::string> Codes(std::string_view text, tmpl::LoadOptions options = {}) {
  std::vector<std::string> codes;
  for (const base::Issue& issue : Check(text, options).Sorted()) {
    codes.push_back(fmt::format("{}:{} {}", issue.position.line, issue.position.column, issue.code));
  }
  return codes;
}

std::string Template(std::string_view rest) {
  return "name: t\nnamespace_name: n\nversion: 1.0.0\n" + std::string(rest);
}

struct Golden {
  const char* name;
  const char* text;    // below the source folder
  const char* report;  // below tests/validate/golden
};

class GoldenReportTest : public testing::TestWithParam<Golden> {};

TEST_P(GoldenReportTest, MatchesTheFile) {
  const std::string text = ReadFile(kSource / GetParam().text);
  const std::string report = Report(text, fs::path(GetParam().text).filename().string());
  EXPECT_EQ(report, ReadFile(kSource / "tests" / "validate" / "golden" / GetParam().report))
      << "paste this into " << GetParam().report << ":\n"
      << report;
}

INSTANTIATE_TEST_SUITE_P(
    Reports, GoldenReportTest,
    testing::Values(Golden{"ManyMistakes", "tests/validate/golden/many_mistakes.yaml", "many_mistakes.txt"},
                    Golden{"Traps", "tests/validate/golden/traps.yaml", "traps.txt"},
                    Golden{"TheSpecificationsExample", "examples/templates/credit_card_payment.yaml",
                           "credit_card_payment.txt"}),
    [](const auto& param_info) { return std::string(param_info.param.name); });

// Six undeclared events, two keys beside the map they belong to, one declared system without a user; nothing else.
TEST(CheckTest, WarnsOfTheSpecificationsExampleAsItDeserves) {
  const base::IssueList issues = Check(ReadFile(kSource / "examples/templates/credit_card_payment.yaml"));
  EXPECT_EQ(issues.error_count(), 0u);
  std::map<std::string, int> counts;
  for (const base::Issue& issue : issues.Sorted()) ++counts[issue.code];
  EXPECT_EQ(counts,
            (std::map<std::string, int>{{"EVENT_UNDECLARED", 6}, {"OVERRIDE_KEY_UNKNOWN", 2}, {"SYSTEM_UNUSED", 1}}));
}

TEST(CheckTest, AcceptsEveryTemplateOfTheCorpus) {
  const char* const named = std::getenv("TASKER_CORPUS");
  const fs::path corpus = (named != nullptr ? fs::path(named) : kSource / ".." / "shared" / "corpus") / "templates";
  if (!fs::exists(corpus)) GTEST_SKIP() << "no corpus at " << corpus << "; set TASKER_CORPUS to its folder";
  tmpl::LoadOptions options;
  options.keep_unknown_keys = true;
  for (const auto& file : fs::directory_iterator(corpus)) {
    EXPECT_EQ(Check(ReadFile(file.path()), options).error_count(), 0u) << file.path();
  }
}

TEST(CheckTest, KeepsUnknownKeysWithAWarning) {
  const std::string text = Template("steps: [{name: a, handler: {callable: A}, colour: red}]\n");
  EXPECT_THAT(Codes(text), ElementsAre("4:43 KEY_UNKNOWN"));
  tmpl::LoadOptions options;
  options.keep_unknown_keys = true;
  base::IssueList issues;
  const auto loaded = LoadAndCheck(text, options, issues);
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(issues.warning_count(), 1u);
  EXPECT_EQ(loaded->tmpl.steps[0].extensions.at("colour"), "red");
}

TEST(CheckTest, GivesNoTemplateWhenThereAreErrors) {
  base::IssueList issues;
  EXPECT_FALSE(LoadAndCheck(Template("steps: []\n"), {}, issues).has_value());
  EXPECT_TRUE(issues.has_errors());
}

TEST(CheckTest, ListsTwoHundredIssuesAndCountsTheRest) {
  std::string text = Template("steps:\n");
  for (int i = 0; i < 300; ++i) text += fmt::format("  - {{name: 's {}', handler: {{callable: A}}}}\n", i);
  const base::IssueList issues = Check(text);
  EXPECT_EQ(issues.error_count(), 300u);
  EXPECT_EQ(issues.Sorted().size(), 200u);
  EXPECT_THAT(Report(text, "t.yaml"), HasSubstr("t.yaml: 100 more issues are not listed"));
}

// The rules run group by group; their reports are still those of one reader going down the text.
TEST(CheckTest, ReportsInTheOrderOfTheText) {
  EXPECT_THAT(Codes("environments: {test: {steps: [{name: x, timeout_seconds: 1}]}}\n"
                    "steps:\n"
                    "  - {name: a, handler: {callable: A}, dependencies: [b], timeout_seconds: 0, colour: red}\n"
                    "namespace_name: n\nname: t\nversion: one\n"),
              ElementsAre("1:38 OVERRIDE_STEP_UNKNOWN", "3:54 STEP_DEPENDENCY_UNKNOWN", "3:75 TIMEOUT_OUT_OF_RANGE",
                          "3:78 KEY_UNKNOWN", "6:10 VERSION_INVALID"));
}

// Mistakes of shape must not draw others after them: what is missing is not also misnamed, empty or unknown.
TEST(CheckTest, ReportsOneMistakeOnce) {
  EXPECT_THAT(Codes("{}"),
              ElementsAre("1:1 FIELD_REQUIRED", "1:1 FIELD_REQUIRED", "1:1 FIELD_REQUIRED", "1:1 STEPS_EMPTY"));
  EXPECT_THAT(Codes(Template("steps: none\n")), ElementsAre("4:8 TYPE_MISMATCH"));
  EXPECT_THAT(Codes(Template("steps:\n  - {name: , handler: {callable: }}\n")),
              ElementsAre("5:6 FIELD_REQUIRED", "5:24 FIELD_REQUIRED"));
  EXPECT_THAT(Codes(Template("task_handler: T\nsteps: [{name: a, handler: {callable: A}}]\n"
                             "environments: {test: {task_handler: {initialization: {x: 1}}}}\n")),
              ElementsAre("4:15 TYPE_MISMATCH"));
}

TEST(CheckTest, KnowsThePlaceBehindAnItemOfAWrongType) {
  EXPECT_THAT(Codes(Template("steps:\n  - text\n  - {name: a, handler: {callable: A}, dependencies: [b]}\n")),
              ElementsAre("5:5 TYPE_MISMATCH", "6:54 STEP_DEPENDENCY_UNKNOWN"));
}

TEST(CheckTest, PointsAtTheKeyAsItIsSpelt) {
  const std::string text =
      Template("steps: [{name: a, handler: {callable: A}, depends_on: [b], retry: {max_attempts: 999}}]\n");
  std::vector<std::string> paths;
  for (const base::Issue& issue : Check(text).Sorted()) paths.push_back(issue.path);
  EXPECT_THAT(paths, ElementsAre("/steps/0/depends_on/0", "/steps/0/retry/max_attempts"));
}

TEST(CheckTest, FindsOneCycleForEachGroup) {
  const base::IssueList issues =
      Check(Template("steps:\n"
                     "  - {name: a, handler: {callable: A}, dependencies: [b, c]}\n"
                     "  - {name: b, handler: {callable: A}, dependencies: [c]}\n"
                     "  - {name: c, handler: {callable: A}, dependencies: [a]}\n"
                     "  - {name: d, handler: {callable: A}, dependencies: [a, e]}\n"
                     "  - {name: e, handler: {callable: A}, dependencies: [d]}\n"));
  std::vector<std::string> messages;
  for (const base::Issue& issue : issues.Sorted()) messages.push_back(issue.message);
  EXPECT_THAT(messages, ElementsAre("steps depend on each other in a circle: a → c → a",
                                    "steps depend on each other in a circle: d → e → d"));
}

TEST(CheckTest, TakesTimestampsOfRfc3339) {
  const auto codes = [](std::string_view timestamp) {
    return Codes(Template(
        fmt::format("metadata: {{created_at: '{}'}}\nsteps: [{{name: a, handler: {{callable: A}}}}]\n", timestamp)));
  };
  for (const char* good : {"2024-01-01T00:00:00Z", "2024-02-29t23:59:60z", "2024-01-01 00:00:00.123456789+05:30"}) {
    EXPECT_THAT(codes(good), IsEmpty()) << good;
  }
  for (const char* bad : {"", "2024", "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-01T24:00:00Z",
                          "2024-01-01T00:00:00", "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00+5:30",
                          "2024-01-01T00:00:00Z ", "2024-01-01T00:00Z", "24-01-01T00:00:00Z"}) {
    EXPECT_THAT(codes(bad), ElementsAre("4:24 TIMESTAMP_INVALID")) << bad;
  }
}

TEST(CheckTest, SaysNothingOfRetryFieldsThatNoLongerMatter) {
  EXPECT_THAT(Codes(Template("steps:\n"
                             "  - name: a\n"
                             "    retry: {limit: 2, backoff: linear, backoff_base_ms: 5, max_backoff_ms: 9}\n"
                             "    handler: {callable: A}\n"
                             "environments:\n"
                             "  one: {steps: [{name: a, retry: {limit: 1, backoff: none}}]}\n"
                             "  two: {steps: [{name: a, retry: {retryable: false}}]}\n")),
              IsEmpty());
}

TEST(CheckTest, ReportsAnAllOverrideOnceForAllSteps) {
  const base::IssueList issues =
      Check(Template("steps:\n"
                     "  - {name: a, handler: {callable: A}, retry: {retryable: false}}\n"
                     "  - {name: b, handler: {callable: A}, retry: {retryable: false}}\n"
                     "  - {name: c, handler: {callable: A}, retry: {retryable: false}}\n"
                     "environments: {test: {steps: [{name: ALL, retry: {limit: 1}}]}}\n"));
  ASSERT_EQ(issues.Sorted().size(), 1u);
  EXPECT_THAT(issues.Sorted()[0].message, HasSubstr("for step 'a' (and of 2 other steps)"));
}

TEST(CheckTest, GivesTheLintsOfOneEnvironment) {
  base::IssueList issues;
  const auto loaded = LoadAndCheck(Template("steps: [{name: a, handler: {callable: A}}]\n"
                                            "environments:\n"
                                            "  test: {steps: [{name: x, timeout_seconds: 1}]}\n"
                                            "  test2: {steps: [{name: y, timeout_seconds: 1}]}\n"),
                                   {}, issues);
  ASSERT_TRUE(loaded.has_value());
  const std::vector<base::Issue> lints = EnvironmentLints(loaded->tmpl, loaded->document, "test");
  ASSERT_EQ(lints.size(), 1u);
  EXPECT_EQ(lints[0].path, "/environments/test/steps/0/name");
  EXPECT_THAT(EnvironmentLints(loaded->tmpl, loaded->document, "nowhere"), IsEmpty());
}

// A template that came as a message has no text: paths instead of positions.
TEST(CheckTest, ChecksATreeWithoutText) {
  const tmpl::Document document = tmpl::Document::FromJson(base::JsonObject{
      {"name", "t"},
      {"namespace_name", "n"},
      {"version", "1"},
      {"steps", base::JsonArray{base::JsonObject{{"name", "a"}, {"handler", base::JsonObject{{"callable", "A"}}}}}}});
  base::IssueList issues;
  const auto tmpl = tmpl::BuildTemplate(document, {}, issues);
  ASSERT_TRUE(tmpl.has_value());
  CheckTemplate(*tmpl, document, issues);
  ASSERT_EQ(issues.Sorted().size(), 1u);
  EXPECT_EQ(issues.Sorted()[0].path, "/version");
  EXPECT_FALSE(issues.Sorted()[0].position.known());
}

}  // namespace
}  // namespace tasker::validate
