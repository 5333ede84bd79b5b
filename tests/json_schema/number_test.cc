#include "lib/json_schema/number.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/json_schema/support.h"

namespace tasker::json_schema {
namespace {

TEST(NumberTest, ComparesAcrossKindsExactly) {
  // Each is less than the next.
  const char* const kAscending[] = {"-1e300",
                                    "-9223372036854775808",
                                    "-9223372036854775807",
                                    "-0.5",
                                    "0",
                                    "0.5",
                                    "1",
                                    "9007199254740992.0",
                                    "9007199254740993",
                                    "9223372036854775807",
                                    "9223372036854775808",
                                    "18446744073709551614",
                                    "18446744073709551615",
                                    "18446744073709551616.0",
                                    "1e300"};
  for (size_t i = 0; i < std::size(kAscending); ++i) {
    for (size_t j = 0; j < std::size(kAscending); ++j) {
      const int order = CompareNumbers(Parsed(kAscending[i]), Parsed(kAscending[j]));
      EXPECT_EQ(order < 0, i < j) << kAscending[i] << " " << kAscending[j];
      EXPECT_EQ(order > 0, i > j) << kAscending[i] << " " << kAscending[j];
    }
  }
}

TEST(NumberTest, EqualNumbersHashAlike) {
  const std::pair<const char*, const char*> kPairs[] = {
      {"1", "1.0"}, {"-3", "-3e0"}, {"0", "-0.0"}, {"9223372036854775808", "9223372036854775808.0"}, {"1e2", "100"}};
  for (const auto& [left, right] : kPairs) {
    size_t steps = 0;
    EXPECT_TRUE(Equal(Parsed(left), Parsed(right))) << left;
    EXPECT_EQ(Hash(Parsed(left), steps), Hash(Parsed(right), steps)) << left;
  }
}

struct MultipleCase {
  const char* number;
  const char* divisor;
  bool expected;
};

TEST(NumberTest, FindsMultiplesAsDecimals) {
  const MultipleCase kCases[] = {{"0.29", "0.01", true},
                                 {"19.99", "0.01", true},
                                 {"1.1", "0.1", true},
                                 {"0.3", "0.1", true},
                                 {"4.35", "0.01", true},
                                 {"1e308", "0.5", true},
                                 {"1e308", "0.123456789", false},
                                 {"0.0075", "0.0001", true},
                                 {"0.00751", "0.0001", false},
                                 {"7", "2", false},
                                 {"-8", "2", true},
                                 {"0", "0.7", true},
                                 {"18446744073709551615", "5", true},
                                 {"9007199254740993", "2", false},
                                 {"35", "1.5", false},
                                 {"4.5", "1.5", true},
                                 {"1e-7", "1e-8", true},
                                 {"1e-8", "1e-7", false},
                                 {"5e-324", "5e-324", true},
                                 {"100", "1e2", true},
                                 {"1000000", "1e7", false}};
  for (const MultipleCase& test : kCases) {
    EXPECT_EQ(IsMultipleOf(Parsed(test.number), Parsed(test.divisor)), test.expected)
        << test.number << " by " << test.divisor;
  }
}

TEST(NumberTest, SurvivesWhatIsNoNumber) {
  const Json nan(std::numeric_limits<double>::quiet_NaN());
  const Json infinite(std::numeric_limits<double>::infinity());
  EXPECT_FALSE(IsInteger(nan));
  EXPECT_FALSE(IsInteger(infinite));
  EXPECT_FALSE(IsMultipleOf(nan, Json(1)));
  EXPECT_FALSE(IsMultipleOf(infinite, Json(1)));
  EXPECT_GT(CompareNumbers(infinite, Json(UINT64_MAX)), 0);
  const auto schema = Compiled(R"({"type":"integer"})");
  EXPECT_EQ(schema->Validate(infinite), Verdict::kInvalid);
}

TEST(NumberTest, EqualityKeepsKindsApart) {
  EXPECT_FALSE(Equal(Parsed("false"), Parsed("0")));
  EXPECT_FALSE(Equal(Parsed("\"1\""), Parsed("1")));
  EXPECT_FALSE(Equal(Parsed("null"), Parsed("false")));
  EXPECT_TRUE(Equal(Parsed(R"({"a":1,"b":[2]})"), Parsed(R"({"b":[2.0],"a":1})")));
  EXPECT_FALSE(Equal(Parsed(R"({"a":1})"), Parsed(R"({"b":1})")));
}

}  // namespace
}  // namespace tasker::json_schema
