#include "lib/registry/change_feed.h"

#include <absl/synchronization/notification.h>
#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <mutex>
#include <string>
#include <vector>

#include "lib/store/embedded_postgres.h"
#include "lib/store/migrations.h"
#include "tests/support/postgres_fixture.h"

namespace tasker::registry {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(60);

class ChangeFeedTest : public testing::Test {
 protected:
  explicit ChangeFeedTest(std::string url = test::TestCluster::Get().NewMigratedDatabase())
      : url_(std::move(url)), pool_(test::OpenPool(url_, 4)) {}

  void Start(const ChangeFeed::Options& options = {}) {
    auto feed = ChangeFeed::Create(*pool_, options);
    ASSERT_TRUE(feed.ok()) << feed.status();
    feed_ = *std::move(feed);
    feed_->AddListener({.change =
                            [this](const store::ChangeRow& row) {
                              const std::lock_guard lock(mutex_);
                              EXPECT_LT(feed_->revision(), row.revision);
                              heard_.push_back(row.revision);
                            },
                        .reset =
                            [this] {
                              const std::lock_guard lock(mutex_);
                              ++resets_;
                            }});
    const absl::Status status = feed_->Start(absl::Now() + kPatience);
    ASSERT_TRUE(status.ok()) << status;
  }

  // Adds `count` revisions with one change each, and notifies as the functions do.
  void Add(int count, bool notify = true) {
    for (int i = 0; i < count; ++i) {
      test::RunSql(
          *pool_, fmt::format("WITH h AS (UPDATE tasker.change_head SET revision = revision + 1 RETURNING revision), "
                              "c AS (INSERT INTO tasker.changes (revision, ordinal, kind, namespace, name, created_at) "
                              "SELECT revision, 0, 'REGISTER', 'a', 'x', now() FROM h) SELECT {} FROM h",
                              notify ? "pg_notify('tasker_changes', revision::text)" : "revision"));
    }
  }

  bool Reaches(int64_t revision) {
    absl::Notification done;
    bool reached = false;
    feed_->gate().WaitFor(revision, absl::Now() + kPatience, [&](const absl::Status& status) {
      reached = status.ok();
      done.Notify();
    });
    done.WaitForNotification();
    return reached;
  }

  std::vector<int64_t> Heard() {
    const std::lock_guard lock(mutex_);
    return heard_;
  }

  static std::vector<int64_t> UpTo(int64_t last, int64_t first = 1) {
    std::vector<int64_t> all;
    for (int64_t revision = first; revision <= last; ++revision) all.push_back(revision);
    return all;
  }

