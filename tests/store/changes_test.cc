#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "lib/store/change_bell.h"
#include "lib/store/session.h"
#include "lib/store/store.h"
#include "tests/store/versions.h"
#include "tests/support/postgres_fixture.h"

namespace tasker::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::Time kNoDeadline = absl::InfiniteFuture();

class ChangesTest : public testing::Test {
 protected:
  // Adds `count` revisions, each with one change.
  void Add(const std::string& kind, const std::string& namespace_name, const std::string& name, int count = 1) {
    test::RunSql(*pool_, fmt::format("WITH h AS (UPDATE tasker.change_head SET revision = revision + {0} RETURNING "
                                     "revision) INSERT INTO tasker.changes (revision, ordinal, kind, namespace, name, "
                                     "created_at) SELECT h.revision - {0} + n, 0, '{1}', '{2}', '{3}', "
                                     "clock_timestamp() FROM h, generate_series(1, {0}) n",
                                     count, kind, namespace_name, name));
  }

  // "REVISION.ORDINAL" of every change, read in pages of `size`.
  std::vector<std::string> ListAll(const ChangeFilter& filter, int size = 2) {
    std::vector<std::string> found;
    PageOptions page{.size = size};
    do {
      const auto list = store_.ListChanges(filter, page, kNoDeadline);
      EXPECT_TRUE(list.ok()) << list.status();
      if (!list.ok()) break;
      EXPECT_LE(list->page.rows.size(), static_cast<size_t>(size));
      for (const ChangeRow& row : list->page.rows) found.push_back(fmt::format("{}.{}", row.revision, row.ordinal));
      page.token = list->page.next_token;
    } while (!page.token.empty());
    return found;
  }

  const std::string url_ = test::TestCluster::Get().NewMigratedDatabase();
  const std::shared_ptr<ConnectionPool> pool_ = test::OpenPool(url_);
  Store store_{pool_};
};

TEST_F(ChangesTest, AreListedByEveryFilterBothWaysInPages) {
  Add("REGISTER", "a", "x", 3);        // 1 2 3
  Add("SET_CHANNEL", "a", "x");        // 4
  Add("YANK", "a", "y");               // 5
  Add("REGISTER", "b", "x");           // 6
  Add("SET_VERSION_POLICY", "a", "");  // 7
  Add("YANK", "a", "x");               // 8
  struct Case {
    const char* name;
    ChangeFilter filter;
    std::vector<std::string> expected;
  };
  const std::vector<Case> cases = {
      {"all", {}, {"1.0", "2.0", "3.0", "4.0", "5.0", "6.0", "7.0", "8.0"}},
      {"range", {.after = 2, .up_to = 5}, {"3.0", "4.0", "5.0"}},
      {"namespace", {.namespace_name = "a"}, {"1.0", "2.0", "3.0", "4.0", "5.0", "7.0", "8.0"}},
      {"template", {.namespace_name = "a", .name = "x"}, {"1.0", "2.0", "3.0", "4.0", "8.0"}},
      {"kind", {.kinds = {"YANK"}}, {"5.0", "8.0"}},
      {"kinds", {.kinds = {"YANK", "SET_CHANNEL"}}, {"4.0", "5.0", "8.0"}},
      {"unknown kind", {.kinds = {"DANCE"}}, {}},
      {"kind of a namespace", {.namespace_name = "b", .kinds = {"REGISTER"}}, {"6.0"}},
      {"kind of a template in a range",
       {.after = 1, .up_to = 7, .namespace_name = "a", .name = "x", .kinds = {"REGISTER", "YANK"}},
       {"2.0", "3.0"}},
      {"nothing", {.after = 8}, {}},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(ListAll(c.filter), c.expected) << c.name;
    ChangeFilter back = c.filter;
    back.newest_first = true;
    EXPECT_EQ(ListAll(back), std::vector<std::string>(c.expected.rbegin(), c.expected.rend())) << c.name;
  }
}

