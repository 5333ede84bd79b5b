// What must hold for any schema and any instance, tried with made-up ones.

#include <gtest/gtest.h>

#include <random>

#include "tests/json_schema/support.h"

namespace tasker::json_schema {
namespace {

class Maker {
 public:
  explicit Maker(uint32_t seed) : random_(seed) {}

  size_t Below(size_t bound) { return random_() % bound; }

  Json Instance(int depth) {
    switch (Below(depth > 0 ? 8 : 6)) {
      case 0:
        return nullptr;
      case 1:
        return Below(2) == 0;
      case 2:
        return static_cast<int64_t>(Below(7)) - 3;
      case 3:
        return static_cast<double>(Below(9)) / 2;
      case 4:
      case 5:
        return boost::json::string(Below(4), static_cast<char>('a' + Below(3)));
      case 6: {
        base::JsonArray array;
        for (size_t i = Below(4); i > 0; --i) array.push_back(Instance(depth - 1));
        return array;
      }
      default: {
        base::JsonObject object;
        for (size_t i = Below(4); i > 0; --i) object[Name()] = Instance(depth - 1);
        return object;
      }
    }
  }

  Json Schema(int depth) {
    if (Below(10) == 0) return Below(4) != 0;
    base::JsonObject schema;
    for (size_t i = 1 + Below(3); i > 0; --i) AddKeyword(depth, schema);
    return schema;
  }

 private:
  std::string Name() { return std::string(1, static_cast<char>('a' + Below(4))); }
  base::JsonArray Schemas(int depth) {
    base::JsonArray schemas;
    for (size_t i = 1 + Below(2); i > 0; --i) schemas.push_back(Schema(depth));
    return schemas;
  }
  base::JsonObject SchemaMap(int depth) {
    base::JsonObject map;
    for (size_t i = Below(3); i > 0; --i) map[Name()] = Schema(depth);
    return map;
  }

  void AddKeyword(int depth, base::JsonObject& schema) {
    constexpr const char* kTypes[] = {"null", "boolean", "integer", "number", "string", "array", "object"};
    constexpr const char* kCounts[] = {"minLength", "maxLength", "minItems",      "maxItems",
                                       "maximum",   "minimum",   "minProperties", "maxProperties"};
    constexpr const char* kSchemas[] = {
        "items",         "additionalProperties",  "contains",        "not", "if", "then", "else",
        "propertyNames", "unevaluatedProperties", "unevaluatedItems"};
    constexpr const char* kLists[] = {"allOf", "anyOf", "oneOf", "prefixItems"};
    switch (Below(depth > 0 ? 9 : 5)) {
      case 0:
        schema["type"] = kTypes[Below(std::size(kTypes))];
        return;
      case 1:
        schema[kCounts[Below(std::size(kCounts))]] = Below(4);
        return;
      case 2:
        schema["enum"] = base::JsonArray{Instance(1), Instance(1), Instance(0)};
        return;
      case 3:
        schema["uniqueItems"] = true;
        return;
      case 4:
        schema["required"] = base::JsonArray{Name().c_str()};
        return;
      case 5:
      case 6:
        schema[kSchemas[Below(std::size(kSchemas))]] = Schema(depth - 1);
        return;
      case 7:
        schema[kLists[Below(std::size(kLists))]] = Schemas(depth - 1);
        return;
      default:
        schema[Below(2) == 0 ? "properties" : "patternProperties"] = SchemaMap(depth - 1);
    }
  }

  std::mt19937 random_;
};

Verdict VerdictOf(const Json& schema, const Json& instance) {
  const CompileResult result = Compile(schema);
  if (result.schema == nullptr) {
    ADD_FAILURE() << result.problems.front().message << ": " << base::CanonicalJson(schema);
    return Verdict::kLimitExceeded;
  }
  const Verdict verdict = result.schema->Validate(instance);
  EXPECT_EQ(result.schema->Explain(instance).verdict, verdict) << base::CanonicalJson(schema);
  EXPECT_EQ(*result.schema->ValidateText(base::CanonicalJson(instance)), verdict)
      << base::CanonicalJson(schema) << " on " << base::CanonicalJson(instance);
  return verdict;
}

Json With(std::string_view keyword, const Json& value) {
  return base::JsonObject{{boost::json::string_view(keyword.data(), keyword.size()), value}};
}

TEST(IdentityTest, HoldsForAllCombinations) {
  Maker maker(4711);
  int valid = 0;
  constexpr int kRounds = 600;
  for (int round = 0; round < kRounds; ++round) {
    const Json s = maker.Schema(3);
    const Json t = maker.Schema(2);
    const Json x = maker.Instance(3);
    const bool fits_s = VerdictOf(s, x) == Verdict::kValid;
    const bool fits_t = VerdictOf(t, x) == Verdict::kValid;
    valid += fits_s ? 1 : 0;
    const std::string what = base::CanonicalJson(base::JsonArray{s, t, x});
    const auto holds = [&](const Json& schema) { return VerdictOf(schema, x) == Verdict::kValid; };
    EXPECT_EQ(holds(With("not", s)), !fits_s) << what;
    EXPECT_EQ(holds(With("not", With("not", s))), fits_s) << what;
    EXPECT_EQ(holds(With("allOf", base::JsonArray{s, true})), fits_s) << what;
    EXPECT_FALSE(holds(With("allOf", base::JsonArray{s, false}))) << what;
    EXPECT_EQ(holds(With("allOf", base::JsonArray{s, t})), fits_s && fits_t) << what;
    EXPECT_EQ(holds(With("anyOf", base::JsonArray{s, t})), fits_s || fits_t) << what;
    EXPECT_EQ(holds(With("anyOf", base::JsonArray{s, false})), fits_s) << what;
    EXPECT_EQ(holds(With("oneOf", base::JsonArray{s, t})), fits_s != fits_t) << what;
    EXPECT_FALSE(holds(With("oneOf", base::JsonArray{s, s}))) << what;
    EXPECT_EQ(holds(base::JsonObject{{"if", s}, {"then", t}, {"else", false}}), fits_s && fits_t) << what;
    EXPECT_EQ(holds(base::JsonObject{{"$ref", "#/$defs/s"}, {"$defs", base::JsonObject{{"s", s}}}}), fits_s) << what;
    EXPECT_TRUE(holds(With("const", x))) << what;
    EXPECT_EQ(VerdictOf(With("items", s), base::JsonArray{x}) == Verdict::kValid, fits_s) << what;
    EXPECT_EQ(VerdictOf(With("contains", s), base::JsonArray{x}) == Verdict::kValid, fits_s) << what;
    EXPECT_EQ(VerdictOf(With("additionalProperties", s), base::JsonObject{{"k", x}}) == Verdict::kValid, fits_s)
        << what;
  }
  // Neither side may be too rare to mean anything.
  EXPECT_GT(valid, kRounds / 10);
  EXPECT_LT(valid, kRounds * 9 / 10);
}

}  // namespace
}  // namespace tasker::json_schema
