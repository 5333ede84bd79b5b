// What is wrong in a schema, and where.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/json_schema/support.h"

namespace tasker::json_schema {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

struct ProblemCase {
  std::string name;
  std::string schema;
  base::Severity severity;
  std::string code;
  std::string location;
  std::string words;  // in the message or the hint
};

class ProblemTest : public testing::TestWithParam<ProblemCase> {};

TEST_P(ProblemTest, IsTheOnlyOneFound) {
  const ProblemCase& test = GetParam();
  const CompileResult result = Compile(Parsed(test.schema));
  ASSERT_EQ(result.problems.size(), 1u) << testing::PrintToString(result.problems.size());
  const SchemaProblem& problem = result.problems.front();
  EXPECT_EQ(problem.severity, test.severity);
  EXPECT_EQ(problem.code, test.code);
  EXPECT_EQ(problem.document, "");
  EXPECT_EQ(problem.location, test.location);
  EXPECT_THAT(problem.message + " | " + problem.hint, HasSubstr(test.words));
  EXPECT_EQ(result.schema == nullptr, test.severity == base::Severity::kError);
}

constexpr base::Severity kError = base::Severity::kError;
constexpr base::Severity kWarning = base::Severity::kWarning;

const ProblemCase kCases[] = {
    {"SchemaOfAnotherKind", "[]", kError, "SCHEMA_KIND", "", "an object or a boolean, not array"},
    {"TypeTypo", R"({"properties":{"a":{"type":"strng"}}})", kError, "SCHEMA_TYPE_UNKNOWN", "/properties/a/type",
     "did you mean 'string'?"},
    {"TypeOfAnotherLanguage", R"({"type":"float"})", kError, "SCHEMA_TYPE_UNKNOWN", "/type", "did you mean 'number'?"},
    {"TypeInList", R"({"type":["null","objct"]})", kError, "SCHEMA_TYPE_UNKNOWN", "/type/1", "'object'"},
    {"TypeIsAProperty", R"({"type":{"type":"string"}})", kError, "SCHEMA_KEYWORD_VALUE", "/type", ""},
    {"RequiredIsAName", R"({"required":"name"})", kError, "SCHEMA_KEYWORD_VALUE", "/required", "write [\"name\"]"},
    {"RequiredIsABoolean", R"({"properties":{"a":{"required":true}}})", kError, "SCHEMA_KEYWORD_VALUE",
     "/properties/a/required", "in the schema of the object"},
    {"RequiredTwice", R"({"required":["a","a"]})", kError, "SCHEMA_KEYWORD_VALUE", "/required/1", "listed twice"},
    {"PropertiesIsAList", R"({"properties":["a"]})", kError, "SCHEMA_KEYWORD_VALUE", "/properties", "not array"},
    {"PropertyIsAType", R"({"properties":{"a":"string"}})", kError, "SCHEMA_KEYWORD_VALUE", "/properties/a", "type"},
    {"ItemsIsAList", R"({"items":[{}]})", kError, "SCHEMA_KEYWORD_VALUE", "/items", "prefixItems"},
    {"AllOfEmpty", R"({"allOf":[]})", kError, "SCHEMA_KEYWORD_VALUE", "/allOf", "empty"},
    {"MinimumIsText", R"({"minimum":"1"})", kError, "SCHEMA_KEYWORD_VALUE", "/minimum", "must be a number, not string"},
    {"MinLengthNegative", R"({"minLength":-1})", kError, "SCHEMA_KEYWORD_VALUE", "/minLength", "at least 0"},
    {"MinLengthReal", R"({"minLength":1.5})", kError, "SCHEMA_KEYWORD_VALUE", "/minLength", "whole"},
    {"MultipleOfZero", R"({"multipleOf":0})", kError, "SCHEMA_KEYWORD_VALUE", "/multipleOf", "greater than 0"},
    {"ExclusiveBoolean", R"({"exclusiveMinimum":true})", kError, "SCHEMA_KEYWORD_VALUE", "/exclusiveMinimum",
     "draft-04"},
    {"EnumIsOne", R"({"enum":"a"})", kError, "SCHEMA_KEYWORD_VALUE", "/enum", "an array"},
    {"PatternBroken", R"({"pattern":"(a"})", kError, "SCHEMA_PATTERN_INVALID", "/pattern", "not closed"},
    {"PatternProperty", R"({"patternProperties":{"a/[":{}}})", kError, "SCHEMA_PATTERN_INVALID",
     "/patternProperties/a~1[", "not closed"},
    {"PatternLookAhead", R"({"pattern":"^(?=a)b"})", kError, "SCHEMA_PATTERN_UNSUPPORTED", "/pattern", "look-ahead"},
    {"PatternBackReference", R"({"pattern":"(a)\\1"})", kError, "SCHEMA_PATTERN_UNSUPPORTED", "/pattern",
     "back-reference"},
    {"RefAway", R"({"$ref":"https://example.com/other.json"})", kError, "SCHEMA_REF_UNRESOLVED", "/$ref",
     "https://example.com/other.json"},
    {"RefToFile", R"({"$ref":"other.json#/a"})", kError, "SCHEMA_REF_UNRESOLVED", "/$ref", "nothing is fetched"},
    {"RefTypo", R"({"$defs":{"address":{}},"items":{"$ref":"#/$defs/adress"}})", kError, "SCHEMA_REF_UNRESOLVED",
     "/items/$ref", "did you mean 'address'?"},
    {"RefToNoSchema", R"({"$ref":"#/title","title":"t"})", kError, "SCHEMA_REF_UNRESOLVED", "/$ref", "string"},
    {"AnchorTypo", R"({"$defs":{"a":{"$anchor":"here"}},"$ref":"#hre"})", kError, "SCHEMA_REF_UNRESOLVED", "/$ref",
     "'here'"},
    {"RefToItself", R"({"$ref":"#"})", kError, "SCHEMA_REF_LOOP", "/$ref", "never end"},
    {"RefRound", R"({"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"allOf":[{"$ref":"#/$defs/a"}]}}})", kError,
     "SCHEMA_REF_LOOP", "/$defs/b/allOf/0/$ref", "never end"},
    {"DialectUnknown", R"({"$schema":"https://example.com/mine"})", kError, "SCHEMA_DIALECT_UNKNOWN", "/$schema",
     "https://example.com/mine"},
    {"IdWithFragment", R"({"$id":"https://a.example/x#y"})", kError, "SCHEMA_ID_INVALID", "/$id", "$anchor"},
    {"IdTwice", R"({"$defs":{"a":{"$id":"https://a.example/x"},"b":{"$id":"https://a.example/x"}}})", kError,
     "SCHEMA_ID_DUPLICATE", "/$defs/b/$id", "taken"},
    {"KeywordTypo", R"({"requried":["a"]})", kWarning, "SCHEMA_KEYWORD_UNKNOWN", "/requried",
     "did you mean 'required'?"},
    {"KeywordTypoBelow", R"({"properties":{"a/b":{"minLenght":1}}})", kWarning, "SCHEMA_KEYWORD_UNKNOWN",
     "/properties/a~1b/minLenght", "'minLength'"},
    {"KeywordOfAnotherDialect", R"({"additionalItems":false})", kWarning, "SCHEMA_KEYWORD_OTHER_DIALECT",
     "/additionalItems", "no effect in 2020-12"},
    {"SiblingOfRef",
     R"({"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"a":{}},"items":{"$ref":"#/definitions/a","minimum":1}})",
     kWarning, "SCHEMA_REF_SIBLING", "/items/minimum", "allOf"},
    {"ThenAlone", R"({"then":{}})", kWarning, "SCHEMA_KEYWORD_ALONE", "/then", "without 'if'"},
    {"FormatTypo", R"({"format":"date-tme"})", kWarning, "SCHEMA_FORMAT_UNKNOWN", "/format", "'date-time'"},
    {"DefaultRefused", R"({"properties":{"a":{"type":"integer","default":"5"}}})", kWarning, "SCHEMA_VALUE_REFUSED",
     "/properties/a/default", "must be integer"},
    {"ExampleRefused", R"({"maximum":1,"examples":[1,2]})", kWarning, "SCHEMA_VALUE_REFUSED", "/examples/1",
     "at most 1"},
    {"OpenApiExampleRefused", R"({"maximum":1,"example":2})", kWarning, "SCHEMA_VALUE_REFUSED", "/example",
     "at most 1"},
    {"EnumRefused", R"({"type":"string","enum":["a",2]})", kWarning, "SCHEMA_VALUE_REFUSED", "/enum/1",
     "must be string"},
    {"ConstRefused", R"({"type":"string","const":2})", kWarning, "SCHEMA_VALUE_REFUSED", "/const", "must be string"},
};

