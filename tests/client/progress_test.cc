#include "client/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tasker::client {
namespace {

TEST(ProgressLineTest, GrowsWithWhatIsDone) {
  EXPECT_EQ(ProgressLine("validating", 0, 100, 42), "validating [>                ]   0 of 100");
  EXPECT_EQ(ProgressLine("validating", 50, 100, 42), "validating [========>        ]  50 of 100");
  EXPECT_EQ(ProgressLine("validating", 100, 100, 42), "validating [=================] 100 of 100");
}

TEST(ProgressLineTest, CountsWhereTheTotalIsNotKnown) { EXPECT_EQ(ProgressLine("exporting", 7, 0, 80), "exporting 7"); }

TEST(ProgressLineTest, NeverFillsTheLastColumn) {
  for (size_t width = 0; width < 200; ++width) {
    EXPECT_LE(ProgressLine("registering", 12345, 99999, width).size(), width > 0 ? width - 1 : 0) << width;
  }
}

TEST(ProgressLineTest, StaysWithinTheBarWhenMoreIsDoneThanWasExpected) {
  EXPECT_EQ(ProgressLine("importing", 9, 3, 80), "importing [" + std::string(40, '=') + "] 9 of 3");
}

}  // namespace
}  // namespace tasker::client
