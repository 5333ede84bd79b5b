#include "lib/registry/change_counters.h"

#include <gtest/gtest.h>

#include "lib/store/records.h"

namespace tasker::registry {
namespace {

store::ChangeRow Change(const std::string& kind) {
  store::ChangeRow change;
  change.kind = kind;
  change.namespace_name = "payments";
  change.name = "refund";
  return change;
}

TEST(ChangeCountersTest, EveryWayToNameATemplateSharesItsCount) {
  ChangeCounters counters;
  counters.Count(Change("YANK"));
  for (const char* reference : {"payments/refund", "payments/refund:1.0.0", "payments/refund:latest",
                                "payments/refund:^1", "payments/refund@sha256:00"}) {
    EXPECT_EQ(counters.Selections(reference), 1u) << reference;
    EXPECT_EQ(counters.States(reference), 1u) << reference;
  }
  EXPECT_EQ(counters.Selections("payments/charge"), 0u);
}

TEST(ChangeCountersTest, ANewVersionOrAChannelLeavesTheStatesOfOthersAlone) {
  ChangeCounters counters;
  for (const char* kind : {"REGISTER", "SET_CHANNEL", "DELETE_CHANNEL"}) counters.Count(Change(kind));
  EXPECT_EQ(counters.Selections("payments/refund"), 3u);
  EXPECT_EQ(counters.States("payments/refund"), 0u);
  for (const char* kind : {"DEPRECATE", "YANK", "RESTORE", "PURGE", "IMPORT"}) counters.Count(Change(kind));
  EXPECT_EQ(counters.States("payments/refund"), 5u);
}

TEST(ChangeCountersTest, ALocalWriteAndAResetCountForBoth) {
  ChangeCounters counters;
  counters.CountTemplate("payments/refund:1.0.0");
  counters.CountAll();
  EXPECT_EQ(counters.Selections("payments/refund"), 2u);
  EXPECT_EQ(counters.States("payments/refund"), 2u);
  EXPECT_EQ(counters.States("payments/charge"), 1u);
  counters.CountSelections("payments/refund");
  EXPECT_EQ(counters.Selections("payments/refund"), 3u);
  EXPECT_EQ(counters.States("payments/refund"), 2u);
}

}  // namespace
}  // namespace tasker::registry
