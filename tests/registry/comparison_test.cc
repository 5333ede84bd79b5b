#include "lib/registry/comparison.h"

#include <gtest/gtest.h>

#include "lib/registry/error.h"
#include "tests/registry/fixture.h"

namespace tasker::registry {
namespace {

class ComparisonTest : public RegistryTest {
 protected:
  absl::StatusOr<pb::CompareTemplatesResponse> Compare(const pb::CompareTemplatesRequest& request) {
    return comparison_.Compare(request, absl::InfiniteFuture());
  }

  static pb::CompareTemplatesRequest References(const std::string& before, const std::string& after) {
    pb::CompareTemplatesRequest request;
    request.set_old_reference(before);
    request.set_new_reference(after);
    return request;
  }

  static pb::CompareTemplatesRequest Source(const std::string& before, const std::string& yaml) {
    pb::CompareTemplatesRequest request;
    request.set_old_reference(before);
    request.mutable_new_source()->set_yaml(yaml);
    return request;
  }
};

TEST_F(ComparisonTest, TwoReferencesGiveTheLinesOfBothTextsAndTheVersionToUse) {
  Register("# a comment\n" + Yaml("charge", "1.0.0", "input_schema: {type: object}\n"));
  Register(Yaml("charge", "1.1.0", "input_schema: {type: object, required: [amount]}\n"));
  const auto response = Compare(References("payments/charge:1.0.0", "payments/charge"));
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->old_reference(), "payments/charge:1.0.0");
  EXPECT_EQ(response->new_reference(), "payments/charge:1.1.0");
  EXPECT_EQ(response->bump(), pb::VERSION_BUMP_MAJOR);
  EXPECT_EQ(response->next_version(), "2.0.0");
  EXPECT_FALSE(response->is_bump_enough());
  ASSERT_EQ(response->differences_size(), 2);
  const pb::Difference& schema = response->differences(0);
  EXPECT_EQ(schema.code(), "INPUT_SCHEMA_NARROWED");
  EXPECT_EQ(schema.kind(), pb::DIFFERENCE_KIND_ADDED);
  EXPECT_EQ(schema.breaks(), "callers");
  EXPECT_EQ(schema.place(), "input_schema.required");
  EXPECT_EQ(schema.old_path(), "");
  EXPECT_EQ(schema.new_path(), "/input_schema/required");
  EXPECT_FALSE(schema.has_old_value_json());
  EXPECT_EQ(schema.new_value_json(), R"(["amount"])");
  EXPECT_EQ(schema.new_line(), 5);
  EXPECT_EQ(schema.counterexample_json(), "{}");
  EXPECT_EQ(response->differences(1).code(), "VERSION_CHANGED");
  EXPECT_EQ(response->differences(1).old_line(), 4);
  EXPECT_EQ(response->differences(1).new_line(), 3);
}

TEST_F(ComparisonTest, ASourceNeedNotBeRegistered) {
  Register(Yaml("charge", "1.0.0"));
  const auto response = Compare(Source("payments/charge:1.0.0", Yaml("charge", "1.0.1", "description: x\n")));
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->new_reference(), "payments/charge:1.0.1");
  EXPECT_EQ(response->bump(), pb::VERSION_BUMP_PATCH);
  EXPECT_TRUE(response->is_bump_enough());
}

TEST_F(ComparisonTest, ASourceAsAMessageHasNoLines) {
  Register(Yaml("charge", "1.0.0"));
  pb::GetTemplateRequest get;
  get.set_reference("payments/charge");
  pb::CompareTemplatesRequest request;
  request.set_old_reference("payments/charge");
  *request.mutable_new_source()->mutable_template_() = catalog_.GetTemplate(get, absl::InfiniteFuture())->template_();
  request.mutable_new_source()->mutable_template_()->set_description("other");
  const auto response = Compare(request);
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->differences_size(), 1);
  EXPECT_EQ(response->differences(0).new_line(), 0);
}

TEST_F(ComparisonTest, EnvironmentsOfOneVersionAskForNoOther) {
  Register(
      Yaml("charge", "1.0.0", "environments:\n  test:\n    steps:\n      - {name: pay, retry: {retryable: false}}\n"));
  pb::CompareTemplatesRequest request;
  request.set_old_reference("payments/charge:1.0.0");
  request.set_old_environment("test");
  request.set_new_environment("");
  const auto response = Compare(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->new_reference(), "payments/charge:1.0.0");
  EXPECT_EQ(response->differences(0).code(), "RETRY_ENABLED");
  EXPECT_EQ(response->differences(0).old_line(), 8);
  EXPECT_TRUE(response->is_bump_enough());
  EXPECT_EQ(response->next_version(), "1.0.0");
}

TEST_F(ComparisonTest, AnEnvironmentThatNobodyDefinesIsAMistake) {
  Register(Yaml("charge", "1.0.0", "environments: {test: {}}\n"));
  pb::CompareTemplatesRequest request;
  request.set_old_reference("payments/charge:1.0.0");
  request.set_new_environment("tset");
  const auto response = Compare(request);
  EXPECT_EQ(response.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(DetailOf(response.status()).reason, "ENVIRONMENT_NOT_DEFINED");
}

TEST_F(ComparisonTest, RefusesWhatCannotBeCompared) {
  Register(Yaml("charge", "1.0.0"));
  EXPECT_EQ(Compare(References("payments/charge", "")).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Compare(References("nonsense", "payments/charge")).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Compare(References("payments/charge", "payments/charge:9.9.9")).status().code(),
            absl::StatusCode::kNotFound);
  const auto invalid = Compare(Source("payments/charge", Yaml("charge", "1.0", "bogus: 1\n")));
  EXPECT_EQ(invalid.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(DetailOf(invalid.status()).violations.at(0).field, "new_source.version");
}

TEST_F(ComparisonTest, ALargeDifferenceIsBounded) {
  std::string before, after;
  for (int i = 0; i < 30'000; ++i) {
    const std::string key = fmt::format("  k{}: ", i) + std::string(20, 'x');
    before += key + "1\n";
    after += key + "2\n";
  }
  Register(Yaml("charge", "1.0.0", "x-many:\n" + before));
  const auto many = Compare(Source("payments/charge", Yaml("charge", "1.0.1", "x-many:\n" + after)));
  ASSERT_TRUE(many.ok()) << many.status();
  EXPECT_LE(many->ByteSizeLong(), kMaxDifferenceBytes + (64 << 10));
  const std::string large(kMaxDifferenceValueBytes, 'x');
  const auto one = Compare(Source("payments/charge", Yaml("charge", "1.0.1", "x-large: " + large + "\n")));
  ASSERT_TRUE(one.ok()) << one.status();
  for (const pb::Difference& difference : one->differences()) {
    EXPECT_EQ(difference.has_new_value_json(), difference.new_path() == "/version") << difference.new_path();
  }
}

}  // namespace
}  // namespace tasker::registry
