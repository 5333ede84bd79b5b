#include "client/table.h"

#include <gtest/gtest.h>

#include <clocale>

namespace tasker::client {
namespace {

class TableTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(std::setlocale(LC_CTYPE, "C.UTF-8"), nullptr); }
};

TEST_F(TableTest, AlignsColumnsWithoutTrailingBlanks) {
  Table table({"NAME", "KIND", "NOTE"});
  table.AddRow({"a", "class", ""});
  table.AddRow({"longer", "key", "x"});
  EXPECT_EQ(table.Aligned(80),
            "NAME    KIND   NOTE\n"
            "a       class\n"
            "longer  key    x\n");
}

TEST_F(TableTest, LeavesColumnsOutThatAreEmptyInEveryRow) {
  Table table({"NAME", "STATE", "KIND"});
  table.AddRow({"a", "", "class"});
  EXPECT_EQ(table.Aligned(80), "NAME  KIND\na     class\n");
  EXPECT_EQ(table.Plain(), "a\t\tclass\n");
  EXPECT_EQ(Table({"NAME", "KIND"}).Aligned(80), "NAME  KIND\n");
}

TEST_F(TableTest, CutsTheWidestColumnUntilALineFits) {
  Table table({"A", "B"});
  table.AddRow({"short", "0123456789abcdefghij"});
  EXPECT_EQ(table.Aligned(20),
            "A      B\n"
            "short  0123456789ab…\n");
}

TEST_F(TableTest, CutsTheFirstColumnOnlyWhenTheOthersGiveNoMore) {
  Table table({"A", "B", "C"});
  table.AddRow({"0123456789abcdefghij", "0123456789", "0123456789abc"});
  EXPECT_EQ(table.Aligned(36),
            "A                     B       C\n"
            "0123456789abcdefghij  01234…  01234…\n");
  EXPECT_EQ(table.Aligned(26),
            "A           B       C\n"
            "012345678…  01234…  01234…\n");
}

TEST_F(TableTest, DoesNotCutBelowWhatStaysReadable) {
  Table table({"A", "B"});
  table.AddRow({"0123456789", "0123456789"});
  EXPECT_EQ(table.Aligned(1),
            "A       B\n"
            "01234…  01234…\n");
}

TEST_F(TableTest, CountsWideAndCombiningCharactersAsTheTerminalDoes) {
  EXPECT_EQ(DisplayWidth("abc"), 3u);
  EXPECT_EQ(DisplayWidth("日本"), 4u);
  EXPECT_EQ(DisplayWidth("e\u0301"), 1u);
  EXPECT_EQ(DisplayWidth("größe"), 5u);
  Table table({"A", "B"});
  table.AddRow({"日本", "x"});
  table.AddRow({"e\u0301", "y"});
  EXPECT_EQ(table.Aligned(80), "A     B\n日本  x\ne\u0301     y\n");
}

TEST_F(TableTest, DoesNotSplitAWideCharacterWhenCutting) {
  Table table({"A"});
  table.AddRow({"日本日本日本日本"});
  EXPECT_EQ(table.Aligned(8), "A\n日本日…\n");
}

TEST_F(TableTest, IsPlainWithoutHeaderAndCuts) {
  Table table({"A", "B"});
  table.AddRow({std::string(200, 'a'), "b"});
  EXPECT_EQ(table.Plain(), std::string(200, 'a') + "\tb\n");
}

TEST_F(TableTest, LetsNoCellSteerTheTerminalOrMakeAnotherCell) {
  Table table({"A", "B"});
  table.AddRow({"a\tb\nc\rd", "\x1b[31mred\x7f\u009b\u202e!"});
  EXPECT_EQ(table.Plain(), "a b c d\t [31mred   !\n");
}

}  // namespace
}  // namespace tasker::client
