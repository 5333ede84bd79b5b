#include "lib/store/joined_calls.h"

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/support/postgres_fixture.h"

namespace tasker::store {
namespace {

using ::testing::ElementsAre;

// A function that notes which transaction each call ran in; it waits while somebody holds the advisory lock 1.
class JoinedCallsTest : public testing::Test {
 protected:
  JoinedCallsTest() {
    test::RunSql(*pool_,
                 "CREATE TABLE public.calls (word text, xid bigint DEFAULT txid_current(), at bigserial);"
                 "CREATE FUNCTION public.note(p_word text, p_number int) RETURNS TABLE (word text, number int) "
                 "LANGUAGE plpgsql AS $$ BEGIN "
                 "PERFORM pg_advisory_xact_lock_shared(1); "
                 "INSERT INTO public.calls (word) VALUES (p_word); "
                 "RETURN QUERY SELECT p_word, n FROM generate_series(1, p_number) n; END $$;"
                 "CREATE FUNCTION public.note_all(p_words text[], p_numbers text[]) "
                 "RETURNS TABLE (word text, number int, call int) LANGUAGE plpgsql AS $$ BEGIN "
                 "FOR i IN REVERSE cardinality(p_words) .. 1 LOOP "
                 "RETURN QUERY SELECT n.word, n.number, i FROM public.note(p_words[i], p_numbers[i]::int) n; "
                 "END LOOP; END $$;");
  }

  // Sends `words` while nothing gets through: the first kSlots run by themselves, the others wait together.
  std::vector<absl::Status> CallAtOnce(const std::vector<std::string>& words,
                                       absl::Duration patience_of_last = absl::InfiniteDuration()) {
    std::vector<absl::Status> statuses(words.size());
    std::vector<std::thread> threads;
    const absl::Status status =
        pool_->RunTransaction("hold", absl::InfiniteFuture(), [&](Session& session) -> absl::Status {
          session.Execute("SELECT pg_advisory_xact_lock(1)");
          for (size_t i = 0; i < words.size(); ++i) {
            const bool is_last = i + 1 == words.size();
            threads.emplace_back([&, i, is_last] {
              const absl::Time deadline = is_last ? absl::Now() + patience_of_last : absl::InfiniteFuture();
              statuses[i] = calls_.Call({words[i], "2"}, deadline).status();
            });
            while (i < kSlots && Waiting(session) <= i) absl::SleepFor(absl::Milliseconds(1));
            if (is_last && patience_of_last < absl::InfiniteDuration()) {
              threads.back().join();
              threads.pop_back();
            } else {
              while (i >= kSlots && calls_.waiting() <= i - kSlots) absl::SleepFor(absl::Milliseconds(1));
            }
          }
          return absl::OkStatus();
        });
    EXPECT_TRUE(status.ok()) << status;
    for (std::thread& thread : threads) thread.join();
    return statuses;
  }

  static size_t Waiting(Session& session) {
    return session.Execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")[0][0]
        .as<size_t>();
  }

  static constexpr size_t kSlots = JoinedCalls::kMinSlots;
  std::shared_ptr<ConnectionPool> pool_ = test::TestCluster::Get().NewMigratedPool();
  JoinedCalls calls_{pool_, {"note", "r.word, r.number", "public.note", {"text", "int"}, "public.note_all"}};
};

TEST_F(JoinedCallsTest, GivesEachCallerItsOwnRows) {
  const auto rows = calls_.Call({"a \"b\" \\ {c}, NULL", "3"}, absl::InfiniteFuture());
  ASSERT_TRUE(rows.ok()) << rows.status();
  ASSERT_EQ(rows->size(), 3u);
  EXPECT_EQ((*rows)[0][0].as<std::string>(), "a \"b\" \\ {c}, NULL");
  EXPECT_EQ((*rows)[2][1].as<int>(), 3);
}

TEST_F(JoinedCallsTest, SendsTogetherWhatCameWhileAllSlotsRan) {
  CallAtOnce({"1", "2", "3", "4", "a", "b \"{,}\\", "c", "d", "e"});
  // A quarter of five to eight calls, as the first four come back one after the other or all at once.
  EXPECT_THAT(test::RunSql(*pool_,
                           "SELECT string_agg(word, ' ' ORDER BY at) FROM public.calls "
                           "GROUP BY xid HAVING count(*) > 1 ORDER BY min(at) LIMIT 1"),
              ElementsAre("b \"{,}\\ a"));
}

TEST_F(JoinedCallsTest, OneCallsErrorIsNotAnothers) {
  const std::vector<absl::Status> statuses = CallAtOnce({"1", "2", "3", "4", "bad \xff", "b", "c", "d"});
  for (size_t i = 0; i < statuses.size(); ++i) {
    EXPECT_EQ(statuses[i].code(), i == 4 ? absl::StatusCode::kInvalidArgument : absl::StatusCode::kOk) << i;
  }
}

TEST_F(JoinedCallsTest, AnswersAWaitingCallAtItsDeadlineAndNeverSendsIt) {
  const std::vector<absl::Status> statuses = CallAtOnce({"1", "2", "3", "4", "late"}, absl::Milliseconds(20));
  EXPECT_EQ(statuses.back().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(test::RunSql(*pool_, "SELECT word FROM public.calls WHERE word = 'late'"), testing::IsEmpty());
}

TEST_F(JoinedCallsTest, ManyCallersAllGetTheirAnswer) {
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int writer = 0; writer < 24; ++writer) {
    threads.emplace_back([&, writer] {
      for (int i = 0; i < 50; ++i) {
        const std::string word = fmt::format("{}-{}", writer, i);
        const auto rows = calls_.Call({word, "1"}, absl::InfiniteFuture());
        right += rows.ok() && rows->size() == 1 && rows->front()[0].as<std::string>() == word;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 24 * 50);
}

}  // namespace
}  // namespace tasker::store
