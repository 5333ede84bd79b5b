#include "lib/base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tasker::base {
namespace {

std::string Canonical(std::string_view text) {
  const absl::StatusOr<Json> value = ParseJson(text);
  return value.ok() ? CanonicalJson(*value) : std::string(value.status().message());
}

TEST(CanonicalJsonTest, SortsKeysAndDropsWhiteSpace) {
  EXPECT_EQ(Canonical(R"( { "b" : [ 1 , true , null ] , "a" : { } } )"), R"({"a":{},"b":[1,true,null]})");
}

TEST(CanonicalJsonTest, KeepsIntegersAndRealsApart) {
  EXPECT_EQ(Canonical("[3, 3.0, -0.0, 19.99, 0.1, 1e17, 1e21, 1e-7, 1E300]"),
            "[3,3.0,0.0,19.99,0.1,100000000000000000.0,1e+21,1e-07,1e+300]");
  EXPECT_EQ(Canonical("[9223372036854775807,18446744073709551615,-9223372036854775808,9007199254740993]"),
            "[9223372036854775807,18446744073709551615,-9223372036854775808,9007199254740993]");
}

TEST(CanonicalJsonTest, EscapesWhatJsonRequires) {
  EXPECT_EQ(Canonical(R"("\u0001\n\"\\\/é\ud83d\ude00")"), "\"\\u0001\\n\\\"\\\\/é😀\"");
}

TEST(CanonicalJsonTest, ReadsBackAsItself) {
  for (const char* text : {"1.7976931348623157e+308", "5e-324", "123456789012345680.0", "0.3", "-1.5", "2.5e-10"}) {
    const std::string once = Canonical(text);
    EXPECT_EQ(Canonical(once), once);
  }
}

TEST(ParseJsonTest, RefusesWhatWouldBeLostSilently) {
  EXPECT_THAT(Canonical(R"({"a":1,"a":2})"), testing::HasSubstr("duplicate key \"a\""));
  EXPECT_THAT(Canonical("18446744073709551616"), testing::HasSubstr("does not fit 64 bits"));
  EXPECT_THAT(Canonical("1e999"), testing::HasSubstr("out of range"));
  EXPECT_THAT(Canonical("1 2"), testing::HasSubstr("at byte 2"));
  EXPECT_THAT(Canonical(""), testing::HasSubstr("not valid JSON"));
  EXPECT_THAT(Canonical("\"\xff\""), testing::HasSubstr("invalid UTF-8 at byte 1"));
  EXPECT_THAT(Canonical(std::string(600, '[') + std::string(600, ']')), testing::HasSubstr("not valid JSON"));
}

TEST(ParseJsonTest, ReadsHugeIntegersAsRealsWhereAsked) {
  const auto value = ParseJson("1000000000000000000000", HugeIntegers::kAsReals);
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(CanonicalJson(*value), "1e+21");
}

TEST(JsonPointerTest, EscapesAndSplits) {
  EXPECT_EQ(JsonPointer("/a", "b/c~d"), "/a/b~1c~0d");
  EXPECT_THAT(JsonPointerTokens("/a/b~1c~0d/0"), testing::ElementsAre("a", "b/c~d", "0"));
  EXPECT_THAT(JsonPointerTokens(""), testing::IsEmpty());
}

TEST(PrettyJsonTest, Indents) {
  EXPECT_EQ(PrettyJson(*ParseJson(R"({"b":[1],"a":{}})")), "{\n  \"b\": [\n    1\n  ],\n  \"a\": {}\n}");
}

}  // namespace
}  // namespace tasker::base
