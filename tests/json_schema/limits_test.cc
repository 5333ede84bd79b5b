// Hostile schemas and instances end in a clear answer.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/json_schema/support.h"

namespace tasker::json_schema {
namespace {

// 2^n ways to the bottom.
std::string Doubling(int levels, std::string_view keyword) {
  std::string text = R"({"$ref":"#/$defs/d0","$defs":{)";
  for (int i = 0; i < levels; ++i) {
    const std::string next = "{\"$ref\":\"#/$defs/d" + std::to_string(i + 1) + "\"}";
    text += "\"d" + std::to_string(i) + "\":{\"" + std::string(keyword) + "\":[" + next + "," + next + "]},";
  }
  return text + "\"d" + std::to_string(levels) + R"(":{"type":"null"}}})";
}

class DoublingTest : public testing::TestWithParam<const char*> {};

TEST_P(DoublingTest, IsGivenUpAfterTheStepsAllowed) {
  CompileOptions options;
  options.limits.steps = 100'000;
  const std::string instance = std::string(GetParam()) == "anyOf" ? "1" : "null";
  const auto schema = Compiled(Doubling(60, GetParam()), options);
  ASSERT_NE(schema, nullptr);
  EXPECT_EQ(schema->Validate(Parsed(instance)), Verdict::kLimitExceeded);
  const Report report = schema->Explain(Parsed(instance));
  EXPECT_EQ(report.verdict, Verdict::kLimitExceeded);
  ASSERT_EQ(report.units.size(), 1u);
  EXPECT_THAT(report.units[0].message, testing::HasSubstr("steps"));
}

INSTANTIATE_TEST_SUITE_P(Keywords, DoublingTest, testing::Values("allOf", "anyOf", "oneOf"));

TEST(LimitsTest, GivesUpOnDynamicReferencesThatNeverEnd) {
  const auto schema = Compiled(R"({"$id":"https://a.example/r","$dynamicAnchor":"x","$ref":"t",
      "$defs":{"t":{"$id":"t","$dynamicRef":"#x","$defs":{"d":{"$dynamicAnchor":"x"}}}}})");
  ASSERT_NE(schema, nullptr);
  EXPECT_EQ(VerdictOn(*schema, "1"), Verdict::kLimitExceeded);
}

TEST(LimitsTest, GivesUpOnChainsOfReferencesTooLong) {
  std::string text = R"({"$ref":"#/$defs/d0","$defs":{)";
  for (int i = 0; i < 20'000; ++i) {
    text += "\"d" + std::to_string(i) + R"(":{"$ref":"#/$defs/d)" + std::to_string(i + 1) + "\"},";
  }
  const auto schema = Compiled(text + R"("d20000":true}})");
  ASSERT_NE(schema, nullptr);
  EXPECT_EQ(VerdictOn(*schema, "1"), Verdict::kLimitExceeded);
}

TEST(LimitsTest, EvaluatesAnInstanceAsDeepAsParsingAllows) {
  const auto schema = Compiled(R"({"anyOf":[{"type":"null"},{"items":{"allOf":[{"$ref":"#"}]}}]})");
  ASSERT_NE(schema, nullptr);
  EXPECT_EQ(VerdictOn(*schema, std::string(400, '[') + std::string(400, ']')), Verdict::kValid);
}

TEST(LimitsTest, CountsWhatIsHashed) {
  CompileOptions options;
  options.limits.steps = 1000;
  std::string instance = "[[0]";
  for (int i = 1; i < 2000; ++i) instance += ",[" + std::to_string(i) + "]";
  const auto schema = Compiled(R"({"uniqueItems":true})", options);
  EXPECT_EQ(VerdictOn(*schema, instance + "]"), Verdict::kLimitExceeded);
}

TEST(LimitsTest, BoundsTheCheckingOfSamples) {
  std::string text = Doubling(40, "allOf");
  text.insert(1, R"("default":1,"examples":[1,2,3],)");
  EXPECT_NE(Compile(Parsed(text)).schema, nullptr);
}

TEST(LimitsTest, RefusesPatternsTooLong) {
  const CompileResult result = Compile(Json(base::JsonObject{{"pattern", std::string(30'000, 'a')}}));
  ASSERT_EQ(result.problems.size(), 1u);
  EXPECT_EQ(result.problems[0].code, "SCHEMA_PATTERN_UNSUPPORTED");
}

TEST(LimitsTest, TellsItsMemory) {
  EXPECT_GT(Compiled(R"({"properties":{"a":{"enum":["x","y"]}}})")->memory_bytes(), Compiled("true")->memory_bytes());
}

}  // namespace
}  // namespace tasker::json_schema
