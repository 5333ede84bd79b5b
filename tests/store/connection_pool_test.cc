#include "lib/store/connection_pool.h"

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <pqxx/result>
#include <thread>

#include "lib/store/connection_string.h"
#include "lib/store/session.h"
#include "tests/support/postgres_fixture.h"

namespace tasker::store {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr absl::Time kNoDeadline = absl::InfiniteFuture();

class ConnectionPoolTest : public testing::Test {
 protected:
  absl::Status Select(ConnectionPool& pool, CallKind kind = CallKind::kRead) {
    return pool.Run("test", kind, kNoDeadline, [](Session& session) { session.Execute("SELECT 1"); });
  }
  void TerminateOthers(const std::string& url) {
    constexpr char kOthers[] =
        "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend'";
    auto admin = test::OpenPool(url, 1);
    test::RunSql(*admin, fmt::format("SELECT pg_terminate_backend(pid) {}", kOthers));
    while (test::RunSql(*admin, fmt::format("SELECT count(*) {}", kOthers)).front() != "0") {
      absl::SleepFor(absl::Milliseconds(5));
    }
  }

  const std::string url_ = test::TestCluster::Get().NewDatabase();
};

TEST_F(ConnectionPoolTest, OpensNoMoreThanItMay) {
  auto pool = test::OpenPool(url_, 3);
  std::vector<std::thread> threads;
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  for (int n = 0; n < 12; ++n) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        ASSERT_TRUE(pool->Run("test", CallKind::kRead, kNoDeadline,
                              [&](Session& session) {
                                const int now = ++running;
                                for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
                                }
                                session.Execute("SELECT 1");
                                --running;
                              })
                        .ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most, 3);
  EXPECT_LE(pool->size(), 3);
}

TEST_F(ConnectionPoolTest, WaitsForAFreeConnectionUntilTheDeadline) {
  auto pool = test::OpenPool(url_, 1);
  std::promise<void> busy;
  std::promise<void> done;
  std::thread holder([&] {
    EXPECT_TRUE(pool->Run("test", CallKind::kRead, kNoDeadline,
                          [&](Session&) {
                            busy.set_value();
                            done.get_future().wait();
                          })
                    .ok());
  });
  busy.get_future().wait();
  const absl::Status status =
      pool->Run("test", CallKind::kRead, absl::Now() + absl::Milliseconds(50), [](Session&) { FAIL(); });
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  done.set_value();
  holder.join();
  EXPECT_TRUE(Select(*pool).ok());
}

TEST_F(ConnectionPoolTest, EndsAStatementAtTheCallersDeadline) {
  auto pool = test::OpenPool(url_, 1);
  const absl::Status status = pool->Run("test", CallKind::kRead, absl::Now() + absl::Milliseconds(100),
                                        [](Session& session) { session.Execute("SELECT pg_sleep(60)"); });
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
  // The connection lives, and a later call has its own time.
  EXPECT_TRUE(
      pool->Run("test", CallKind::kRead, kNoDeadline, [](Session& session) { session.Execute("SELECT pg_sleep(0.5)"); })
          .ok());
  EXPECT_EQ(pool->size(), 1);
}

TEST_F(ConnectionPoolTest, ReplacesTerminatedConnectionsUnseen) {
  auto pool = test::OpenPool(url_, 4);
  for (const CallKind kind : {CallKind::kRead, CallKind::kIdempotentWrite, CallKind::kWrite}) {
    ASSERT_TRUE(Select(*pool).ok());
    TerminateOthers(url_);
    EXPECT_TRUE(Select(*pool, kind).ok());
  }
}

TEST_F(ConnectionPoolTest, ReadsAndIdempotentWritesAreSentAgainWritesAreNot) {
  auto pool = test::OpenPool(url_, 1);
  const auto die_once = [&](CallKind kind) {
    int runs = 0;
    const absl::Status status = pool->Run("test", kind, kNoDeadline, [&](Session& session) {
      if (++runs == 1) session.Execute("SELECT pg_terminate_backend(pg_backend_pid())");
      session.Execute("SELECT 1");
    });
    return std::pair(status.code(), runs);
  };
  EXPECT_EQ(die_once(CallKind::kRead), std::pair(absl::StatusCode::kOk, 2));
  EXPECT_EQ(die_once(CallKind::kIdempotentWrite), std::pair(absl::StatusCode::kOk, 2));
  EXPECT_EQ(die_once(CallKind::kWrite), std::pair(absl::StatusCode::kUnavailable, 1));
  EXPECT_TRUE(Select(*pool).ok());
}

