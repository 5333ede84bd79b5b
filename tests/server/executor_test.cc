#include "server/executor.h"

#include <absl/synchronization/notification.h>
#include <gtest/gtest.h>

#include <atomic>

namespace tasker::server {
namespace {

TEST(ExecutorTest, RunsEverythingBeforeItEnds) {
  std::atomic<int> ran = 0;
  {
    Executor executor({.threads = 3, .max_waiting = 1000});
    for (int i = 0; i < 500; ++i) ASSERT_TRUE(executor.Post(1, [&] { ++ran; }));
  }
  EXPECT_EQ(ran, 500);
}

TEST(ExecutorTest, RefusesWhenTheQueueIsFull) {
  absl::Notification release;
  absl::Notification running;
  Executor executor({.threads = 1, .max_waiting = 2});
  ASSERT_TRUE(executor.Post(1, [&] {
    running.Notify();
    release.WaitForNotification();
  }));
  running.WaitForNotification();
  EXPECT_TRUE(executor.Post(1, [] {}));
  EXPECT_TRUE(executor.Post(1, [] {}));
  EXPECT_FALSE(executor.Post(1, [] {}));
  release.Notify();
}

TEST(ExecutorTest, RefusesMoreBytesThanItMayHold) {
  absl::Notification release;
  Executor executor({.threads = 1, .max_waiting = 100, .max_bytes = 1000});
  ASSERT_TRUE(executor.Post(5000, [&] { release.WaitForNotification(); })) << "alone, even the largest runs";
  EXPECT_FALSE(executor.Post(1, [] {}));
  release.Notify();
}

}  // namespace
}  // namespace tasker::server
