#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/digest.h"
#include "lib/base/nearest.h"
#include "lib/base/utf8.h"

namespace tasker::base {
namespace {

TEST(Utf8Test, FindsTheFirstInvalidByte) {
  EXPECT_TRUE(IsValidUtf8("aé€😀"));
  EXPECT_EQ(FindInvalidUtf8("ab\xc0\xaf"), 2u);        // overlong
  EXPECT_EQ(FindInvalidUtf8("\xed\xa0\x80"), 0u);      // surrogate
  EXPECT_EQ(FindInvalidUtf8("\xf4\x90\x80\x80"), 0u);  // above U+10FFFF
  EXPECT_EQ(FindInvalidUtf8("a\xe2\x82"), 1u);         // cut off
  EXPECT_EQ(FindInvalidUtf8("\x80"), 0u);              // stray continuation
}

TEST(Utf8Test, ShortensWithoutSplittingCharacters) {
  EXPECT_EQ(Utf8Prefix("aé", 2), "a");
  EXPECT_EQ(Shortened("abcdef", 3), "abc…");
  EXPECT_EQ(Shortened("abc", 3), "abc");
}

TEST(Sha256DigestTest, MatchesTheStandardsVector) {
  EXPECT_EQ(Sha256Digest("abc"), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(NearestTest, FindsMisspellings) {
  const std::vector<std::string> keys = {"dependencies", "description", "retry", "validate_payment"};
  EXPECT_EQ(Nearest("dependancies", keys), "dependencies");
  EXPECT_EQ(Nearest("rtery", keys), "retry");
  EXPECT_EQ(Nearest("validate", keys), "validate_payment");
  EXPECT_EQ(Nearest("zzz", keys), "");
  EXPECT_EQ(DidYouMean("dependancies", keys), "did you mean 'dependencies'?");
  EXPECT_EQ(DidYouMean("zzz", keys), "");
}

}  // namespace
}  // namespace tasker::base
