#include "lib/wire/json_value.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace tasker::wire {
namespace {

struct Case {
  const char* name;
  const char* json;
  bool exact;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class JsonValueTest : public testing::TestWithParam<Case> {};

TEST_P(JsonValueTest, SaysWhetherTheStructHoldsIt) {
  const base::Json value = base::ParseJson(GetParam().json).value();
  google::protobuf::Value message;
  EXPECT_EQ(ToValue(value, message), GetParam().exact);
  const absl::StatusOr<base::Json> back = FromValue(message, {});
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back == value, GetParam().exact) << *back;
}

INSTANTIATE_TEST_SUITE_P(
    All, JsonValueTest,
    testing::Values(Case{"Null", "null", true}, Case{"Bool", "true", true}, Case{"Integer", "-7", true},
                    Case{"LargestExact", "9007199254740991", true}, Case{"SmallestExact", "-9007199254740991", true},
                    Case{"BeyondLargest", "9007199254740993", false},
                    Case{"EvenBeyondLargest", "9007199254740992", false},
                    Case{"BeyondSmallest", "-9007199254740993", false}, Case{"Uint64", "18446744073709551615", false},
                    Case{"Fraction", "0.1", true}, Case{"RealWithoutFraction", "3.0", false},
                    Case{"RealZero", "0.0", false}, Case{"HugeReal", "1e300", true}, Case{"Tiny", "5e-324", true},
                    Case{"Text", R"("ü\u0001")", true}, Case{"EmptyList", "[]", true}, Case{"EmptyObject", "{}", true},
                    Case{"Nested", R"({"":[1,{"a":null}],"b":"c"})", true},
                    Case{"InexactInside", "[[{\"a\":1.0}]]", false}),
    [](const auto& test) { return std::string(test.param.name); });

std::string Lists(int depth) {
  return std::string(static_cast<size_t>(depth), '[') + std::string(static_cast<size_t>(depth), ']');
}

TEST(JsonDepthTest, TheDeepestValueThatCountsAsExactSurvivesTheWire) {
  google::protobuf::Value message;
  ASSERT_TRUE(ToValue(base::ParseJson(Lists(kMaxStructDepth)).value(), message));
  google::protobuf::Value back;
  EXPECT_TRUE(back.ParseFromString(message.SerializeAsString()));
}

TEST(JsonDepthTest, WhatIsDeeperBecomesNull) {
  google::protobuf::Value message;
  EXPECT_FALSE(ToValue(base::ParseJson(Lists(kMaxStructDepth + 1)).value(), message));
  google::protobuf::Value back;
  EXPECT_TRUE(back.ParseFromString(message.SerializeAsString()));
}

TEST(JsonNumberTest, ANumberThatIsNotFiniteIsRefusedWithItsPlace) {
  google::protobuf::Struct object;
  auto& list = *(*object.mutable_fields())["waits"].mutable_list_value();
  list.add_values()->set_number_value(1);
  list.add_values()->set_number_value(std::numeric_limits<double>::quiet_NaN());
  const Path root{nullptr, "initialization"};
  const auto read = FromStruct(object, root);
  EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(read.status().message().find("initialization.waits[1]"), absl::string_view::npos) << read.status();
}

}  // namespace
}  // namespace tasker::wire