TEST_F(ConnectionPoolTest, GivesUpWhenEveryConnectionBreaks) {
  auto pool = test::OpenPool(url_, 1);
  int runs = 0;
  const absl::Status status = pool->Run("test", CallKind::kRead, kNoDeadline, [&](Session& session) {
    ++runs;
    session.Execute("SELECT pg_terminate_backend(pg_backend_pid())");
    session.Execute("SELECT 1");
  });
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(pool->size(), 0);
}

TEST_F(ConnectionPoolTest, RunsRolledBackCallsAgain) {
  auto pool = test::OpenPool(url_, 1);
  for (const char* state : {"40001", "40P01"}) {
    int runs = 0;
    EXPECT_TRUE(pool->Run("test", CallKind::kWrite, kNoDeadline,
                          [&](Session& session) {
                            if (++runs < 4) {
                              session.Execute(
                                  fmt::format("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{}'; END $$", state));
                            }
                          })
                    .ok());
    EXPECT_EQ(runs, 4);
  }
}

TEST_F(ConnectionPoolTest, MapsErrorsWithoutTheDriversText) {
  auto pool = test::OpenPool(url_, 1);
  struct Case {
    const char* sql;
    absl::StatusCode code;
  };
  for (const auto& [sql, code] : std::vector<Case>{
           {"SELECT 1/0 AS secret_word", absl::StatusCode::kInvalidArgument},
           {"SELECT * FROM secret_word", absl::StatusCode::kFailedPrecondition},
           {"SELEKT secret_word", absl::StatusCode::kInternal},
           {"DO $$ BEGIN RAISE EXCEPTION 'secret_word' USING ERRCODE = '53100'; END $$",
            absl::StatusCode::kResourceExhausted},
           {"DO $$ BEGIN RAISE EXCEPTION 'secret_word' USING ERRCODE = '25006'; END $$",
            absl::StatusCode::kUnavailable},
       }) {
    const absl::Status status =
        pool->Run("test", CallKind::kWrite, kNoDeadline, [sql = sql](Session& session) { session.Execute(sql); });
    EXPECT_EQ(status.code(), code) << sql << status;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secret_word")));
  }
  EXPECT_TRUE(Select(*pool).ok());
}

TEST_F(ConnectionPoolTest, ATransactionThatFailsIsRolledBack) {
  auto pool = test::OpenPool(url_, 1);
  test::RunSql(*pool, "CREATE TABLE public.t (x int)");
  EXPECT_TRUE(absl::IsAborted(pool->RunTransaction("test", kNoDeadline, [](Session& session) {
    session.Execute("INSERT INTO public.t VALUES (1)");
    return absl::AbortedError("no");
  })));
  EXPECT_TRUE(pool->RunTransaction("test", kNoDeadline,
                                   [](Session& session) {
                                     session.Execute("INSERT INTO public.t VALUES (2)");
                                     return absl::OkStatus();
                                   })
                  .ok());
  EXPECT_THAT(test::RunSql(*pool, "SELECT x FROM public.t"), testing::ElementsAre("2"));
}

TEST_F(ConnectionPoolTest, AnAbsentDatabaseIsUnavailable) {
  auto pool = test::OpenPool("host=/nonexistent dbname=x user=y");
  EXPECT_TRUE(absl::IsUnavailable(Select(*pool)));
  EXPECT_EQ(pool->size(), 0);
}

TEST(ConnectionStringTest, CompletesUrlsAndKeyWords) {
  const std::string url = *CompleteConnectionString("postgresql://me:p%27w@h1,h2/db?connect_timeout=9");
  EXPECT_THAT(url, HasSubstr("user='me'"));
  EXPECT_THAT(url, HasSubstr("password='p\\'w'"));
  EXPECT_THAT(url, HasSubstr("connect_timeout='9'"));
  EXPECT_THAT(url, HasSubstr("target_session_attrs='read-write'"));
  EXPECT_THAT(*CompleteConnectionString("host=a dbname=b"), Not(HasSubstr("target_session_attrs")));
}

TEST(ConnectionStringTest, RefusesNonsenseWithoutQuotingIt) {
  for (const char* text : {"postgresql://u:secret@h/db?nonsense=1", "secret=1", "host='secret"}) {
    const absl::Status status = CompleteConnectionString(text).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << text;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace tasker::store
