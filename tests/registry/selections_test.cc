#include "lib/registry/selections.h"

#include <gtest/gtest.h>

namespace tasker::registry {
namespace {

class SelectionsTest : public testing::Test {
 protected:
  absl::Duration age_ = absl::Milliseconds(500);
  ChangeCounters counters_;
  Selections selections_{counters_, {.age = [this] { return age_; }, .max_staleness = absl::Seconds(10)}};
};

TEST_F(SelectionsTest, RemembersUntilTheTemplateChanges) {
  EXPECT_FALSE(selections_.Find("a/b:latest"));
  selections_.Put("a/b:latest", "a/b:1.0.0", selections_.TicketFor("a/b:latest"));
  const auto found = selections_.Find("a/b:latest");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->selected->exact, "a/b:1.0.0");
  EXPECT_EQ(found->stale, absl::ZeroDuration());
  counters_.CountSelections("a/b");
  EXPECT_FALSE(selections_.Find("a/b:latest"));
}

TEST_F(SelectionsTest, NeverUsesAnAnswerThatAChangeOvertook) {
  const uint64_t ticket = selections_.TicketFor("a/b:latest");
  counters_.CountSelections("a/b");  // while the database is being asked
  selections_.Put("a/b:latest", "a/b:1.0.0", ticket);
  EXPECT_FALSE(selections_.Find("a/b:latest"));
}

TEST_F(SelectionsTest, SaysHowOldItIsWhileChangesAreNotHeardOf) {
  selections_.Put("a/b", "a/b:1.0.0", selections_.TicketFor("a/b"));
  age_ = absl::Seconds(7);
  EXPECT_EQ(selections_.Find("a/b")->stale, absl::Seconds(7));
  age_ = absl::Seconds(11);
  EXPECT_FALSE(selections_.Find("a/b"));
  age_ = absl::ZeroDuration();
  EXPECT_TRUE(selections_.Find("a/b")) << "nothing has changed after all";
}

TEST_F(SelectionsTest, RemembersWhatIsMissingUntilItComes) {
  selections_.PutMissing("a/b", absl::NotFoundError("no b"), selections_.TicketFor("a/b"));
  ASSERT_TRUE(selections_.Find("a/b"));
  EXPECT_EQ(selections_.Find("a/b")->selected->missing, absl::NotFoundError("no b"));
  counters_.CountSelections("a/b:1.0.0");
  EXPECT_FALSE(selections_.Find("a/b"));
}

TEST_F(SelectionsTest, WithoutAnybodyToCountChangesRemembersNothing) {
  Selections none(counters_, {});
  none.Put("a/b", "a/b:1.0.0", none.TicketFor("a/b"));
  EXPECT_FALSE(none.Find("a/b"));
}

TEST_F(SelectionsTest, StaysWithinItsBytes) {
  Selections small(counters_, {.bytes = 64 << 10, .age = [] { return absl::ZeroDuration(); }});
  for (int i = 0; i < 5000; ++i) {
    const std::string reference = "a/b" + std::to_string(i);
    small.PutMissing(reference, absl::NotFoundError("no such template"), small.TicketFor(reference));
  }
  EXPECT_LE(small.Stats().bytes, size_t{64} << 10);
  EXPECT_GT(small.Stats().evictions, 0u);
}

}  // namespace
}  // namespace tasker::registry
