#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <atomic>
#include <barrier>
#include <random>
#include <thread>

#include "tests/store/versions.h"
#include "tests/support/postgres_fixture.h"

namespace tasker::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::Time kNoDeadline = absl::InfiniteFuture();

class RegisterTest : public testing::Test {
 protected:
  RegisterResult Register(const std::vector<NewVersion>& batch, const RegisterOptions& options = kNobody) {
    absl::StatusOr<RegisterResult> result = store_.Register(batch, options, kNoDeadline);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? *result : RegisterResult{};
  }

  std::shared_ptr<ConnectionPool> pool_ = test::TestCluster::Get().NewMigratedPool();
  Store store_{pool_};
};

// Runs `work(n)` for n below `count`, all at once.
template <typename Work>
void InParallel(int count, Work work) {
  std::vector<std::thread> threads;
  for (int n = 0; n < count; ++n) threads.emplace_back(work, n);
  for (std::thread& thread : threads) thread.join();
}

std::vector<RegisterOutcome> Outcomes(const RegisterResult& result) {
  std::vector<RegisterOutcome> outcomes;
  for (const RegisteredItem& item : result.items) outcomes.push_back(item.outcome);
  return outcomes;
}

TEST_F(RegisterTest, StoresEveryFieldAsGiven) {
  NewVersion version = MakeVersion("payments", "credit_card", "1.20.3");
  version.description = "Ünïcode \"quoted\" \\ back\nline";
  version.source_text = "name: x\r\n# {\"a\", NULL} \\\"\t€😀\n";
  version.file_name = "dir/credit card.yaml";
  version.source_revision = "abc123";
  version.source_uri = "https://example.org/r.git";
  version.tags = {"zeta", "al,pha", "q\"uote"};
  const RegisterResult result = Register({version}, {.actor = "ci", .peer = "10.0.0.1"});
  EXPECT_EQ(result.revision, 1);
  EXPECT_THAT(Outcomes(result), ElementsAre(RegisterOutcome::kCreated));

  const auto loaded = store_.LoadVersion("payments", "credit_card", {1, 20, 3}, kNoDeadline);
  ASSERT_TRUE(loaded.ok() && loaded->has_value()) << loaded.status();
  const VersionSummary& summary = (*loaded)->summary;
  EXPECT_EQ((*loaded)->source_text, version.source_text);
  EXPECT_EQ(summary.description, version.description);
  EXPECT_EQ(summary.tags, version.tags);
  EXPECT_EQ(summary.file_name, version.file_name);
  EXPECT_EQ(summary.source_revision, "abc123");
  EXPECT_EQ(summary.source_uri, version.source_uri);
  EXPECT_EQ(summary.actor, "ci");
  EXPECT_EQ(summary.digest, version.digest);
  EXPECT_EQ(summary.revision, 1);
  EXPECT_EQ(summary.create_time, result.items[0].stored_time);
}

TEST_F(RegisterTest, KeepsAbsentTextsAbsent) {
  Register({MakeVersion("a", "b", "1.0.0")});
  const auto loaded = store_.LoadVersion("a", "b", {1, 0, 0}, kNoDeadline);
  ASSERT_TRUE(loaded.ok() && loaded->has_value());
  EXPECT_EQ((*loaded)->source_text, std::nullopt);
  EXPECT_EQ((*loaded)->summary.description, std::nullopt);
}

TEST_F(RegisterTest, SameContentAgainIsUnchangedAndTakesNoRevision) {
  Register({MakeVersion("a", "b", "1.0.0")});
  const RegisterResult again = Register({MakeVersion("a", "b", "1.0.0")});
  EXPECT_THAT(Outcomes(again), ElementsAre(RegisterOutcome::kUnchanged));
  EXPECT_EQ(again.revision, 1) << "the first that holds it";
  EXPECT_EQ(again.items[0].stored_revision, 1);
  EXPECT_EQ(Register({MakeVersion("a", "b", "1.0.1")}).revision, 2);
}