TEST_F(ChangesTest, OfOneRevisionMayEndAPage) {
  test::RunSql(*pool_,
               "UPDATE tasker.change_head SET revision = 1; INSERT INTO tasker.changes (revision, ordinal, kind, "
               "namespace, name, created_at) SELECT 1, n, 'REGISTER', 'a', 'x', now() FROM generate_series(0, 4) n");
  EXPECT_THAT(ListAll({}), ElementsAre("1.0", "1.1", "1.2", "1.3", "1.4"));
  EXPECT_THAT(ListAll({.namespace_name = "a", .newest_first = true}), ElementsAre("1.4", "1.3", "1.2", "1.1", "1.0"));
}

TEST_F(ChangesTest, ATokenOfAnotherListIsRefused) {
  Add("REGISTER", "a", "x", 3);
  const auto page = store_.ListChanges({}, {.size = 1}, kNoDeadline);
  ASSERT_TRUE(page.ok()) << page.status();
  for (const ChangeFilter& other : {ChangeFilter{.after = 1}, ChangeFilter{.newest_first = true}}) {
    EXPECT_TRUE(absl::IsInvalidArgument(
        store_.ListChanges(other, {.size = 1, .token = page->page.next_token}, kNoDeadline).status()));
  }
}

TEST_F(ChangesTest, ARareKindIsFoundWithoutReadingTheOthers) {
  Add("REGISTER", "a", "x", 5000);
  Add("YANK", "a", "x");
  Add("REGISTER", "a", "x", 5000);
  Add("REGISTER", "b", "x", 10);
  test::RunSql(*pool_, "VACUUM ANALYZE tasker.changes");
  const auto fetched = [&] {
    const auto admin = test::OpenPool(url_, 1);
    while (test::RunSql(*admin,
                        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                        "application_name = 'rare'")
               .front() != "0") {
      absl::SleepFor(absl::Milliseconds(5));
    }
    return std::stoll(test::RunSql(*admin,
                                   "SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_user_tables "
                                   "WHERE relname = 'changes'")
                          .front());
  };
  const int64_t before = fetched();
  {
    Store store(test::OpenPool(url_ + " application_name=rare", 1));
    for (const bool newest_first : {false, true}) {
      const ChangeFilter yanks{.kinds = {"YANK"}, .newest_first = newest_first};
      ChangeFilter of_namespace = yanks;
      of_namespace.namespace_name = "a";
      ChangeFilter of_template = of_namespace;
      of_template.name = "x";
      for (const ChangeFilter& filter : {yanks, of_namespace, of_template}) {
        const auto list = store.ListChanges(filter, {}, kNoDeadline);
        ASSERT_TRUE(list.ok()) << list.status();
        EXPECT_THAT(list->page.rows, SizeIs(1));
      }
      const auto list = store.ListChanges({.namespace_name = "b", .newest_first = newest_first}, {}, kNoDeadline);
      ASSERT_TRUE(list.ok()) << list.status();
      EXPECT_THAT(list->page.rows, SizeIs(10));
    }
  }
  EXPECT_LT(fetched() - before, 200);
}

TEST_F(ChangesTest, TrimmingKeepsTheLastRevisions) {
  Add("REGISTER", "a", "x", 10);
  EXPECT_EQ(*store_.TrimChanges({.revisions = 4}, kNoDeadline), 6);
  EXPECT_EQ(*store_.TrimChanges({.revisions = 4}, kNoDeadline), 0);
  EXPECT_EQ(*store_.TrimChanges({.revisions = 100}, kNoDeadline), 0);
  const ChangeLogRange range = *store_.LoadChangeLogRange(kNoDeadline);
  EXPECT_EQ(range.trimmed, 6);
  EXPECT_EQ(range.newest, 10);
  EXPECT_THAT(*store_.LoadChanges(6, 100, kNoDeadline), SizeIs(4));
  EXPECT_TRUE(absl::IsOutOfRange(store_.LoadChanges(5, 100, kNoDeadline).status()));
  EXPECT_EQ(store_.ListChanges({}, {}, kNoDeadline)->trimmed, 6);
  EXPECT_THAT(ListAll({}), ElementsAre("7.0", "8.0", "9.0", "10.0"));
}

