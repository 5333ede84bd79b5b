// What $ref reaches: inside the document, the metaschemas, and what the caller gave.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/json_schema/support.h"

namespace tasker::json_schema {
namespace {

TEST(ReferenceTest, ReachesGivenDocumentsByUriAndByIdentifier) {
  const std::map<std::string, Json> resources = {
      {"https://a.example/schemas/money.json",
       Parsed(R"({"type":"object","properties":{"unit":{"$ref":"unit.json#/$defs/code"}}})")},
      {"https://a.example/schemas/unit.json", Parsed(R"({"$defs":{"code":{"enum":["USD","EUR"]}}})")},
      {"https://b.example/found-here", Parsed(R"({"$id":"https://b.example/named-so","const":1})")}};
  CompileOptions options;
  options.resources = &resources;
  options.base_uri = "https://a.example/schemas/root.json";
  const auto money = Compiled(R"({"properties":{"price":{"$ref":"money.json"}}})", options);
  ASSERT_NE(money, nullptr);
  EXPECT_EQ(VerdictOn(*money, R"({"price":{"unit":"EUR"}})"), Verdict::kValid);
  EXPECT_EQ(VerdictOn(*money, R"({"price":{"unit":"X"}})"), Verdict::kInvalid);
  for (const char* uri : {"https://b.example/found-here", "https://b.example/named-so"}) {
    const auto schema = Compiled(std::string(R"({"$ref":")") + uri + "\"}", options);
    ASSERT_NE(schema, nullptr);
    EXPECT_EQ(VerdictOn(*schema, "2"), Verdict::kInvalid);
  }
}

TEST(ReferenceTest, NamesTheGivenDocumentThatIsWrong) {
  const std::map<std::string, Json> resources = {{"https://a.example/x", Parsed(R"({"items":{"type":"strng"}})")}};
  CompileOptions options;
  options.resources = &resources;
  const CompileResult result = Compile(Parsed(R"({"$ref":"https://a.example/x"})"), options);
  ASSERT_EQ(result.problems.size(), 1u);
  EXPECT_EQ(result.problems[0].document, "https://a.example/x");
  EXPECT_EQ(result.problems[0].location, "/items/type");
}

class MetaschemaTest : public testing::TestWithParam<const char*> {};

TEST_P(MetaschemaTest, ChecksSchemas) {
  const auto schema = Compiled(std::string(R"({"$ref":")") + GetParam() + "\"}");
  ASSERT_NE(schema, nullptr);
  EXPECT_EQ(VerdictOn(*schema, R"({"type":"string","properties":{"a":{"minLength":1}}})"), Verdict::kValid);
  EXPECT_EQ(VerdictOn(*schema, R"({"type":"strng"})"), Verdict::kInvalid);
  EXPECT_EQ(VerdictOn(*schema, R"({"properties":{"a":{"minLength":-1}}})"), Verdict::kInvalid);
}

INSTANTIATE_TEST_SUITE_P(Dialects, MetaschemaTest,
                         testing::Values("http://json-schema.org/draft-04/schema#",
                                         "http://json-schema.org/draft-06/schema#",
                                         "http://json-schema.org/draft-07/schema#",
                                         "https://json-schema.org/draft/2019-09/schema",
                                         "https://json-schema.org/draft/2020-12/schema"));

TEST(ReferenceTest, FollowsEscapedPointersAndUnknownPlaces) {
  const auto schema = Compiled(R"({"x-parts":{"a b":[{"c/d~e":{"type":"null"}}]},"$ref":"#/x-parts/a%20b/0/c~1d~0e"})");
  ASSERT_NE(schema, nullptr);
  EXPECT_EQ(VerdictOn(*schema, "null"), Verdict::kValid);
  EXPECT_EQ(VerdictOn(*schema, "1"), Verdict::kInvalid);
}

TEST(ReferenceTest, TakesNoIdentifierFromValues) {
  const CompileResult result = Compile(
      Parsed(R"({"enum":[{"$id":"https://a.example/x","type":"null"}],"$defs":{"r":{"$ref":"https://a.example/x"}}})"));
  ASSERT_EQ(result.problems.size(), 1u);
  EXPECT_EQ(result.problems[0].code, "SCHEMA_REF_UNRESOLVED");
}

TEST(ReferenceTest, MixesDialectsByDocument) {
  const std::map<std::string, Json> resources = {
      {"https://a.example/old", Parsed(R"({"$schema":"http://json-schema.org/draft-04/schema#","maximum":5,
                                           "exclusiveMaximum":true})")}};
  CompileOptions options;
  options.resources = &resources;
  const auto schema = Compiled(R"({"$ref":"https://a.example/old","prefixItems":[{"type":"null"}]})", options);
  ASSERT_NE(schema, nullptr);
  EXPECT_EQ(schema->dialect(), Dialect::k2020_12);
  EXPECT_EQ(VerdictOn(*schema, "5"), Verdict::kInvalid);
  EXPECT_EQ(VerdictOn(*schema, "[1]"), Verdict::kInvalid);
}

}  // namespace
}  // namespace tasker::json_schema
