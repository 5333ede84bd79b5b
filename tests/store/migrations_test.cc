#include "lib/store/migrations.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/support/postgres_fixture.h"

namespace tasker::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr absl::Time kNoDeadline = absl::InfiniteFuture();

class MigrationsTest : public testing::Test {
 protected:
  std::vector<MigrationState> States(std::span<const Migration> known) {
    std::vector<MigrationState> states;
    const auto statuses = LoadMigrations(*pool_, kNoDeadline, known);
    EXPECT_TRUE(statuses.ok()) << statuses.status();
    for (const MigrationStatus& status : *statuses) states.push_back(status.state);
    return states;
  }

  std::shared_ptr<ConnectionPool> pool_ = test::OpenPool(test::TestCluster::Get().NewDatabase());
  const std::vector<Migration> one_ = {{1, "0001_one", "CREATE TABLE tasker.one (x int)"}};
  const std::vector<Migration> two_ = {
      {1, "0001_one", "CREATE TABLE tasker.one (x int)"},
      {2, "0002_two", "CREATE TABLE tasker.two (x int); INSERT INTO tasker.two VALUES (7)"}};
};

TEST_F(MigrationsTest, TheProgramsOwnAreNumberedWithoutGaps) {
  int number = 0;
  for (const Migration& migration : EmbeddedMigrations()) {
    EXPECT_EQ(migration.number, ++number);
    EXPECT_THAT(std::string(migration.name), HasSubstr(fmt::format("{:04}_", number)));
  }
  EXPECT_GT(number, 0);
}

TEST_F(MigrationsTest, AreAppliedOnceAndListed) {
  EXPECT_THAT(States(two_), ElementsAre(MigrationState::kPending, MigrationState::kPending));
  EXPECT_EQ(*MigrateUp(*pool_, kNoDeadline, one_), 1);
  EXPECT_THAT(States(two_), ElementsAre(MigrationState::kApplied, MigrationState::kPending));
  EXPECT_TRUE(absl::IsFailedPrecondition(CheckMigrations(*pool_, kNoDeadline, two_)));
  EXPECT_EQ(*MigrateUp(*pool_, kNoDeadline, two_), 1);
  EXPECT_EQ(*MigrateUp(*pool_, kNoDeadline, two_), 0);
  EXPECT_TRUE(CheckMigrations(*pool_, kNoDeadline, two_).ok());
  EXPECT_THAT(test::RunSql(*pool_, "SELECT x FROM tasker.two"), ElementsAre("7"));
}

TEST_F(MigrationsTest, ADatabaseNewerThanTheProgramIsRefused) {
  ASSERT_TRUE(MigrateUp(*pool_, kNoDeadline, two_).ok());
  const absl::Status status = MigrateUp(*pool_, kNoDeadline, one_).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("0002_two"));
  EXPECT_TRUE(absl::IsFailedPrecondition(CheckMigrations(*pool_, kNoDeadline, one_)));
  EXPECT_THAT(States(one_), ElementsAre(MigrationState::kApplied, MigrationState::kUnknown));
}

TEST_F(MigrationsTest, AnEditedFileIsRefused) {
  ASSERT_TRUE(MigrateUp(*pool_, kNoDeadline, one_).ok());
  const std::vector<Migration> edited = {{1, "0001_one", "CREATE TABLE tasker.one (y int)"}, two_[1]};
  const absl::Status status = MigrateUp(*pool_, kNoDeadline, edited).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("0001_one"));
  EXPECT_THAT(States(edited), ElementsAre(MigrationState::kEdited, MigrationState::kPending));
}

TEST_F(MigrationsTest, AFailingOneIsRolledBackAndTheOnesBeforeStay) {
  const std::vector<Migration> bad = {one_[0], {2, "0002_bad", "CREATE TABLE tasker.half (x int); SELECT 1/0"}};
  const absl::Status status = MigrateUp(*pool_, kNoDeadline, bad).status();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("0002_bad"));
  EXPECT_THAT(States(two_), ElementsAre(MigrationState::kApplied, MigrationState::kPending));
  EXPECT_THAT(test::RunSql(*pool_, "SELECT to_regclass('tasker.half') IS NULL"), ElementsAre("t"));
  EXPECT_EQ(*MigrateUp(*pool_, kNoDeadline, two_), 1);
}

TEST_F(MigrationsTest, ManyProgramsMayStartAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> applied = 0;
  for (int n = 0; n < 8; ++n) {
    threads.emplace_back([&] {
      const auto count = MigrateUp(*pool_, kNoDeadline);
      ASSERT_TRUE(count.ok()) << count.status();
      applied += *count;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(applied, static_cast<int>(EmbeddedMigrations().size()));
}

TEST_F(MigrationsTest, ASchemaMadeByAnAdministratorIsUsed) {
  test::RunSql(*pool_, "CREATE SCHEMA tasker");
  EXPECT_EQ(*MigrateUp(*pool_, kNoDeadline, one_), 1);
}

}  // namespace
}  // namespace tasker::store
