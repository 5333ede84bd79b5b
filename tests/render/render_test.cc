#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "lib/render/describe.h"
#include "lib/render/graph.h"
#include "lib/template/load.h"

namespace tasker::render {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

tmpl::TaskTemplate Load(std::string_view yaml) {
  base::IssueList issues;
  auto loaded = tmpl::LoadTemplate(yaml, {}, issues);
  EXPECT_FALSE(issues.has_errors()) << issues.Sorted()[0].message;
  return loaded ? loaded->tmpl : tmpl::TaskTemplate();
}

tmpl::TaskTemplate Example(const std::string& file) {
  std::ifstream stream(std::string(TASKER_SOURCE_DIR) + "/examples/templates/" + file);
  std::stringstream text;
  text << stream.rdbuf();
  return Load(text.str());
}

tmpl::TaskTemplate WithSteps(const std::vector<std::pair<std::string, std::vector<std::string>>>& steps) {
  tmpl::TaskTemplate tmpl;
  tmpl.name = "t";
  for (const auto& [name, dependencies] : steps) {
    tmpl::StepDefinition step;
    step.name = name;
    step.dependencies = dependencies;
    tmpl.steps.push_back(step);
  }
  return tmpl;
}

size_t LongestLine(const std::string& text) {
  size_t longest = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto columns = std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; });
    longest = std::max(longest, static_cast<size_t>(columns));
  }
  return longest;
}

