#include "lib/store/page_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tasker::store {
namespace {

using ::testing::ElementsAre;

TEST(PageTokenTest, ComesBackWithItsKeys) {
  const auto keys = DecodePageToken("list", EncodePageToken("list", {"a\"b", "€"}), 2);
  ASSERT_TRUE(keys.ok());
  EXPECT_THAT(*keys, ElementsAre("a\"b", "€"));
}

TEST(PageTokenTest, IsRefusedByAnotherListOrFilter) {
  EXPECT_TRUE(absl::IsInvalidArgument(DecodePageToken("other", EncodePageToken("list", {"a"}), 1).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(DecodePageToken("list", EncodePageToken("list", {"a"}), 2).status()));
}

TEST(PageTokenTest, RefusesWhatItDidNotMake) {
  for (const std::string& token : {std::string("x"), std::string("!!!"), std::string("W10"), std::string("WzEsMl0"),
                                   std::string(10'000, 'A'), std::string("\xff\0", 2)}) {
    EXPECT_TRUE(absl::IsInvalidArgument(DecodePageToken("list", token, 1).status())) << token;
  }
}

}  // namespace
}  // namespace tasker::store
