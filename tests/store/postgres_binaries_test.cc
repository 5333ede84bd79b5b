#include "lib/store/postgres_binaries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tasker::store {
namespace {

using ::testing::HasSubstr;

TEST(PostgresBinariesTest, ReadsTheVersionLine) {
  EXPECT_EQ(ParsePostgresMajor("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), 15);
  EXPECT_EQ(ParsePostgresMajor("postgres (PostgreSQL) 17beta1\n"), 17);
  EXPECT_EQ(ParsePostgresMajor("psql (PostgreSQL) 15.18\n"), 0);
  EXPECT_EQ(ParsePostgresMajor(""), 0);
}

TEST(PostgresBinariesTest, FindsTheOnesOfThisMachine) {
  const auto found = FindPostgresBinaries("", 0);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_GE(found->major, 13);
  EXPECT_EQ(FindPostgresBinaries(found->folder, found->major)->folder, found->folder);
}

TEST(PostgresBinariesTest, SaysWhatIsMissing) {
  EXPECT_THAT(std::string(FindPostgresBinaries("/nonexistent", 0).status().message()), HasSubstr("/nonexistent"));
  const absl::Status status = FindPostgresBinaries("", 99).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("postgresql-99"));
}

}  // namespace
}  // namespace tasker::store
