#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "lib/render/graph.h"

namespace tasker::render {
namespace {

using testing::HasSubstr;
using testing::Not;

tmpl::TaskTemplate Chain(size_t steps, const std::string& prefix) {
  tmpl::TaskTemplate tmpl;
  tmpl.name = prefix;
  for (size_t i = 0; i < steps; ++i) {
    tmpl::StepDefinition step;
    step.name = prefix + std::to_string(i);
    if (i > 0) step.dependencies = {prefix + std::to_string(i - 1)};
    tmpl.steps.push_back(step);
  }
  return tmpl;
}

TEST(SvgTest, DrawsStepsAndArrows) {
  const absl::StatusOr<std::string> svg = Svg(Chain(3, "step"));
  ASSERT_TRUE(svg.ok()) << svg.status();
  EXPECT_THAT(*svg, HasSubstr("<svg"));
  EXPECT_THAT(*svg, HasSubstr("step2"));
  EXPECT_THAT(*svg, HasSubstr("s0&#45;&gt;s1"));
}

TEST(SvgTest, ShowsHostileNamesAsText) {
  const absl::StatusOr<std::string> svg = Svg(Chain(2, "<script>alert(1)</script>\"]; drop é\xF0\x9F\x98\x80"));
  ASSERT_TRUE(svg.ok()) << svg.status();
  EXPECT_THAT(*svg, Not(HasSubstr("<script")));
  EXPECT_THAT(*svg, HasSubstr("&lt;script&gt;"));
}

TEST(SvgTest, RefusesGraphsThatWouldTakeTooLong) {
  EXPECT_EQ(Svg(Chain(kMaxSvgSteps + 1, "s")).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(SvgTest, RefusesArrowsThatWouldTakeTooLong) {
  tmpl::TaskTemplate dense = Chain(60, "s");
  for (size_t to = 0; to < dense.steps.size(); ++to) {
    dense.steps[to].dependencies.clear();
    for (size_t from = 0; from < to; ++from) dense.steps[to].dependencies.push_back(dense.steps[from].name);
  }
  EXPECT_EQ(Svg(dense).status().code(), absl::StatusCode::kResourceExhausted);
  dense.steps.resize(20);
  EXPECT_TRUE(Svg(dense).ok());
}

TEST(SvgTest, HoldsNoCharacterThatXmlDoesNotAllow) {
  tmpl::TaskTemplate tmpl = Chain(1, "s");
  tmpl.steps[0].system_dependency = "a\x01\u0085\uFFFE\uFFFF\u202Eb";
  const absl::StatusOr<std::string> svg = Svg(tmpl);
  ASSERT_TRUE(svg.ok()) << svg.status();
  EXPECT_THAT(*svg, HasSubstr(">a &#160;&#160;&#160;&#160;b<"));
}

TEST(SvgTest, CanBeCalledFromManyThreads) {
  const std::string expected = *Svg(Chain(5, "s"));
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { EXPECT_EQ(*Svg(Chain(5, "s")), expected); });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace tasker::render
