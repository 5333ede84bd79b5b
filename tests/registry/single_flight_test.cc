#include "lib/registry/single_flight.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

namespace tasker::registry {
namespace {

using Flights = SingleFlight<int>;

TEST(SingleFlightTest, OneOfManyWorksForAll) {
  constexpr int kCallers = 8;
  Flights flights;
  std::latch all_here(kCallers);
  std::atomic<int> runs = 0;
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kCallers; ++i) {
    threads.emplace_back([&] {
      all_here.arrive_and_wait();
      const auto result = flights.Do("key", absl::InfiniteFuture(), [&]() -> absl::StatusOr<int> {
        absl::SleepFor(absl::Milliseconds(20));  // time for the others to come
        return ++runs;
      });
      right += result.ok() && *result <= runs;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, kCallers);
  EXPECT_LT(runs, kCallers);
}

TEST(SingleFlightTest, WorksAgainForWhoComesAfter) {
  Flights flights;
  int runs = 0;
  const auto work = [&]() -> absl::StatusOr<int> { return ++runs; };
  EXPECT_EQ(*flights.Do("key", absl::InfiniteFuture(), work), 1);
  EXPECT_EQ(*flights.Do("key", absl::InfiniteFuture(), work), 2);
}

TEST(SingleFlightTest, AnErrorGoesToAllButADeadlineOnlyToItsOwner) {
  Flights flights;
  std::latch started(1);
  std::latch waiting(1);
  std::thread first([&] {
    const auto result = flights.Do("key", absl::InfiniteFuture(), [&]() -> absl::StatusOr<int> {
      started.count_down();
      waiting.wait();
      return absl::DeadlineExceededError("mine");
    });
    EXPECT_TRUE(absl::IsDeadlineExceeded(result.status()));
  });
  started.wait();
  waiting.count_down();
  EXPECT_EQ(*flights.Do("key", absl::InfiniteFuture(), [] { return absl::StatusOr<int>(7); }), 7);
  first.join();
}

TEST(SingleFlightTest, WaitsNoLongerThanTheDeadline) {
  Flights flights;
  std::latch started(1);
  std::latch answered(1);
  std::thread first([&] {
    (void)flights.Do("key", absl::InfiniteFuture(), [&]() -> absl::StatusOr<int> {
      started.count_down();
      answered.wait();
      return 1;
    });
  });
  started.wait();
  const auto late = flights.Do("key", absl::Now() + absl::Milliseconds(5), [] { return absl::StatusOr<int>(2); });
  answered.count_down();
  first.join();
  EXPECT_TRUE(absl::IsDeadlineExceeded(late.status()));
}

TEST(SingleFlightTest, WhoBeginsLandsForThoseWhoWait) {
  Flights flights;
  EXPECT_TRUE(flights.Begin("a"));
  EXPECT_TRUE(flights.Begin("b"));
  EXPECT_FALSE(flights.Begin("a"));
  std::thread waiter([&] {  // it may come too late to wait
    const auto result = flights.Do("a", absl::InfiniteFuture(), [] { return absl::StatusOr<int>(1); });
    EXPECT_EQ(*result, 1);
  });
  const auto late = flights.Do("b", absl::Now(), [] { return absl::StatusOr<int>(2); });
  EXPECT_TRUE(absl::IsDeadlineExceeded(late.status()));
  flights.Land("a", 1);
  waiter.join();
  flights.Land("b", absl::DeadlineExceededError(""));
  EXPECT_EQ(*flights.Do("b", absl::InfiniteFuture(), [] { return absl::StatusOr<int>(3); }), 3);
}

}  // namespace
}  // namespace tasker::registry