TEST_F(ChangesTest, TheLastOnesBeginAtAWholeRevision) {
  EXPECT_EQ(*store_.LoadRevisionBeforeLast(5, kNoDeadline), 0);
  for (const int size : {3, 1, 2}) {  // revisions 1, 2, 3
    std::vector<NewVersion> batch;
    for (int i = 0; i < size; ++i)
      batch.push_back(MakeVersion("last", fmt::format("t{}", size), fmt::format("{}.0.0", i)));
    ASSERT_TRUE(store_.Register(batch, kNobody, kNoDeadline).ok());
  }
  std::vector<int64_t> revisions;
  for (int changes = 0; changes <= 6; ++changes)
    revisions.push_back(*store_.LoadRevisionBeforeLast(changes, kNoDeadline));
  EXPECT_THAT(revisions, ElementsAre(3, 3, 2, 1, 1, 1, 0));
}

TEST_F(ChangesTest, TrimmingKeepsWhatIsYoung) {
  Add("REGISTER", "a", "x", 10);
  test::RunSql(*pool_, "UPDATE tasker.changes SET created_at = created_at - interval '2 days' WHERE revision <= 7");
  EXPECT_EQ(*store_.TrimChanges({.age = absl::Hours(72)}, kNoDeadline), 0);
  EXPECT_EQ(*store_.TrimChanges({.age = absl::Hours(24)}, kNoDeadline), 7);
  EXPECT_EQ(store_.LoadChangeLogRange(kNoDeadline)->trimmed, 7);
}

TEST_F(ChangesTest, EvenWhenEverythingIsTrimmedTheRevisionGoesOn) {
  Add("REGISTER", "a", "x", 3);
  EXPECT_EQ(*store_.TrimChanges({}, kNoDeadline), 3);
  EXPECT_THAT(*store_.LoadChanges(3, 100, kNoDeadline), IsEmpty());
  Add("REGISTER", "a", "x");
  EXPECT_EQ(store_.LoadChanges(3, 100, kNoDeadline)->front().revision, 4);
}

TEST_F(ChangesTest, ManyMayTrimAtOnce) {
  Add("REGISTER", "a", "x", 500);
  std::atomic<int64_t> removed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const auto some = store_.TrimChanges({.revisions = 100}, kNoDeadline);
      ASSERT_TRUE(some.ok()) << some.status();
      removed += *some;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(removed, 400);
}

