#include "client/library/backoff.h"

#include <gtest/gtest.h>

#include <set>

namespace tasker::client {
namespace {

constexpr absl::Duration kFirst = absl::Milliseconds(50);
constexpr absl::Duration kLongest = absl::Seconds(1);

TEST(BackoffTest, DoublesWithEachFailureUpToTheLongest) {
  const absl::Duration whole[] = {kFirst, 2 * kFirst, 4 * kFirst, 8 * kFirst, 16 * kFirst, kLongest, kLongest};
  for (size_t failures = 0; failures < std::size(whole); ++failures) {
    for (int i = 0; i < 100; ++i) {
      const absl::Duration wait = Backoff(failures, kFirst, kLongest);
      EXPECT_GE(wait, whole[failures] / 2);
      EXPECT_LE(wait, whole[failures]);
    }
  }
  EXPECT_LE(Backoff(SIZE_MAX, kFirst, kLongest), kLongest);
}

TEST(BackoffTest, WaitsAnotherTimeEachTime) {
  std::set<absl::Duration> waits;
  for (int i = 0; i < 10; ++i) waits.insert(Backoff(3, kFirst, kLongest));
  EXPECT_GT(waits.size(), 5);
}

}  // namespace
}  // namespace tasker::client