  const std::string url_;
  const std::shared_ptr<store::ConnectionPool> pool_;
  std::mutex mutex_;
  std::vector<int64_t> heard_;
  int resets_ = 0;
  std::unique_ptr<ChangeFeed> feed_;
};

TEST_F(ChangeFeedTest, BeginsAtTheCurrentRevision) {
  Add(3);
  Start();
  EXPECT_EQ(feed_->revision(), 3);
  EXPECT_LT(feed_->age(), kPatience);
}

TEST_F(ChangeFeedTest, TellsOfEachChangeOnceInOrderBeforeTheRevisionShowsIt) {
  Start();
  Add(20);
  EXPECT_TRUE(Reaches(20));
  EXPECT_EQ(Heard(), UpTo(20));
}

// The poll interval is far away: only the bell can have woken it.
TEST_F(ChangeFeedTest, TheBellWakesItAtOnce) {
  Start({.poll_interval = absl::Hours(1)});
  Add(1);
  EXPECT_TRUE(Reaches(1));
}

TEST_F(ChangeFeedTest, ASilentBellDoesNotMatterAndIsReplaced) {
  Start({.poll_interval = absl::Milliseconds(20)});
  const std::string listener = "datname = current_database() AND query LIKE 'LISTEN%' AND pid <> pg_backend_pid()";
  const auto listeners = [&] {
    return test::RunSql(*pool_, "SELECT pid::text FROM pg_stat_activity WHERE " + listener);
  };
  while (listeners().empty()) absl::SleepFor(absl::Milliseconds(5));
  const std::vector<std::string> before = listeners();
  // One silent change may still be found because the new connection rang, so there are as many as it takes.
  int changes = 0;
  const absl::Time end = absl::Now() + kPatience;
  do {
    Add(1, /*notify=*/false);
    ASSERT_TRUE(Reaches(++changes));
  } while ((listeners().empty() || listeners() == before) && absl::Now() < end);
  EXPECT_NE(listeners(), before);
  Add(1);
  EXPECT_TRUE(Reaches(++changes));
  EXPECT_EQ(Heard(), UpTo(changes));
}

TEST_F(ChangeFeedTest, SurvivesTheLossOfItsConnections) {
  Start({.poll_interval = absl::Milliseconds(50)});
  for (int round = 1; round <= 5; ++round) {
    test::RunSql(*pool_,
                 "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND "
                 "pid <> pg_backend_pid()");
    Add(2);
    EXPECT_TRUE(Reaches(2 * round));
  }
  EXPECT_EQ(Heard(), UpTo(10));
}

TEST_F(ChangeFeedTest, KnowsHowOldItsKnowledgeIsWhileTheDatabaseIsAway) {
  Start({.poll_interval = absl::Milliseconds(20)});
  const std::string name = test::RunSql(*pool_, "SELECT current_database()").at(0);
  const auto admin = test::OpenPool(test::TestCluster::Get().postgres().DatabaseUrl("postgres"));
  test::RunSql(*admin, fmt::format("ALTER DATABASE {} ALLOW_CONNECTIONS false", name));
  test::RunSql(*admin,
               fmt::format("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{}'", name));
  const absl::Time end = absl::Now() + kPatience;
  while (feed_->age() < absl::Milliseconds(500) && absl::Now() < end) absl::SleepFor(absl::Milliseconds(5));
  EXPECT_GE(feed_->age(), absl::Milliseconds(500));
  test::RunSql(*admin, fmt::format("ALTER DATABASE {} ALLOW_CONNECTIONS true", name));
  Add(1);
  EXPECT_TRUE(Reaches(1));
  EXPECT_LT(feed_->age(), kPatience);
}

TEST_F(ChangeFeedTest, GivesWhatIsInMemoryAndSaysWhatIsNot) {
  Start({.tail_changes = 3});
  Add(5);
  ASSERT_TRUE(Reaches(5));
  EXPECT_EQ(feed_->NextAfter(5).place, ChangeFeed::Place::kCurrent);
  EXPECT_EQ(feed_->NextAfter(17).place, ChangeFeed::Place::kCurrent);
  EXPECT_EQ(feed_->NextAfter(1).place, ChangeFeed::Place::kOlder);
  const ChangeFeed::Next next = feed_->NextAfter(2);
  ASSERT_EQ(next.place, ChangeFeed::Place::kInMemory);
  EXPECT_EQ(next.batch->revision, 3);
}

TEST_F(ChangeFeedTest, TheMemoryIsBoundedInBytesAndTheLastRevisionAlwaysStays) {
  Start({.tail_bytes = 1});
  Add(2);
  ASSERT_TRUE(Reaches(2));
  EXPECT_EQ(feed_->NextAfter(0).place, ChangeFeed::Place::kOlder);
  EXPECT_EQ(feed_->NextAfter(1).batch->revision, 2);
}

TEST_F(ChangeFeedTest, ChangesThatWereTrimmedUnseenMakeEverybodyForget) {
  Start({.poll_interval = absl::Milliseconds(20)});
  test::RunSql(*pool_,
               "BEGIN; UPDATE tasker.change_head SET revision = 9; UPDATE tasker.change_trim SET revision = 9; COMMIT");
  EXPECT_TRUE(Reaches(9));
  {
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(resets_, 1);
  }
  EXPECT_EQ(feed_->NextAfter(3).place, ChangeFeed::Place::kOlder);
  Add(1);
  EXPECT_TRUE(Reaches(10));
}

TEST_F(ChangeFeedTest, ADatabaseThatWentBackMakesEverybodyForget) {
  Add(5);
  Start({.poll_interval = absl::Milliseconds(20)});
  test::RunSql(
      *pool_,
      "BEGIN; DELETE FROM tasker.changes WHERE revision > 2; UPDATE tasker.change_head SET revision = 2; COMMIT");
  const absl::Time end = absl::Now() + kPatience;
  while (feed_->revision() != 2 && absl::Now() < end) absl::SleepFor(absl::Milliseconds(5));
  EXPECT_EQ(feed_->revision(), 2);
  Add(1);
  EXPECT_TRUE(Reaches(3));
}

// A cluster of its own, to kill.
class ChangeFeedRestartTest : public testing::Test {};

TEST_F(ChangeFeedRestartTest, ARestartOfPostgresqlLosesNothing) {
  const test::TemporaryFolder folder;
  auto postgres = store::EmbeddedPostgres::Start({.data_dir = folder.path() + "/pg", .bin_dir = "", .fsync = false});
  ASSERT_TRUE(postgres.ok()) << postgres.status();
  const auto pool = test::OpenPool((*postgres)->DatabaseUrl(), 4);
  ASSERT_TRUE(store::MigrateUp(*pool, absl::InfiniteFuture()).ok());
  const auto feed = ChangeFeed::Create(*pool, {});
  ASSERT_TRUE(feed.ok()) << feed.status();
  std::mutex mutex;
  std::vector<int64_t> heard;
  (*feed)->AddListener({.change = [&](const store::ChangeRow& row) {
    const std::lock_guard lock(mutex);
    heard.push_back(row.revision);
  }});
  ASSERT_TRUE((*feed)->Start(absl::Now() + kPatience).ok());
  const std::string add =
      "BEGIN; UPDATE tasker.change_head SET revision = revision + 1; INSERT INTO tasker.changes (revision, ordinal, "
      "kind, "
      "namespace, name, created_at) SELECT revision, 0, 'REGISTER', 'a', 'x', now() FROM tasker.change_head; COMMIT";
  test::RunSql(*pool, add);
  const int before = (*postgres)->pid();
  kill(before, SIGQUIT);  // at once; EmbeddedPostgres starts it again
  const absl::Time end = absl::Now() + kPatience;
  const auto back = [&] {
    const int now = (*postgres)->pid();
    return now != 0 && now != before &&
           pool->Run("probe", store::CallKind::kRead, absl::InfiniteFuture(), [](store::Session&) {}).ok();
  };
  while (!back() && absl::Now() < end) absl::SleepFor(absl::Milliseconds(20));
  test::RunSql(*pool, add);
  absl::Notification reached;
  (*feed)->gate().WaitFor(2, absl::Now() + kPatience, [&](const absl::Status& status) {
    EXPECT_TRUE(status.ok()) << status;
    reached.Notify();
  });
  reached.WaitForNotification();
  (*feed)->Stop();
  EXPECT_EQ(heard, (std::vector<int64_t>{1, 2}));
}

}  // namespace
}  // namespace tasker::registry
