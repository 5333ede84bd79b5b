#include "lib/diff/alignment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <string>

namespace tasker::diff {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// "0=0 1- +1": common, removed, added.
std::string Show(const std::vector<Pair>& pairs) {
  std::string out;
  for (const Pair& pair : pairs) {
    if (!out.empty()) out += ' ';
    if (!pair.old_index) out += '+';
    if (pair.old_index) out += std::to_string(*pair.old_index);
    if (pair.old_index && pair.new_index) out += '=';
    if (pair.new_index) out += std::to_string(*pair.new_index);
    if (!pair.new_index) out += '-';
  }
  return out;
}

std::string Ordered(std::vector<size_t> a, std::vector<size_t> b) { return Show(AlignOrdered(a, b)); }
std::string ByKey(std::vector<size_t> a, std::vector<size_t> b) { return Show(AlignByKey(a, b)); }

TEST(AlignOrderedTest, FindsAnInsertedItem) { EXPECT_EQ(Ordered({1, 2, 3}, {1, 9, 2, 3}), "0=0 +1 1=2 2=3"); }
TEST(AlignOrderedTest, FindsARemovedItem) { EXPECT_EQ(Ordered({1, 9, 2, 3}, {1, 2, 3}), "0=0 1- 2=1 3=2"); }
TEST(AlignOrderedTest, PairsWhatStandsInTheSameGap) {
  EXPECT_EQ(Ordered({1, 5, 6, 2}, {1, 7, 2, 8}), "0=0 1=1 2- 3=2 +3");
}
TEST(AlignOrderedTest, KeepsTheLongestCommonPart) {
  EXPECT_EQ(Ordered({1, 2, 3, 4}, {4, 1, 2, 3}), "+0 0=1 1=2 2=3 3-");
}
TEST(AlignOrderedTest, TakesEmptyLists) {
  EXPECT_EQ(Ordered({}, {1}), "+0");
  EXPECT_EQ(Ordered({1}, {}), "0-");
  EXPECT_EQ(Ordered({}, {}), "");
}
TEST(AlignOrderedTest, PairsHugeDifferentListsByIndex) {
  std::vector<size_t> a(100'000), b(100'000);
  std::iota(a.begin(), a.end(), 0);
  std::iota(b.begin(), b.end(), 100'000);
  EXPECT_THAT(AlignOrdered(a, b), SizeIs(100'000));
}

TEST(AlignByKeyTest, PairsRepeatedKeysInTurn) { EXPECT_EQ(ByKey({1, 1, 2}, {1, 2, 1, 1}), "0=0 1=2 2=1 +3"); }
TEST(AlignByKeyTest, ListsRemovedBeforeAdded) { EXPECT_EQ(ByKey({1, 2}, {3, 1}), "0=1 1- +0"); }

TEST(MovedTest, NamesTheFewestItems) {
  const std::vector<size_t> a{1, 2, 3, 4}, b{4, 1, 2, 3};
  EXPECT_THAT(Moved(AlignByKey(a, b)), ElementsAre(3));
}
TEST(MovedTest, IgnoresAddedAndRemovedItems) {
  const std::vector<size_t> a{1, 2, 3}, b{9, 1, 8, 3};
  EXPECT_THAT(Moved(AlignByKey(a, b)), IsEmpty());
}
TEST(MovedTest, TakesAReversedList) {
  const std::vector<size_t> a{1, 2, 3}, b{3, 2, 1};
  EXPECT_THAT(Moved(AlignByKey(a, b)), SizeIs(2));
}

}  // namespace
}  // namespace tasker::diff
