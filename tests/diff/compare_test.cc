#include "lib/diff/compare.h"

#include <gtest/gtest.h>

#include "tests/diff/templates.h"

namespace tasker::diff {
namespace {

constexpr std::string_view kBody =
    "steps:\n"                                                                    // line 4
    "  - {name: a, handler: {callable: A}, timeout_seconds: 5}\n"                 // 5
    "  - {name: b, handler: {callable: B, initialization: {x: 1, y: {z: 2}}}}\n"  // 6
    "environments:\n"                                                             // 7
    "  test:\n"                                                                   // 8
    "    steps:\n"                                                                // 9
    "      - {name: a, timeout_seconds: 9}\n"                                     // 10
    "      - name: b\n"                                                           // 11
    "        handler:\n"                                                          // 12
    "          initialization:\n"                                                 // 13
    "            y: {z: 3}\n";                                                    // 14

tmpl::LoadedTemplate At(const std::string& version, std::string_view body) {
  return Load(body, "name: t\nnamespace_name: n\nversion: " + version + "\n");
}

TEST(CompareSidesTest, NamesTheLowestVersionAndWhetherItIsReached) {
  const auto old_template = At("1.2.0", "steps: [{name: a, handler: {callable: A}}]\n");
  const std::string changed = "steps: [{name: a, handler: {callable: B}}]\n";
  const SideComparison low = CompareSides({old_template}, {At("1.3.0", changed)});
  EXPECT_EQ(low.next_version->ToString(), "2.0.0");
  EXPECT_FALSE(low.is_bump_enough);
  EXPECT_TRUE(CompareSides({old_template}, {At("2.0.0", changed)}).is_bump_enough);
}

TEST(CompareSidesTest, SaysWhereAnEnvironmentsValueStands) {
  const auto tmpl = Load(kBody);
  const SideComparison compared = CompareSides({tmpl, "production"}, {tmpl, "test"});
  ASSERT_EQ(compared.assessment.changes.size(), 2u);
  const Change& initialization = compared.assessment.changes[0].change;
  EXPECT_EQ(initialization.place, "steps[b].handler.initialization.y.z");
  EXPECT_EQ(initialization.old_position.line, 6);
  EXPECT_EQ(initialization.new_position.line, 14);
  const Change& timeout = compared.assessment.changes[1].change;
  EXPECT_EQ(timeout.old_position.line, 5);
  EXPECT_EQ(timeout.new_position.line, 10);
}

TEST(CompareSidesTest, AsksForNoVersionBetweenTwoEnvironmentsOfOne) {
  const auto tmpl = Load(kBody);
  const SideComparison compared = CompareSides({tmpl, ""}, {tmpl, "test"});
  EXPECT_EQ(compared.next_version->ToString(), "1.0.0");
  EXPECT_TRUE(compared.is_bump_enough);
}

TEST(IsKnownEnvironmentTest, TakesTheBaseAndWhatEitherSideDefines) {
  const auto with = Template(kBody);
  const auto without = Template("steps: [{name: a, handler: {callable: A}}]\n");
  EXPECT_TRUE(IsKnownEnvironment("", without, without));
  EXPECT_TRUE(IsKnownEnvironment("test", with, without));
  EXPECT_TRUE(IsKnownEnvironment("test", without, with));
  EXPECT_FALSE(IsKnownEnvironment("tset", with, with));
}

}  // namespace
}  // namespace tasker::diff
