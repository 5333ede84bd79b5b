#include "lib/template/resolve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/template/canonical.h"
#include "lib/template/load.h"
#include "lib/template/retry_schedule.h"

namespace tasker::tmpl {
namespace {

using testing::ElementsAre;

TaskTemplate Template(std::string_view environments) {
  base::IssueList issues;
  auto loaded = LoadTemplate(std::string("name: t\nnamespace_name: n\nversion: 1.0.0\n"
                                         "steps:\n"
                                         "  - {name: a, handler: {callable: A, initialization: {x: 1, y: {p: 1}}}}\n"
                                         "  - {name: b, handler: {callable: B}, timeout_seconds: 9}\n"
                                         "environments:\n") +
                                 std::string(environments),
                             {}, issues);
  EXPECT_FALSE(issues.has_errors()) << issues.Sorted()[0].message;
  return loaded->tmpl;
}

std::string Initialization(const StepDefinition& step) {
  std::string out;
  base::AppendCanonicalJson(step.handler.initialization, out);
  return out;
}

TEST(ResolveTest, MergesInitializationOneLevelDeep) {
  const auto resolved = ResolveForEnvironment(
      Template("  test: {steps: [{name: a, handler: {initialization: {y: {q: 2}, z: null}}}]}\n"), "test");
  EXPECT_TRUE(resolved.environment_defined);
  EXPECT_EQ(Initialization(resolved.tmpl.steps[0]), R"({"x":1,"y":{"q":2},"z":null})");
}

TEST(ResolveTest, AppliesOverridesInTheirOrder) {
  const char* all_last = "  test: {steps: [{name: a, timeout_seconds: 5}, {name: ALL, timeout_seconds: 7}]}\n";
  EXPECT_EQ(ResolveForEnvironment(Template(all_last), "test").tmpl.steps[0].timeout_seconds, 7u);
  const char* all_first = "  test: {steps: [{name: ALL, timeout_seconds: 7}, {name: a, timeout_seconds: 5}]}\n";
  EXPECT_EQ(ResolveForEnvironment(Template(all_first), "test").tmpl.steps[0].timeout_seconds, 5u);
  EXPECT_EQ(ResolveForEnvironment(Template(all_first), "test").tmpl.steps[1].timeout_seconds, 7u);
}

TEST(ResolveTest, ReplacesTheWholeRetryBlock) {
  const auto resolved = ResolveForEnvironment(Template("  test: {steps: [{name: a, retry: {limit: 1}}]}\n"), "test");
  RetryConfiguration expected;
  expected.limit = 1;
  EXPECT_EQ(resolved.tmpl.steps[0].retry, expected);
  EXPECT_EQ(resolved.tmpl.steps[1].retry, DefaultRetry());
}

TEST(ResolveTest, LeavesTheBaseWhereNothingFits) {
  const TaskTemplate base =
      Template("  test: {task_handler: {initialization: {x: 1}}, steps: [{name: nobody, timeout_seconds: 1}]}\n");
  const auto resolved = ResolveForEnvironment(base, "test");
  EXPECT_EQ(resolved.tmpl, base);
  EXPECT_TRUE(resolved.environment_defined);
  const auto unknown = ResolveForEnvironment(base, "production");
  EXPECT_EQ(unknown.tmpl, base);
  EXPECT_FALSE(unknown.environment_defined);
  EXPECT_EQ(unknown.environment, "production");
}

TEST(AllCallablesTest, KeepsOrderAndRepetition) {
  TaskTemplate tmpl = Template("");
  tmpl.task_handler.emplace().callable = "B";
  EXPECT_THAT(AllCallables(tmpl), ElementsAre("B", "A", "B"));
}

TEST(RetryScheduleTest, FollowsTheFormulas) {
  RetryConfiguration retry;
  retry.backoff_base_ms = 10;
  const auto waits = [&](BackoffStrategy backoff) {
    retry.backoff = backoff;
    return RetrySchedule(retry, 6);
  };
  EXPECT_THAT(waits(BackoffStrategy::kNone), ElementsAre(0, 0, 0, 0, 0, 0));
  EXPECT_THAT(waits(BackoffStrategy::kLinear), ElementsAre(10, 20, 30, 40, 50, 60));
  EXPECT_THAT(waits(BackoffStrategy::kExponential), ElementsAre(10, 20, 40, 80, 160, 320));
  EXPECT_THAT(waits(BackoffStrategy::kFibonacci), ElementsAre(10, 10, 20, 30, 50, 80));
  retry.max_backoff_ms = 25;
  EXPECT_THAT(waits(BackoffStrategy::kExponential), ElementsAre(10, 20, 25, 25, 25, 25));
  EXPECT_THAT(RetrySchedule(RetryConfiguration{}, 3), ElementsAre(1000, 2000, 4000));
  EXPECT_THAT(RetrySchedule(RetryConfiguration{}, 0), ElementsAre());
}

TEST(RetryScheduleTest, SaturatesInsteadOfOverflowing) {
  for (const auto backoff : {BackoffStrategy::kLinear, BackoffStrategy::kExponential, BackoffStrategy::kFibonacci}) {
    RetryConfiguration retry;
    retry.backoff = backoff;
    retry.backoff_base_ms = uint64_t{1} << 63;
    EXPECT_EQ(RetrySchedule(retry, 200).back(), ~uint64_t{0});
  }
}

}  // namespace
}  // namespace tasker::tmpl
