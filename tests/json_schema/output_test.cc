#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/json_schema/support.h"

namespace tasker::json_schema {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

std::vector<OutputUnit> UnitsOf(std::string_view schema, std::string_view instance) {
  return Compiled(schema)->Explain(Parsed(instance)).units;
}

TEST(OutputTest, TellsWhereAndWhyThroughReferences) {
  EXPECT_THAT(UnitsOf(R"({"$id":"https://a.example/root","$defs":{"n":{"type":"integer"}},
                          "properties":{"a/b":{"items":{"$ref":"#/$defs/n"}}}})",
                      R"({"a/b":[1,"x"]})"),
              ElementsAre(OutputUnit{.instance_location = "/a~1b/1",
                                     .keyword_location = "/properties/a~1b/items/$ref/type",
                                     .absolute_keyword_location = "https://a.example/root#/$defs/n/type",
                                     .keyword = "type",
                                     .message = "\"x\" is string, but must be integer"}));
}

TEST(OutputTest, NamesPlacesOfASchemaWithoutUriByFragmentAlone) {
  EXPECT_THAT(UnitsOf(R"({"properties":{"a b^":{"type":"null"}}})", R"({"a b^":1})"),
              ElementsAre(Field(&OutputUnit::absolute_keyword_location, "#/properties/a%20b%5E/type")));
}

TEST(OutputTest, CollectsEverythingThatIsWrong) {
  EXPECT_THAT(UnitsOf(R"({"required":["x","y"],"properties":{"a":{"minimum":3,"multipleOf":2}}})", R"({"a":1})"),
              ElementsAre(Field(&OutputUnit::message, "1 must be at least 3"),
                          Field(&OutputUnit::message, "1 must be a multiple of 2"),
                          Field(&OutputUnit::message, "the property 'x' is missing"),
                          Field(&OutputUnit::message, "the property 'y' is missing")));
}

TEST(OutputTest, ForgetsWhatABranchThatNeedNotFitSaid) {
  EXPECT_THAT(
      UnitsOf(R"({"anyOf":[{"type":"null"},{"type":"integer"}],"not":{"const":5},"if":{"minimum":9},"maximum":3})",
              "4"),
      ElementsAre(Field(&OutputUnit::keyword, "maximum")));
}

TEST(OutputTest, ShowsEachBranchWhenNoneFits) {
  EXPECT_THAT(
      UnitsOf(R"({"anyOf":[{"type":"null"},{"minimum":5}]})", "4"),
      ElementsAre(Field(&OutputUnit::keyword_location, "/anyOf/0/type"),
                  Field(&OutputUnit::keyword_location, "/anyOf/1/minimum"), Field(&OutputUnit::keyword, "anyOf")));
}

TEST(OutputTest, ShortensValues) {
  const std::string text = "\"" + std::string(100'000, 'x') + "\"";
  const auto units = UnitsOf(R"({"type":"null","enum":[null]})", text);
  ASSERT_FALSE(units.empty());
  for (const OutputUnit& unit : units) EXPECT_LT(unit.message.size(), 200u);
}

TEST(OutputTest, BoundsTheNumberOfUnitsAndCountsTheRest) {
  std::string instance = "[0";
  for (int i = 1; i < 1000; ++i) instance += ",0";
  instance += "]";
  const Report report = Compiled(R"({"items":{"type":"string"}})")->Explain(Parsed(instance), 10);
  EXPECT_EQ(report.verdict, Verdict::kInvalid);
  EXPECT_EQ(report.units.size(), 10u);
  EXPECT_EQ(report.omitted, 990u);
}

TEST(OutputTest, SaysThatFalseAllowsNothing) {
  EXPECT_THAT(UnitsOf(R"({"additionalProperties":false})", R"({"a":[1,2]})"),
              ElementsAre(testing::AllOf(Field(&OutputUnit::keyword_location, "/additionalProperties"),
                                         Field(&OutputUnit::instance_location, "/a"),
                                         Field(&OutputUnit::message, HasSubstr("[1,2] is not allowed")))));
}

}  // namespace
}  // namespace tasker::json_schema