TEST_F(RegisterTest, OtherContentIsAConflictWithTheStoredDigest) {
  const NewVersion stored = MakeVersion("a", "b", "1.0.0", "one");
  Register({stored});
  const RegisterResult result = Register({MakeVersion("a", "c", "1.0.0"), MakeVersion("a", "b", "1.0.0", "two")});
  EXPECT_TRUE(result.conflict);
  EXPECT_EQ(result.revision, 0);
  EXPECT_THAT(Outcomes(result), ElementsAre(RegisterOutcome::kCreated, RegisterOutcome::kConflict));
  EXPECT_EQ(result.items[0].stored_revision, 0) << "nothing of the batch is stored";
  EXPECT_EQ(result.items[1].stored_digest, stored.digest);
  EXPECT_EQ(*store_.LoadVersion("a", "c", {1, 0, 0}, kNoDeadline), std::nullopt);
}

TEST_F(RegisterTest, ABatchMayHoldTheSameVersionTwiceOnlyWithTheSameContent) {
  const RegisterResult same = Register({MakeVersion("a", "b", "1.0.0"), MakeVersion("a", "b", "1.0.0")});
  EXPECT_THAT(Outcomes(same), ElementsAre(RegisterOutcome::kCreated, RegisterOutcome::kUnchanged));
  EXPECT_EQ(same.items[1].stored_revision, same.revision);
  const RegisterResult other = Register({MakeVersion("a", "c", "1.0.0", "x"), MakeVersion("a", "c", "1.0.0", "y")});
  EXPECT_THAT(Outcomes(other), ElementsAre(RegisterOutcome::kCreated, RegisterOutcome::kConflict));
  EXPECT_EQ(other.revision, 0);
}

TEST_F(RegisterTest, DryRunFindsConflictsAndStoresNothing) {
  Register({MakeVersion("a", "b", "1.0.0", "one")});
  const RegisterResult result =
      Register({MakeVersion("new", "c", "1.0.0"), MakeVersion("a", "b", "1.0.0", "two")}, {.dry_run = true});
  EXPECT_THAT(Outcomes(result), ElementsAre(RegisterOutcome::kCreated, RegisterOutcome::kConflict));
  EXPECT_EQ(Register({MakeVersion("new", "c", "1.0.0")}, {.dry_run = true}).revision, 0);
  EXPECT_EQ(store_.CheckHealth(kNoDeadline)->revision, 1);
  EXPECT_THAT(test::RunSql(*pool_, "SELECT name FROM tasker.task_namespaces"), ElementsAre("a"));
}

TEST_F(RegisterTest, ABatchIsOneRevisionWithOneRowForEachNewVersion) {
  Register({MakeVersion("a", "old", "1.0.0")});
  Register({MakeVersion("b", "x", "1.0.0"), MakeVersion("a", "old", "1.0.0"), MakeVersion("a", "y", "2.0.0")},
           {.actor = "me", .peer = "here"});
  const auto changes = store_.LoadChanges(1, 100, kNoDeadline);
  ASSERT_TRUE(changes.ok());
  ASSERT_EQ(changes->size(), 2u);
  EXPECT_EQ((*changes)[0].name, "x");
  EXPECT_EQ((*changes)[1].name, "y");
  for (int i = 0; i < 2; ++i) {
    const ChangeRow& change = (*changes)[static_cast<size_t>(i)];
    EXPECT_EQ(change.revision, 2);
    EXPECT_EQ(change.ordinal, i);
    EXPECT_EQ(change.kind, "REGISTER");
    EXPECT_EQ(change.actor, "me");
    EXPECT_EQ(change.peer, "here");
  }
}