TEST(DescribeTest, SaysHowTheSpecificationsExampleRuns) {
  const Description description = Describe(Example("credit_card_payment.yaml"));
  EXPECT_EQ(description.waves.size(), 5u);
  EXPECT_THAT(description.critical_path, ElementsAre("validate_payment", "check_fraud", "authorize_payment",
                                                     "capture_payment", "send_confirmation"));
  EXPECT_EQ(description.best_ms, 360'000u);
  // Attempts by timeout: 3·30 + 2·60 + 3·120 + 5·120 + 3·30 s; waits: 3 + 2 + 3 + 7 + 3 s.
  EXPECT_EQ(description.worst_ms, 1'278'000u);
  EXPECT_THAT(description.calls_per_system, ElementsAre(Pair("fraud_detection_api", 2), Pair("notification_service", 3),
                                                        Pair("payment_gateway", 11)));
  EXPECT_THAT(description.timings[3].waits_ms, ElementsAre(1000, 1000, 2000, 3000));
}

TEST(DescribeTest, NamesStepsWithoutTimeoutAndCountsNoRetries) {
  tmpl::TaskTemplate tmpl = WithSteps({{"a", {}}, {"b", {"a"}}});
  tmpl.steps[0].retry.retryable = false;
  tmpl.steps[1].timeout_seconds = 2;
  tmpl.steps[1].retry.limit = 0;
  const Description description = Describe(tmpl);
  EXPECT_THAT(description.untimed_steps, ElementsAre("a"));
  EXPECT_EQ(description.timings[0].attempts, 1u);
  EXPECT_EQ(description.timings[1].attempts, 1u);
  EXPECT_EQ(description.worst_ms, 2000u);
}

TEST(DescribeTest, SaturatesAndTakesEmptyTemplatesAndCycles) {
  tmpl::TaskTemplate tmpl = WithSteps({{"a", {"b"}}, {"b", {"a"}}});
  tmpl.steps[0].timeout_seconds = ~0u;
  tmpl.steps[0].retry.limit = ~0u >> 8;
  tmpl.steps[0].retry.backoff_base_ms = ~uint64_t{0};
  EXPECT_EQ(Describe(tmpl).timings[0].worst_ms, ~uint64_t{0});
  EXPECT_TRUE(Describe(tmpl).critical_path.empty());
  EXPECT_EQ(Describe(tmpl::TaskTemplate()).worst_ms, 0u);
}

TEST(DurationTextTest, ReadsWell) {
  EXPECT_EQ(DurationText(0), "0");
  EXPECT_EQ(DurationText(250), "250 ms");
  EXPECT_EQ(DurationText(1500), "1.5 s");
  EXPECT_EQ(DurationText(150'000), "2 m 30 s");
  EXPECT_EQ(DurationText(7'200'000), "2 h");
  EXPECT_EQ(DurationText(90'000'000), "1 d 1 h");
}

TEST(TextGraphTest, DrawsTheSpecificationsExampleIn80Columns) {
  const std::string drawing = TextGraph(Example("credit_card_payment.yaml"));
  EXPECT_EQ(drawing,
            "● *validate_payment  [payment_gateway]  30 s\n"
            "├─╮\n"
            "│ ● *check_fraud  [fraud_detection_api]  1 m\n"
            "│ │    → fraud.check_completed, fraud.high_risk_detected\n"
            "├─╯\n"
            "●   *authorize_payment  [payment_gateway]  2 m\n"
            "│      → payment.authorized, payment.declined\n"
            "│\n"
            "● *capture_payment  [payment_gateway]  2 m\n"
            "│    → payment.captured, payment.capture_failed\n"
            "│\n"
            "● *send_confirmation  [notification_service]  30 s\n"
            "     → notification.sent, notification.failed\n"
            "* on the critical path\n");
  EXPECT_LE(LongestLine(drawing), 80u);
}

TEST(TextGraphTest, DrawsLanesThatCrossAndJoin) {
  EXPECT_EQ(TextGraph(WithSteps({{"a", {}}, {"b", {}}, {"c", {"a", "b"}}, {"d", {"b"}}, {"e", {"c", "d"}}})),
            "● *a  [default]\n"
            "│ ●  b  [default]\n"
            "├─┤\n"
            "● │ *c  [default]\n"
            "│ │\n"
            "│ ●  d  [default]\n"
            "├─╯\n"
            "●   *e  [default]\n"
            "* on the critical path\n");
}

TEST(TextGraphTest, NamesDependenciesWhereLanesWouldBeTooMany) {
  std::vector<std::pair<std::string, std::vector<std::string>>> steps;
  for (int i = 0; i < 3000; ++i) steps.push_back({fmt::format("s{}", i), {}});
  steps.push_back({"join", {"s0", "s1", "s2999"}});
  for (int i = 0; i < 3000; ++i) steps.push_back({fmt::format("t{}", i), {fmt::format("s{}", i)}});
  const std::string drawing = TextGraph(WithSteps(steps));
  EXPECT_THAT(drawing, HasSubstr("after s0, s1, s2999"));
  EXPECT_LE(LongestLine(drawing), 80u);
}

// Names that would break out of a format if they were anything but text.
constexpr const char* kHostileNames[] = {"<script>alert(1)</script>",
                                         "\"]; drop",
                                         "\\\"; x -> y; \"",
                                         "a\nb --> c",
                                         "#quot;",
                                         "%%{init}%%",
                                         "\\N",
                                         "s1[\"x\"]"};

TEST(EscapingTest, MermaidLabelsAreOnlyText) {
  for (const char* name : kHostileNames) {
    const std::string drawing = Mermaid(WithSteps({{name, {}}}));
    const size_t start = drawing.find("s0[\"") + 4;
    const std::string label = drawing.substr(start, drawing.find("<br/>", start) - start);
    EXPECT_THAT(label, Not(testing::ContainsRegex("[\"<>%\\\\\n]|\\[|\\]"))) << name;
    EXPECT_EQ(std::count(drawing.begin(), drawing.end(), '\n'), 4) << drawing;
  }
}

TEST(EscapingTest, DotStringsEndWhereTheyShould) {
  for (const char* name : kHostileNames) {
    const std::string drawing = Dot(WithSteps({{name, {}}}));
    const size_t start = drawing.find("label=\"") + 7;
    size_t end = start;
    while (drawing[end] != '"') end += drawing[end] == '\\' ? 2 : 1;
    EXPECT_EQ(drawing.substr(end, 8), "\", shape") << drawing;
  }
}

}  // namespace
}  // namespace tasker::render
