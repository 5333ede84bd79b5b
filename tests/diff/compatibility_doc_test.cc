// docs/compatibility.md is held against the code: its tables are these tests' tables.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "lib/diff/change_class.h"
#include "lib/diff/schema_containment.h"

namespace tasker::diff {
namespace {

using Row = std::vector<std::string>;

// The rows of the table below the heading, without code marks.
std::vector<Row> Table(const std::string& heading) {
  std::ifstream file(std::string(TASKER_SOURCE_DIR) + "/docs/compatibility.md");
  EXPECT_TRUE(file.good());
  std::vector<Row> rows;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) inside = line == "## " + heading;
    if (!inside || !line.starts_with("| ") || line.starts_with("| ---")) continue;
    Row row;
    std::istringstream cells(line.substr(1));
    for (std::string cell; std::getline(cells, cell, '|');) {
      std::erase(cell, '`');
      row.push_back(cell.substr(1, cell.size() - 2));
    }
    rows.push_back(std::move(row));
  }
  EXPECT_FALSE(rows.empty()) << heading;
  if (!rows.empty()) rows.erase(rows.begin());
  return rows;
}

std::string VerdictWord(const Json& narrow, const Json& wide) {
  switch (CheckContainment(narrow, wide).verdict) {
    case ContainmentVerdict::kContained:
      return "compatible";
    case ContainmentVerdict::kNotContained:
      return "breaking";
    case ContainmentVerdict::kUnknown:
      break;
  }
  return "undecided";
}

TEST(CompatibilityDocTest, ListsEveryClassAsTheCodeHasIt) {
  std::vector<Row> expected;
  for (const ClassInfo& info : ChangeClasses()) {
    expected.push_back({std::string(info.code), std::string(BumpName(info.bump)), std::string(info.breaks),
                        std::string(info.summary)});
  }
  EXPECT_EQ(Table("Classes"), expected);
}

TEST(CompatibilityDocTest, GivesOurVerdictBesideEachOfConfluentsRules) {
  const std::vector<Row> rows = Table("Beside Confluent's rules");
  EXPECT_GT(rows.size(), 100u);
  for (const Row& row : rows) {
    ASSERT_EQ(row.size(), 6u) << row[0];
    const auto old_schema = base::ParseJson(row[1]);
    const auto new_schema = base::ParseJson(row[2]);
    ASSERT_TRUE(old_schema.ok() && new_schema.ok()) << row[0];
    EXPECT_EQ(row[4], VerdictWord(*old_schema, *new_schema)) << row[0];
    EXPECT_EQ(row[5], VerdictWord(*new_schema, *old_schema)) << row[0];
    // Where Confluent refuses, ours must not say "compatible" without need: the page explains each difference.
    const bool explained = row[0].find("WITH_DEFAULT") != std::string::npos || row[0] == "PATTERN_CHANGED (wider)";
    EXPECT_TRUE(row[3] == row[4] || explained) << row[0];
  }
}

TEST(CompatibilityDocTest, ShowsTheNextVersions) {
  for (const Row& row : Table("The version to use")) {
    const tmpl::Version old_version = tmpl::ParseVersion(row[0]).value();
    EXPECT_EQ(NextVersion(old_version, Bump::kPatch)->ToString(), row[1]);
    EXPECT_EQ(NextVersion(old_version, Bump::kMinor)->ToString(), row[2]);
    EXPECT_EQ(NextVersion(old_version, Bump::kMajor)->ToString(), row[3]);
  }
}

TEST(ChangeClassTest, TableFollowsTheEnumeration) {
  for (size_t i = 0; i < ChangeClasses().size(); ++i) {
    const ClassInfo& info = ChangeClasses()[i];
    EXPECT_EQ(static_cast<size_t>(info.id), i);
    EXPECT_EQ(info.bump == Bump::kMajor, info.breaks != "nobody") << info.code;
  }
}

TEST(NextVersionTest, KeepsTheVersionWhereNothingChanged) {
  EXPECT_EQ(NextVersion({1, 2, 3}, Bump::kNone), (tmpl::Version{1, 2, 3}));
}

TEST(NextVersionTest, CarriesWhereAPartCannotGrow) {
  constexpr int32_t kMost = 2147483647;
  EXPECT_EQ(NextVersion({1, 2, kMost}, Bump::kPatch), (tmpl::Version{1, 3, 0}));
  EXPECT_EQ(NextVersion({1, kMost, kMost}, Bump::kPatch), (tmpl::Version{2, 0, 0}));
  EXPECT_EQ(NextVersion({kMost, 0, 0}, Bump::kMajor), std::nullopt);
}

TEST(IsEnoughTest, TakesTheNextVersionAndHigherOnes) {
  EXPECT_FALSE(IsEnough({1, 2, 3}, {1, 3, 0}, Bump::kMajor));
  EXPECT_TRUE(IsEnough({1, 2, 3}, {2, 0, 0}, Bump::kMajor));
  EXPECT_TRUE(IsEnough({1, 2, 3}, {2, 0, 0}, Bump::kPatch));
  EXPECT_FALSE(IsEnough({1, 2, 3}, {1, 2, 3}, Bump::kPatch));
  EXPECT_TRUE(IsEnough({0, 2, 3}, {0, 3, 0}, Bump::kMajor));
}

}  // namespace
}  // namespace tasker::diff
