#include "lib/diff/render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/diff/templates.h"

namespace tasker::diff {
namespace {

constexpr std::string_view kOld =
    "description: Charge a card\n"
    "input_schema: {type: object, properties: {amount: {type: number}}}\n"
    "steps:\n"
    "  - {name: check, handler: {callable: Check}}\n"
    "  - name: charge\n"
    "    handler: {callable: Charge}\n"
    "    dependencies: [check]\n"
    "    retry: {limit: 3}\n";
constexpr std::string_view kNew =
    "description: Charge a card | `once`\n"
    "input_schema: {type: object, properties: {amount: {type: integer}}}\n"
    "steps:\n"
    "  - name: charge\n"
    "    handler: {callable: Payments::Charge}\n"
    "    dependencies: [check]\n"
    "    retry: {max_attempts: 5}\n"
    "  - {name: check, handler: {callable: Check}}\n"
    "  - {name: receipt, handler: {callable: Receipt}, dependencies: [charge]}\n";

Assessment Example() {
  const auto old_template = Load(kOld);
  const auto new_template = Load(kNew);
  DiffOptions options;
  options.old_document = &old_template.document;
  options.new_document = &new_template.document;
  return Assess(old_template.tmpl, new_template.tmpl, options);
}

RenderOptions Labels() {
  RenderOptions options;
  options.old_label = "payments/charge:1.4.2";
  options.new_label = "charge.yaml";
  options.old_version = tmpl::Version{1, 4, 2};
  options.new_version = tmpl::Version{1, 5, 0};
  return options;
}

// TASKER_UPDATE_GOLDEN=1 writes the files instead.
void ExpectGolden(const std::string& name, const std::string& actual) {
  const std::string path = std::string(TASKER_SOURCE_DIR) + "/tests/diff/golden/" + name;
  if (std::getenv("TASKER_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << actual;
    return;
  }
  std::ostringstream expected;
  expected << std::ifstream(path).rdbuf();
  EXPECT_EQ(actual, expected.str()) << path;
}

TEST(RenderTest, PrintsText) { ExpectGolden("example.txt", RenderText(Example(), Labels())); }

TEST(RenderTest, PrintsColors) {
  RenderOptions options = Labels();
  options.color = true;
  ExpectGolden("example.color.txt", RenderText(Example(), options));
}

TEST(RenderTest, PrintsMarkdown) { ExpectGolden("example.md", RenderMarkdown(Example(), Labels())); }

TEST(RenderTest, PrintsJson) { ExpectGolden("example.json", base::PrettyJson(RenderJson(Example(), Labels())) + "\n"); }

TEST(RenderTest, SaysThatNothingChanged) {
  EXPECT_EQ(RenderText({}, {}), "--- old\n+++ new\nno changes\n");
  EXPECT_EQ(RenderMarkdown({}, {}), "### `old` → `new`\n\nNo changes.\n");
  EXPECT_EQ(base::CanonicalJson(RenderJson({}, {})), R"({"bump":"none","changes":[],"new":"new","old":"old"})");
}

TEST(RenderTest, CountsWhatItLeavesOut) {
  RenderOptions options;
  options.max_changes = 1;
  EXPECT_THAT(RenderText(Example(), options), testing::HasSubstr("and 5 more\n6 changes: 2 major"));
  EXPECT_THAT(RenderMarkdown(Example(), options), testing::HasSubstr("and 5 more\n"));
  EXPECT_EQ(RenderJson(Example(), options).get_object().at("omitted"), Json(uint64_t{5}));
}

TEST(RenderTest, KeepsHostileNamesInTheirPlace) {
  const auto old_template = Template("steps: []\n");
  const auto new_template = Template("steps: [{name: \"a\\n|x``y\\e[31m\", handler: {callable: A}}]\n");
  const Assessment assessment = Assess(old_template, new_template);
  const std::string text = RenderText(assessment, {});
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 5);
  const std::string markdown = RenderMarkdown(assessment, {});
  EXPECT_THAT(markdown, testing::HasSubstr("``` steps[\"a\\n\\|x``y"));
}

}  // namespace
}  // namespace tasker::diff
