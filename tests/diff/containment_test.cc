#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/diff/pattern_sample.h"
#include "lib/diff/schema_containment.h"

namespace tasker::diff {
using base::JsonArray;
using base::JsonObject;

namespace {

using enum ContainmentVerdict;

Json Parse(std::string_view text) {
  auto json = base::ParseJson(text);
  EXPECT_TRUE(json.ok()) << text << ": " << json.status();
  return json.ok() ? std::move(*json) : Json();
}

struct Case {
  const char* name;
  const char* a;
  const char* b;
  ContainmentVerdict verdict;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name << " " << c.a << " in " << c.b; }

class ContainmentTableTest : public testing::TestWithParam<Case> {};

TEST_P(ContainmentTableTest, GivesTheVerdict) {
  const Json a = Parse(GetParam().a);
  const Json b = Parse(GetParam().b);
  const Containment answer = CheckContainment(a, b);
  EXPECT_EQ(answer.verdict, GetParam().verdict)
      << answer.reason << " " << base::CanonicalJson(answer.counterexample.value_or(nullptr));
  EXPECT_EQ(answer.counterexample.has_value(), answer.verdict == kNotContained);
  EXPECT_EQ(answer.reason.empty(), answer.verdict == kContained);
}

const auto kCaseName = [](const auto& c) { return c.param.name; };

INSTANTIATE_TEST_SUITE_P(
    Scalars, ContainmentTableTest,
    testing::Values(
        Case{"AnythingInTrue", R"({"type":"object"})", "true", kContained},
        Case{"FalseInAnything", "false", R"({"type":"object"})", kContained},
        Case{"TrueInObject", "true", R"({"type":"object"})", kNotContained},
        Case{"IntegerInNumber", R"({"type":"integer"})", R"({"type":"number"})", kContained},
        Case{"NumberInInteger", R"({"type":"number"})", R"({"type":"integer"})", kNotContained},
        Case{"NumberOfMultipleOneInInteger", R"({"type":"number","multipleOf":1})", R"({"type":"integer"})",
             kContained},
        Case{"TypeInTypes", R"({"type":"string"})", R"({"type":["string","null"]})", kContained},
        Case{"TypesInType", R"({"type":["string","null"]})", R"({"type":"string"})", kNotContained},
        Case{"EnumGrows", R"({"enum":["a","b"]})", R"({"enum":["b","c","a"]})", kContained},
        Case{"EnumShrinks", R"({"enum":["a","b"]})", R"({"enum":["a"]})", kNotContained},
        Case{"ConstInEnum", R"({"const":1})", R"({"enum":[1.0,2]})", kContained},
        Case{"EnumInType", R"({"enum":["a","b"]})", R"({"type":"string","maxLength":1})", kContained},
        Case{"BooleanInEnum", R"({"type":"boolean"})", R"({"enum":[true,false]})", kContained},
        Case{"SmallIntegersInEnum", R"({"type":"integer","minimum":1,"maximum":3})", R"({"enum":[1,2,3,4]})",
             kContained},
        Case{"RangeWidens", R"({"type":"number","minimum":1,"maximum":5})",
             R"({"type":"number","minimum":0,"exclusiveMaximum":5.5})", kContained},
        Case{"RangeNarrows", R"({"type":"number","minimum":0})", R"({"type":"number","minimum":0.01})", kNotContained},
        Case{"RangeAppearsForNumbersOnly", R"({"type":"string"})", R"({"minimum":3})", kContained},
        Case{"ExclusiveInInclusive", R"({"exclusiveMinimum":1})", R"({"minimum":1})", kContained},
        Case{"InclusiveInExclusive", R"({"minimum":1})", R"({"exclusiveMinimum":1})", kNotContained},
        Case{"IntegersAboveZeroStartAtOne", R"({"type":"integer","exclusiveMinimum":0})",
             R"({"type":"integer","minimum":1})", kContained},
        Case{"MultipleOfSix", R"({"multipleOf":6})", R"({"multipleOf":3})", kContained},
        Case{"MultipleOfThree", R"({"multipleOf":3})", R"({"multipleOf":6})", kNotContained},
        Case{"CentsInTenths", R"({"multipleOf":0.1})", R"({"multipleOf":0.01})", kContained},
        Case{"LengthWidens", R"({"type":"string","minLength":2,"maxLength":3})",
             R"({"type":"string","minLength":1,"maxLength":4})", kContained},
        Case{"LengthNarrows", R"({"type":"string","maxLength":4})", R"({"type":"string","maxLength":3})",
             kNotContained},
        Case{"SamePattern", R"({"type":"string","pattern":"^[0-9]{13,19}$"})", R"({"pattern":"^[0-9]{13,19}$"})",
             kContained},
        Case{"PatternNarrows", R"({"type":"string","pattern":"^[0-9]{3,4}$"})",
             R"({"type":"string","pattern":"^[0-9]{3}$"})", kNotContained},
        Case{"PatternWidensUndecided", R"({"type":"string","pattern":"^[0-9]{3}$"})",
             R"({"type":"string","pattern":"^[0-9]{3,4}$"})", kUnknown},
        Case{"FormatIsAnAnnotation", R"({"type":"string"})", R"({"type":"string","format":"email"})", kContained},
        Case{"AnnotationsDoNotMatter", R"({"type":"string","title":"x"})",
             R"({"type":"string","description":"y","default":"z","examples":["a"]})", kContained},
        Case{"UnknownKeywordsDoNotMatter", R"({"type":"string"})", R"({"type":"string","x-unit":"EUR"})", kContained}),
    kCaseName);

INSTANTIATE_TEST_SUITE_P(
    Objects, ContainmentTableTest,
    testing::Values(
        Case{"RequiredRemoved", R"({"type":"object","required":["a","b"]})", R"({"type":"object","required":["a"]})",
             kContained},
        Case{"RequiredAdded", R"({"type":"object","required":["a"]})", R"({"type":"object","required":["a","b"]})",
             kNotContained},
        Case{"PropertyNarrows", R"({"properties":{"a":{"type":"number"}}})",
             R"({"properties":{"a":{"type":"integer"}}})", kNotContained},
        Case{"NestedPropertyWidens",
             R"({"type":"object","properties":{"o":{"type":"object","properties":{"a":{"type":"integer"}}}}})",
             R"({"type":"object","properties":{"o":{"type":"object","properties":{"a":{"type":"number"}}}}})",
             kContained},
        Case{"ClosedInOpen", R"({"type":"object","properties":{"a":{}},"additionalProperties":false})",
             R"({"type":"object","properties":{"a":{},"b":{"type":"string"}}})", kContained},
        Case{"OpenInClosed", R"({"type":"object","properties":{"a":{}}})",
             R"({"type":"object","properties":{"a":{}},"additionalProperties":false})", kNotContained},
        Case{"AdditionalWidens", R"({"additionalProperties":{"type":"integer"}})",
             R"({"additionalProperties":{"type":"number"}})", kContained},
        Case{"AdditionalCoversNewProperty", R"({"additionalProperties":{"type":"string"}})",
             R"({"properties":{"n":{"type":"string"}},"additionalProperties":{"type":"string"}})", kContained},
        Case{"PatternPropertiesWiden", R"({"patternProperties":{"^x-":{"type":"integer"}}})",
             R"({"patternProperties":{"^x-":{"type":"number"}}})", kContained},
        Case{"PatternPropertiesNarrow", R"({"patternProperties":{"^x-":{"type":"number"}}})",
             R"({"patternProperties":{"^x-":{"type":"integer"}}})", kNotContained},
        Case{"PatternCoversNamedProperty", R"({"patternProperties":{"^x-":{"type":"integer"}}})",
             R"({"properties":{"x-a":{"type":"integer"}}})", kContained},
        Case{"ClosedByPatterns", R"({"patternProperties":{"^x-":{"type":"integer"}},"additionalProperties":false})",
             R"({"additionalProperties":{"type":"integer"}})", kContained},
        Case{"PropertyNamesAsList", R"({"propertyNames":{"enum":["a","b"]}})", R"({"propertyNames":{"maxLength":1}})",
             kContained},
        Case{"PropertyNamesNarrow", R"({"propertyNames":{"maxLength":3}})", R"({"propertyNames":{"maxLength":2}})",
             kNotContained},
        Case{"RequiredGivesMinProperties", R"({"type":"object","required":["a","b"]})", R"({"minProperties":2})",
             kContained},
        Case{"ClosedGivesMaxProperties", R"({"properties":{"a":{},"b":{}},"additionalProperties":false})",
             R"({"maxProperties":2})", kContained},
        Case{"MaxPropertiesShrinks", R"({"maxProperties":3})", R"({"maxProperties":2})", kNotContained},
        Case{"DependentRequiredMet", R"({"type":"object","required":["b"]})", R"({"dependentRequired":{"a":["b"]}})",
             kContained},
        Case{"DependentRequiredAdded", R"({"type":"object"})", R"({"dependentRequired":{"a":["b"]}})", kNotContained},
        Case{"DependentSchemaKept", R"({"dependentSchemas":{"a":{"required":["b"]}}})",
             R"({"dependentSchemas":{"a":{"required":["b"]}}})", kContained},
        Case{"ForbiddenMemberNeedsNothing", R"({"properties":{"a":false}})", R"({"dependentRequired":{"a":["b"]}})",
             kContained},
        Case{"ImpossibleRequiredIsEmpty", R"({"type":"object","required":["a"],"properties":{"a":false}})", "false",
             kContained}),
    kCaseName);

INSTANTIATE_TEST_SUITE_P(
    Arrays, ContainmentTableTest,
    testing::Values(
        Case{"ItemsWiden", R"({"type":"array","items":{"type":"integer"}})",
             R"({"type":"array","items":{"type":"number"}})", kContained},
        Case{"ItemsNarrow", R"({"type":"array","items":{"type":"number"}})",
             R"({"type":"array","items":{"type":"integer"}})", kNotContained},
        Case{"SizesWiden", R"({"minItems":2,"maxItems":3})", R"({"minItems":1,"maxItems":4})", kContained},
        Case{"SizesNarrow", R"({"type":"array","maxItems":4})", R"({"type":"array","maxItems":3})", kNotContained},
        Case{"UniqueRemoved", R"({"type":"array","uniqueItems":true})", R"({"type":"array"})", kContained},
        Case{"UniqueAdded", R"({"type":"array"})", R"({"type":"array","uniqueItems":true})", kNotContained},
        Case{"OneItemIsUnique", R"({"type":"array","maxItems":1})", R"({"uniqueItems":true})", kContained},
        Case{"TupleInList", R"({"type":"array","prefixItems":[{"type":"integer"},{"type":"integer"}],"items":false})",
             R"({"type":"array","items":{"type":"number"},"maxItems":2})", kContained},
        Case{"TuplePositionNarrows", R"({"prefixItems":[{"type":"number"}]})",
             R"({"prefixItems":[{"type":"integer"}]})", kNotContained},
        Case{"TupleBeyondTheEnd", R"({"maxItems":1})", R"({"prefixItems":[true,{"type":"string"}]})", kContained},
        Case{"ContainsWidens", R"({"type":"array","contains":{"const":1}})", R"({"contains":{"type":"integer"}})",
             kContained},
        Case{"ContainsByItems", R"({"type":"array","items":{"type":"integer"},"minItems":1})",
             R"({"contains":{"type":"number"}})", kContained},
        Case{"ContainsAdded", R"({"type":"array"})", R"({"type":"array","contains":{"const":1}})", kNotContained},
        Case{"MaxContainsShrinks", R"({"type":"array","contains":{"const":1},"maxContains":3})",
             R"({"type":"array","contains":{"const":1},"maxContains":2})", kNotContained}),
    kCaseName);

INSTANTIATE_TEST_SUITE_P(
    Combined, ContainmentTableTest,
    testing::Values(
        Case{"AllOfSplitsUp", R"({"type":"integer","minimum":3})", R"({"allOf":[{"type":"number"},{"minimum":1}]})",
             kContained},
        Case{"AllOfTogether", R"({"allOf":[{"type":"number"},{"minimum":3}]})", R"({"type":"number","minimum":1})",
             kContained},
        Case{"AnyOfByKinds", R"({"type":["string","integer"]})", R"({"anyOf":[{"type":"string"},{"type":"number"}]})",
             kContained},
        Case{"AnyOfGrows", R"({"anyOf":[{"type":"string"},{"type":"null"}]})",
             R"({"anyOf":[{"type":"null"},{"type":"string"},{"type":"array"}]})", kContained},
        Case{"AnyOfShrinks", R"({"anyOf":[{"type":"string"},{"type":"null"}]})", R"({"anyOf":[{"type":"null"}]})",
             kNotContained},
        Case{"OneOfOfDisjointKinds", R"({"type":"string"})", R"({"oneOf":[{"type":"string"},{"type":"null"}]})",
             kContained},
        Case{"OneOfOverlapping", R"({"type":"integer"})", R"({"oneOf":[{"type":"integer"},{"type":"number"}]})",
             kNotContained},
        Case{"OneOfInItself", R"({"oneOf":[{"minimum":3},{"maximum":5}]})",
             R"({"oneOf":[{"minimum":3},{"maximum":5}]})", kContained},
        Case{"OneOfByDiscriminator",
             R"({"type":"object","required":["k"],"properties":{"k":{"enum":["a","b"]}},"additionalProperties":false})",
             R"({"oneOf":[{"properties":{"k":{"const":"a"}},"required":["k"]},
                          {"properties":{"k":{"const":"b"}},"required":["k"]}]})",
             kContained},
        Case{"NotDisjoint", R"({"type":"string"})", R"({"not":{"type":"integer"}})", kContained},
        Case{"NotOverlapping", R"({"type":"string"})", R"({"not":{"const":"a"}})", kNotContained},
        Case{"NotByRange", R"({"type":"integer","minimum":5})", R"({"not":{"type":"number","maximum":3}})", kContained},
        Case{"NotKept", R"({"type":"string","not":{"enum":["a"]}})", R"({"not":{"const":"a"}})", kContained},
        Case{"NotRequiredForbids", R"({"type":"object","not":{"required":["a"]}})",
             R"({"properties":{"a":{"type":"string"}}})", kContained},
        Case{"DoubleNegation", R"({"type":"string"})", R"({"not":{"not":{"type":"string"}}})", kContained},
        Case{"ConditionKept", R"({"if":{"required":["a"]},"then":{"required":["b"]}})",
             R"({"if":{"required":["a"]},"then":{"required":["b"]}})", kContained},
        Case{"ConditionAlwaysMet", R"({"type":"object","required":["a","b"]})",
             R"({"if":{"required":["a"]},"then":{"required":["b"]},"else":false})", kContained},
        Case{"ReferenceInside", R"({"$ref":"#/$defs/n","$defs":{"n":{"type":"integer"}}})",
             R"({"$ref":"#/$defs/m","$defs":{"m":{"type":"number"}}})", kContained},
        Case{"AnchorInside", R"({"$ref":"#n","$defs":{"x":{"$anchor":"n","type":"integer"}}})", R"({"type":"number"})",
             kContained},
        Case{"SameTextOfOtherMeaning", R"({"items":{"$ref":"#/$defs/n"},"$defs":{"n":{"type":"number"}}})",
             R"({"items":{"$ref":"#/$defs/n"},"$defs":{"n":{"type":"integer"}}})", kNotContained},
        Case{"Recursive",
             R"({"type":"object","properties":{"next":{"$ref":"#"},"v":{"type":"integer"}},"required":["v"]})",
             R"({"type":"object","properties":{"next":{"$ref":"#"},"v":{"type":"number"}}})", kContained},
        Case{"RecursiveNarrows", R"({"type":"object","properties":{"next":{"$ref":"#"},"v":{"type":"number"}}})",
             R"({"type":"object","properties":{"next":{"$ref":"#"},"v":{"type":"integer"}}})", kNotContained},
        Case{"RecursiveWithoutEndIsEmpty", R"({"type":"object","required":["n"],"properties":{"n":{"$ref":"#"}}})",
             "false", kContained},
        Case{"UnevaluatedKept", R"({"type":"object","unevaluatedProperties":false})",
             R"({"type":"object","unevaluatedProperties":false})", kContained},
        Case{"UnevaluatedUndecided", R"({"type":"object","properties":{"a":{}},"additionalProperties":false})",
             R"({"type":"object","properties":{"a":{}},"unevaluatedProperties":false})", kUnknown},
        Case{"Draft4ExclusiveFlag",
             R"({"$schema":"http://json-schema.org/draft-04/schema#","minimum":1,"exclusiveMinimum":true})",
             R"({"exclusiveMinimum":1})", kContained},
        Case{"Draft7RefHidesSiblings",
             R"({"$schema":"http://json-schema.org/draft-07/schema#",
                 "properties":{"a":{"$ref":"#/definitions/n","type":"string"}},"definitions":{"n":{"type":"integer"}}})",
             R"({"properties":{"a":{"type":"integer"}}})", kContained},
        Case{"Draft7FormatRefuses", R"({"$schema":"http://json-schema.org/draft-07/schema#","type":"string"})",
             R"({"$schema":"http://json-schema.org/draft-07/schema#","type":"string","format":"date"})", kNotContained},
        Case{"SchemasWithIds", R"({"$id":"https://x.example/a","properties":{"a":{"enum":["b"]}}})",
             R"({"$id":"https://x.example/b","properties":{"a":{"enum":["b","c"]}}})", kContained},
        Case{"AnchorInDataOnly",
             R"({"$ref":"#n","$defs":{"x":{"const":{"$anchor":"n"}},"y":{"$anchor":"n","type":"integer"}}})",
             R"({"type":"integer"})", kUnknown},
        Case{"BrokenSchema", R"({"type":"strnig"})", "true", kUnknown}),
    kCaseName);

TEST(ContainmentTest, ShowsTheShortestCounterexampleAndWhyItIsRefused) {
  const Containment answer = CheckContainment(Parse(R"({"type":"object","properties":{"amount":{"type":"number"}}})"),
                                              Parse(R"({"type":"object","required":["amount"]})"));
  EXPECT_EQ(base::CanonicalJson(answer.counterexample.value()), "{}");
  EXPECT_THAT(answer.reason, testing::HasSubstr("amount"));
}

TEST(ContainmentTest, SaysWhatItCannotDecide) {
  const Containment answer = CheckContainment(Parse(R"({"properties":{"a":{"type":"string","pattern":"^a{2}$"}}})"),
                                              Parse(R"({"properties":{"a":{"type":"string","pattern":"^a{2,3}$"}}})"));
  EXPECT_EQ(answer.reason, "cannot decide /properties/a/pattern: patterns are only compared for equality");
}

TEST(ContainmentTest, EndsSoonForHostileSchemas) {
  JsonArray branches;
  for (int i = 0; i < 300; ++i) {
    branches.push_back(JsonObject{{"oneOf", JsonArray{JsonObject{{"minimum", i}}, JsonObject{{"required", {"a"}}}}}});
  }
  JsonObject a{{"allOf", branches}};
  JsonObject b{{"anyOf", branches}};
  EXPECT_NE(CheckContainment(b, a).verdict, kContained);
  EXPECT_NE(CheckContainment(a, JsonObject{{"not", b}}).verdict, kContained);

  Json deep = JsonObject{{"type", "integer"}};
  Json other = JsonObject{{"type", "number"}};
  for (int i = 0; i < 100; ++i) {
    deep = JsonObject{{"properties", JsonObject{{"a", deep}, {"b", deep.is_null()}}}};
    other = JsonObject{{"properties", JsonObject{{"a", other}, {"b", false}}}};
  }
  CheckContainment(deep, other);
}

TEST(PatternSampleTest, GivesMatchingTexts) {
  EXPECT_THAT(SamplePattern("^[0-9]{3,4}$"), testing::ElementsAre("000", "999", "0000", "9999"));
  EXPECT_THAT(SamplePattern("^(foo|ba[rz])-\\d+$"), testing::Contains("foo-0"));
  EXPECT_THAT(SamplePattern("^(?=a)b"), testing::IsEmpty());
  EXPECT_THAT(SamplePattern("((((("), testing::IsEmpty());
}

}  // namespace
}  // namespace tasker::diff