TEST_F(RegisterTest, NamespacesKnowTheSystemsAndTheNumberOfTheirTemplates) {
  NewVersion first = MakeVersion("a", "x", "1.0.0");
  first.entries = {{.subject = Subject::kSystem, .term = "stripe", .role = "primary"},
                   {.subject = Subject::kSystem, .term = "bank", .role = "step", .step = "s"}};
  NewVersion second = MakeVersion("a", "x", "2.0.0");
  second.entries = {{.subject = Subject::kSystem, .term = "mail", .role = "primary"}};
  Register({first});
  Register({second, MakeVersion("a", "y", "1.0.0")});
  const auto page = store_.ListNamespaces("", {}, kNoDeadline);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->rows.size(), 1u);
  EXPECT_THAT(page->rows[0].system_dependencies, ElementsAre("bank", "mail", "stripe"));
  EXPECT_EQ(page->rows[0].template_count, 2);
}

TEST_F(RegisterTest, NotifiesListenersOfTheRevision) {
  const std::string url = test::TestCluster::Get().NewMigratedDatabase();
  const std::unique_ptr<PGconn, decltype(&PQfinish)> listener(PQconnectdb(url.c_str()), &PQfinish);
  PQclear(PQexec(listener.get(), "LISTEN tasker_changes"));
  Store store(test::OpenPool(url));
  ASSERT_TRUE(store.Register(std::vector<NewVersion>{MakeVersion("a", "b", "1.0.0")}, kNobody, kNoDeadline).ok());
  PQclear(PQexec(listener.get(), "SELECT 1"));  // its answer comes after the notification
  const std::unique_ptr<PGnotify, decltype(&PQfreemem)> notification(PQnotifies(listener.get()), &PQfreemem);
  ASSERT_NE(notification, nullptr);
  EXPECT_STREQ(notification->extra, "1");
}

// Goes to PostgreSQL in pieces.
TEST_F(RegisterTest, ALargeBatchIsOneToo) {
  std::vector<NewVersion> batch;
  for (int i = 0; i < 9; ++i) {
    NewVersion& version = batch.emplace_back(MakeVersion("a", fmt::format("t{}", i % 4), fmt::format("{}.0.0", i)));
    if (i != 3) version.source_text = std::string(size_t{1} << 20, static_cast<char>('a' + i)) + "\"\\{},NULL";
  }
  batch[8].channels = {"stable"};
  EXPECT_THAT(Outcomes(Register(batch, {.dry_run = true})), testing::Each(RegisterOutcome::kCreated));
  EXPECT_EQ(Register({MakeVersion("other", "b", "1.0.0")}).revision, 1) << "the dry run took none";

  EXPECT_EQ(Register(batch, {.actor = "ci"}).revision, 2);
  for (int i = 0; i < 9; ++i) {
    const auto loaded = store_.LoadVersion("a", fmt::format("t{}", i % 4), {i, 0, 0}, kNoDeadline);
    ASSERT_TRUE(loaded.ok() && loaded->has_value()) << i;
    EXPECT_TRUE((*loaded)->source_text == batch[static_cast<size_t>(i)].source_text) << i;
    EXPECT_EQ((*loaded)->summary.digest, batch[static_cast<size_t>(i)].digest);
    EXPECT_EQ((*loaded)->summary.revision, 2);
    EXPECT_EQ((*loaded)->summary.actor, "ci");
  }
  EXPECT_THAT(test::RunSql(*pool_, "SELECT version FROM tasker.channels"), ElementsAre("8.0.0"));

  EXPECT_THAT(Outcomes(Register(batch)), testing::Each(RegisterOutcome::kUnchanged));
  batch.push_back(MakeVersion("a", "t0", "9.0.0"));
  batch.push_back(MakeVersion("a", "t0", "0.0.0", "other"));
  EXPECT_TRUE(Register(batch).conflict);
  EXPECT_THAT(test::RunSql(*pool_, "SELECT count(*) FROM tasker.named_tasks"), ElementsAre("10"));
  EXPECT_THAT(test::RunSql(*pool_, "SELECT count(*) FROM tasker.staged_texts"), ElementsAre("0"));
}

