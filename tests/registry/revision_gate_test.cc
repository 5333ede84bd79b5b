#include "lib/registry/revision_gate.h"

#include <absl/synchronization/notification.h>
#include <absl/time/clock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "lib/registry/error.h"

namespace tasker::registry {
namespace {

TEST(RevisionGateTest, ARevisionThatIsReachedIsAnsweredAtOnce) {
  RevisionGate gate;
  gate.Advance(5);
  bool done = false;
  gate.WaitFor(5, absl::InfinitePast(), [&](const absl::Status& status) { done = status.ok(); });
  EXPECT_TRUE(done);
}

TEST(RevisionGateTest, WaitersGoOnInStepWithTheRevision) {
  RevisionGate gate;
  std::vector<int> reached;
  for (const int revision : {3, 1, 2, 2}) {
    gate.WaitFor(revision, absl::InfiniteFuture(), [&reached, revision](const absl::Status& status) {
      EXPECT_TRUE(status.ok());
      reached.push_back(revision);
    });
  }
  gate.Advance(2);
  EXPECT_EQ(reached, (std::vector<int>{1, 2, 2}));
  gate.Advance(3);
  EXPECT_EQ(reached, (std::vector<int>{1, 2, 2, 3}));
}

TEST(RevisionGateTest, TheDeadlineEndsAWaitAndSaysWhatWasReached) {
  RevisionGate gate;
  gate.Advance(7);
  absl::Notification late;
  absl::Status outcome;
  gate.WaitFor(9, absl::InfiniteFuture(), [](const absl::Status&) {});
  gate.WaitFor(8, absl::Now() + absl::Milliseconds(1), [&](const absl::Status& status) {
    outcome = status;
    late.Notify();
  });
  late.WaitForNotification();
  EXPECT_EQ(outcome.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(DetailOf(outcome).metadata.at("revision"), "7");
  EXPECT_EQ(gate.waiting(), 1u);
  gate.Close();
}

TEST(RevisionGateTest, ClosingEndsEveryWait) {
  RevisionGate gate;
  absl::Status outcome;
  const auto note = [&](const absl::Status& status) { outcome = status; };
  gate.WaitFor(1, absl::InfiniteFuture(), note);
  gate.Close();
  EXPECT_EQ(outcome.code(), absl::StatusCode::kUnavailable);
  outcome = absl::OkStatus();
  gate.WaitFor(1, absl::InfiniteFuture(), note);
  EXPECT_EQ(outcome.code(), absl::StatusCode::kUnavailable);
}

TEST(RevisionGateTest, TakesABoundedNumberOfWaiters) {
  RevisionGate gate;
  for (size_t i = 0; i < RevisionGate::kMaxWaiting; ++i) {
    gate.WaitFor(1, absl::InfiniteFuture(), [](const absl::Status&) {});
  }
  absl::Status outcome;
  gate.WaitFor(1, absl::InfiniteFuture(), [&](const absl::Status& status) { outcome = status; });
  EXPECT_EQ(outcome.code(), absl::StatusCode::kResourceExhausted);
  gate.Advance(1);
  EXPECT_EQ(gate.waiting(), 0u);
}

TEST(RevisionGateTest, NobodyIsForgottenBetweenAdvancingAndWaiting) {
  constexpr int kRevisions = 2000;
  RevisionGate gate;
  std::atomic<int> done = 0;
  std::thread advancing([&] {
    for (int revision = 1; revision <= kRevisions; ++revision) gate.Advance(revision);
  });
  std::vector<std::thread> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.emplace_back([&] {
      for (int revision = 1; revision <= kRevisions; ++revision) {
        gate.WaitFor(revision, absl::InfiniteFuture(),
                     [&](const absl::Status& status) { done += status.ok() ? 1 : 0; });
      }
    });
  }
  for (std::thread& thread : waiting) thread.join();
  advancing.join();
  EXPECT_EQ(done, 3 * kRevisions);
}

}  // namespace
}  // namespace tasker::registry