// Many writers, some of which commit slowly, in transactions that do other work before and after they take the
// revision: a reader that has seen revision N never sees a new row of N or below afterwards, and no revision is left
// out.
TEST_F(ChangesTest, CommitsBecomeVisibleInTheOrderOfTheirRevisions) {
  constexpr int kWriters = 8;
  constexpr int kRounds = 25;
  std::atomic<bool> writing = true;
  std::thread reader([&] {
    int64_t seen = 0;
    size_t rows = 0;
    for (bool last = false; !last;) {
      last = !writing;
      const auto changes = store_.LoadChanges(seen, 7, kNoDeadline);
      ASSERT_TRUE(changes.ok()) << changes.status();
      for (const ChangeRow& change : *changes) {
        ASSERT_EQ(change.revision, change.ordinal == 0 ? seen + 1 : seen);
        seen = change.revision;
      }
      last = last && changes->empty();
      rows += changes->size();
      // All that there is up to here, counted again: nothing came in behind the reader's back.
      const auto count =
          test::RunSql(*pool_, fmt::format("SELECT count(*) FROM tasker.changes WHERE revision <= {}", seen));
      ASSERT_EQ(count.front(), std::to_string(rows));
    }
    EXPECT_EQ(seen, kWriters * kRounds);
  });
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      for (int round = 0; round < kRounds; ++round) {
        const int pause_ms = (writer * 7 + round * 3) % 5;
        const absl::Status status = pool_->RunTransaction("write", kNoDeadline, [&](Session& session) {
          session.Execute(fmt::format("SELECT pg_sleep({} / 2000.0)", pause_ms));
          session.Execute(fmt::format(
              "SELECT tasker.register_templates('[{{\"namespace\":\"w\",\"name\":\"a{0}\",\"version\":\"1.0.{1}\","
              "\"digest\":\"sha256:{2:064x}\",\"tags\":[],\"step_count\":1,\"file_name\":\"\",\"source_revision\":\"\","
              "\"source_uri\":\"\",\"entries\":[]}},{{\"namespace\":\"w\",\"name\":\"b{0}\",\"version\":\"1.0.{1}\","
              "\"digest\":\"sha256:{2:064x}\",\"tags\":[],\"step_count\":1,\"file_name\":\"\",\"source_revision\":\"\","
              "\"source_uri\":\"\",\"entries\":[]}}]'::jsonb, '{{\"{{}}\",\"{{}}\"}}'::text[], "
              "'{{NULL,NULL}}'::text[], "
              "'[]', '[]', '', '', false)",
              writer, round, writer * 1000 + round));
          session.Execute(fmt::format("SELECT pg_sleep({} / 1000.0)", pause_ms));
          return absl::OkStatus();
        });
        ASSERT_TRUE(status.ok()) << status;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  writing = false;
  reader.join();
}

class ChangeBellTest : public ChangesTest {
 protected:
  // Waits for `event`, over others that may come before it.
  bool Awaits(ChangeBell& bell, ChangeBell::Event event) {
    for (const absl::Time end = absl::Now() + absl::Seconds(60); absl::Now() < end;) {
      if (bell.Wait(absl::Milliseconds(50)) == event) return true;
    }
    return false;
  }
};

TEST_F(ChangeBellTest, RingsForAChangeAndSaysWhich) {
  ChangeBell bell(*pool_);
  EXPECT_EQ(bell.Wait(absl::Seconds(60)), ChangeBell::Event::kRang);  // it is new
  EXPECT_EQ(bell.Wait(absl::ZeroDuration()), ChangeBell::Event::kTimeout);
  test::RunSql(*pool_, "SELECT pg_notify('tasker_changes', '17')");
  EXPECT_EQ(bell.Wait(absl::Seconds(60)), ChangeBell::Event::kRang);
  EXPECT_EQ(bell.heard(), 17);
}

TEST_F(ChangeBellTest, AWakeEndsTheWait) {
  ChangeBell bell(*pool_);
  EXPECT_EQ(bell.Wait(absl::Seconds(60)), ChangeBell::Event::kRang);
  std::thread waker([&] { bell.Wake(); });
  EXPECT_EQ(bell.Wait(absl::InfiniteDuration()), ChangeBell::Event::kWoken);
  waker.join();
}

TEST_F(ChangeBellTest, ALostConnectionIsNoticedAndReplaced) {
  ChangeBell bell(*pool_);
  EXPECT_EQ(bell.Wait(absl::Seconds(60)), ChangeBell::Event::kRang);
  test::RunSql(*pool_,
               "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = "
               "current_database()");
  EXPECT_TRUE(Awaits(bell, ChangeBell::Event::kSilent));
  EXPECT_TRUE(Awaits(bell, ChangeBell::Event::kRang));
  test::RunSql(*pool_, "SELECT pg_notify('tasker_changes', '18')");
  EXPECT_TRUE(Awaits(bell, ChangeBell::Event::kRang));
  EXPECT_EQ(bell.heard(), 18);
}

TEST_F(ChangeBellTest, WithoutADatabaseItIsSilentForTheWholeTime) {
  ChangeBell bell(*test::OpenPool("host=127.0.0.1 port=1 dbname=none"));
  EXPECT_EQ(bell.Wait(absl::Milliseconds(1)), ChangeBell::Event::kSilent);
  EXPECT_EQ(bell.Wait(absl::Milliseconds(1)), ChangeBell::Event::kSilent);
}

}  // namespace
}  // namespace tasker::store