INSTANTIATE_TEST_SUITE_P(Problems, ProblemTest, testing::ValuesIn(kCases),
                         [](const auto& test) { return test.param.name; });

TEST(CompileTest, ReportsAllProblemsAtOnce) {
  const CompileResult result =
      Compile(Parsed(R"({"type":"strng","required":"name","pattern":"[","properties":{"a":{"$ref":"#/x"}}})"));
  EXPECT_THAT(result.problems, testing::UnorderedElementsAre(Field(&SchemaProblem::location, "/type"),
                                                             Field(&SchemaProblem::location, "/required"),
                                                             Field(&SchemaProblem::location, "/pattern"),
                                                             Field(&SchemaProblem::location, "/properties/a/$ref")));
}

TEST(CompileTest, SaysNothingAboutExtensionsAndWordsFarFromKeywords) {
  const CompileResult result = Compile(Parsed(
      R"({"x-requried":1,"discriminator":{},"nullable":true,"customer":1,"$comment":"c","definitions":{"a":{}}})"));
  EXPECT_THAT(result.problems, IsEmpty());
}

TEST(CompileTest, TakesNamesOfPropertiesForNoKeywords) {
  EXPECT_THAT(Compile(Parsed(R"({"properties":{"requried":{},"typ":{}},"default":{"typ":1}})")).problems, IsEmpty());
}

TEST(CompileTest, KeepsErrorsWhenWarningsFillTheList) {
  CompileOptions options;
  options.limits.problems = 2;
  const CompileResult result =
      Compile(Parsed(R"({"requried":1,"minimun":1,"maximun":1,"type":"x","minLength":"y","maxLength":"z"})"), options);
  EXPECT_THAT(result.problems, testing::SizeIs(2));
  EXPECT_THAT(result.problems, testing::Each(Field(&SchemaProblem::severity, base::Severity::kError)));
}

TEST(CompileTest, RefusesSchemasNestedTooDeep) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += R"({"not":)";
  text += "{}" + std::string(200, '}');
  EXPECT_NE(Compile(Parsed(text)).schema, nullptr);
  CompileOptions options;
  options.limits.schema_depth = 100;
  const CompileResult result = Compile(Parsed(text), options);
  EXPECT_THAT(result.problems, testing::Contains(Field(&SchemaProblem::code, "SCHEMA_TOO_DEEP")));
}

TEST(CompileTest, HonoursTheVocabulariesOfAGivenMetaschema) {
  const std::map<std::string, Json> resources = {
      {"https://a.example/meta", Parsed(R"({"$schema":"https://json-schema.org/draft/2020-12/schema",
        "$id":"https://a.example/meta","$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/core":true,
        "https://json-schema.org/draft/2020-12/vocab/applicator":true,
        "https://json-schema.org/draft/2020-12/vocab/format-assertion":true}})")},
      {"https://a.example/strange", Parsed(R"({"$schema":"https://json-schema.org/draft/2020-12/schema",
        "$vocabulary":{"https://a.example/vocab":true}})")}};
  CompileOptions options;
  options.resources = &resources;
  const auto schema = Compiled(R"({"$schema":"https://a.example/meta","minimum":5,"format":"ipv4"})", options);
  ASSERT_NE(schema, nullptr);
  EXPECT_EQ(VerdictOn(*schema, "1"), Verdict::kValid);
  EXPECT_EQ(VerdictOn(*schema, "\"x\""), Verdict::kInvalid);
  EXPECT_THAT(Compile(Parsed(R"({"$schema":"https://a.example/strange"})"), options).problems,
              ElementsAre(Field(&SchemaProblem::message, HasSubstr("https://a.example/vocab"))));
}

TEST(CompileTest, SwitchesFormatsOnAndOff) {
  CompileOptions options;
  options.formats = FormatMode::kAssert;
  EXPECT_EQ(VerdictOn(*Compiled(R"({"format":"ipv4"})", options), "\"x\""), Verdict::kInvalid);
  options.formats = FormatMode::kAnnotate;
  options.dialect = Dialect::kDraft7;
  EXPECT_EQ(VerdictOn(*Compiled(R"({"format":"ipv4"})", options), "\"x\""), Verdict::kValid);
}

}  // namespace
}  // namespace tasker::json_schema