TEST_F(RegisterTest, RefusesWhatPostgresCannotHold) {
  const auto refused = [&](void (*spoil)(NewVersion&)) {
    NewVersion version = MakeVersion("a", "b", "1.0.0");
    spoil(version);
    return store_.Register(std::vector<NewVersion>{version}, kNobody, kNoDeadline).status().code();
  };
  using V = NewVersion&;
  EXPECT_EQ(refused([](V v) { v.source_text = std::string("a\0b", 3); }), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(refused([](V v) { v.file_name = std::string("a\0b", 3); }), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(refused([](V v) { v.source_text = "\xff"; }), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(refused([](V v) { v.file_name = "\xff"; }), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(refused([](V v) { v.configuration = "{"; }), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(refused([](V v) { v.version = "1.0"; }), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(refused([](V v) { v.version = "1.0.2147483648"; }), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(refused([](V v) { v.version = "01.0.0"; }), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(refused([](V v) { v.name = "sl/ash"; }), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(refused([](V v) { v.namespace_name = ""; }), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store_.CheckHealth(kNoDeadline)->revision, 0);
}

TEST_F(RegisterTest, AcceptsTheHighestVersionAndLongTerms) {
  NewVersion version = MakeVersion("a", std::string(255, 'n'), "2147483647.2147483647.2147483647");
  const std::string proc = "proc { " + std::string(100'000, 'x') + " }";
  version.entries = {{.subject = Subject::kCallable, .term = proc, .role = "step_handler", .step = "s"}};
  EXPECT_EQ(Register({version}).revision, 1);
  const auto page = store_.ListTemplates({.callable = proc}, {}, kNoDeadline);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->rows.size(), 1u);
  EXPECT_THAT(store_.ListTemplates({.callable = proc + "y"}, {}, kNoDeadline)->rows, IsEmpty());
}

TEST_F(RegisterTest, AnEmptyBatchStoresNothing) { EXPECT_EQ(Register({}).revision, 0); }

// DESIGN §6: the same new version with different content in the same new namespace, all writers at once.
TEST_F(RegisterTest, ExactlyOneOfManyWritersWins) {
  constexpr int kWriters = 16;
  constexpr int kRounds = 200;
  std::vector<std::atomic<int>> winners(kRounds);
  std::vector<std::atomic<int>> losers(kRounds);
  std::atomic<int> failures = 0;
  InParallel(kWriters, [&](int writer) {
    for (int round = 0; round < kRounds; ++round) {
      const std::vector<NewVersion> batch = {
          MakeVersion(fmt::format("ns{}", round), "t", "1.0.0", fmt::format("of writer {}", writer))};
      const auto result = store_.Register(batch, kNobody, kNoDeadline);
      if (!result.ok()) {
        ++failures;
      } else {
        ++(result->conflict ? losers : winners)[static_cast<size_t>(round)];
      }
    }
  });
  EXPECT_EQ(failures, 0);
  for (size_t round = 0; round < kRounds; ++round) {
    EXPECT_EQ(winners[round], 1) << round;
    EXPECT_EQ(losers[round], kWriters - 1) << round;
  }
  EXPECT_EQ(store_.CheckHealth(kNoDeadline)->revision, kRounds);
}

TEST_F(RegisterTest, WritersThatMeetExactlyHaveOneWinner) {
  constexpr int kWriters = 16;
  for (int round = 0; round < 20; ++round) {
    std::barrier start(kWriters);
    std::atomic<int> winners = 0;
    InParallel(kWriters, [&](int writer) {
      const std::vector<NewVersion> batch = {
          MakeVersion(fmt::format("ns{}", round), "t", "1.0.0", fmt::format("of writer {}", writer))};
      start.arrive_and_wait();
      const auto result = store_.Register(batch, kNobody, kNoDeadline);
      EXPECT_TRUE(result.ok()) << result.status();
      if (result.ok() && !result->conflict) ++winners;
    });
    EXPECT_EQ(winners, 1);
  }
}

TEST_F(RegisterTest, OverlappingBatchesInAnyOrderNeverDeadlock) {
  constexpr int kWriters = 12;
  std::atomic<int> created = 0;
  InParallel(kWriters, [&](int writer) {
    std::minstd_rand random(static_cast<unsigned>(writer + 1));
    for (int round = 0; round < 20; ++round) {
      std::vector<NewVersion> batch;
      for (int n = 0; n < 20; ++n) {
        batch.push_back(MakeVersion(fmt::format("ns{}", n % 5), fmt::format("t{}", n), fmt::format("1.0.{}", round)));
      }
      std::shuffle(batch.begin(), batch.end(), random);
      batch.resize(10);
      const auto result = store_.Register(batch, kNobody, kNoDeadline);
      ASSERT_TRUE(result.ok()) << result.status();
      for (const RegisteredItem& item : result->items) created += item.outcome == RegisterOutcome::kCreated;
    }
  });
  EXPECT_THAT(test::RunSql(*pool_, "SELECT count(*) FROM tasker.named_tasks"), ElementsAre(std::to_string(created)));
  EXPECT_THAT(test::RunSql(*pool_,
                           "SELECT count(*) FROM tasker.templates t JOIN tasker.named_tasks v "
                           "ON v.named_task_uuid = t.latest_named_task_uuid WHERE (v.major, v.minor, v.patch) <> "
                           "(SELECT o.major, o.minor, o.patch FROM tasker.named_tasks o WHERE "
                           "o.namespace = t.namespace AND o.name = t.name "
                           "ORDER BY o.major DESC, o.minor DESC, o.patch DESC LIMIT 1)"),
              ElementsAre("0"));
}

// A reader that has seen revision N never sees a new row with a revision of at most N, and there are no gaps.
TEST_F(RegisterTest, RevisionsAppearInOrderWithoutGaps) {
  constexpr int kWriters = 8;
  constexpr int kRounds = 40;
  std::atomic<bool> writing = true;
  std::thread reader([&] {
    int64_t seen = 0;
    for (bool last = false; !last;) {
      last = !writing;
      const auto changes = store_.LoadChanges(seen, 1000, kNoDeadline);
      ASSERT_TRUE(changes.ok()) << changes.status();
      for (const ChangeRow& change : *changes) {
        if (change.ordinal == 0) {
          ASSERT_EQ(change.revision, ++seen);
        } else {
          ASSERT_EQ(change.revision, seen);
        }
      }
    }
    EXPECT_EQ(seen, kWriters * kRounds);
  });
  InParallel(kWriters, [&](int writer) {
    for (int round = 0; round < kRounds; ++round) {
      const auto result = store_.Register(
          std::vector<NewVersion>{MakeVersion("a", fmt::format("t{}", writer), fmt::format("1.0.{}", round)),
                                  MakeVersion("a", fmt::format("u{}", writer), fmt::format("1.0.{}", round))},
          kNobody, kNoDeadline);
      ASSERT_TRUE(result.ok()) << result.status();
    }
  });
  writing = false;
  reader.join();
}

// A transaction that is slow to commit holds the revision; those that come later wait instead of overtaking it.
TEST_F(RegisterTest, ASlowCommitIsNotOvertaken) {
  std::thread slow([&] {
    test::RunSql(
        *pool_,
        "BEGIN; SELECT tasker.register_templates('[{\"namespace\":\"slow\",\"name\":\"t\",\"version\":\"1.0.0\","
        "\"digest\":\"sha256:" +
            std::string(64, '0') +
            "\",\"tags\":[],\"file_name\":\"\",\"source_revision\":\"\",\"source_uri\":\"\",\"entries\":[]}]', "
            "ARRAY['{}'], ARRAY['x'], '[]', '[]', '', '', false); SELECT pg_sleep(0.3); COMMIT");
  });
  while (test::RunSql(*pool_,
                      "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' "
                      "AND datname = current_database()")
             .front() == "0") {
    absl::SleepFor(absl::Milliseconds(2));
  }
  EXPECT_EQ(Register({MakeVersion("a", "b", "1.0.0")}).revision, 2);
  slow.join();
}

}  // namespace
}  // namespace tasker::store
