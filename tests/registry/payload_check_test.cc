#include "lib/registry/payload_check.h"

#include <gtest/gtest.h>

#include "lib/base/json.h"
#include "lib/registry/error.h"
#include "tests/registry/fixture.h"

namespace tasker::registry {
namespace {

constexpr char kSchemas[] =
    "input_schema:\n"
    "  type: object\n"
    "  required: [amount]\n"
    "  properties: {amount: {type: number, multipleOf: 0.01}, id: {maximum: 9007199254740993}}\n"
    "domain_events:\n"
    "  - {name: order.paid, schema: {type: object, required: [order_id]}}\n"
    "  - {name: order.lost}\n"
    "  - {name: order.moved}\n";
constexpr char kEventSteps[] =
    "name: charge\nnamespace_name: payments\nversion: 1.0.0\n"
    "steps:\n"
    "  - {name: a, handler: {callable: A}, publishes_events: [order.named, {name: order.paid, schema: false}]}\n"
    "  - {name: b, handler: {callable: B}, publishes_events: [{name: order.named, schema: {type: integer}}]}\n"
    "  - {name: c, handler: {callable: C}, publishes_events: [{name: order.named, schema: {type: string}}]}\n";

class PayloadCheckTest : public RegistryTest {
 protected:
  void SetUp() override { Register(kEventSteps + std::string(kSchemas)); }

  absl::StatusOr<pb::ValidateTaskInputResponse> CheckInput(const std::string& json,
                                                           const std::string& reference = "payments/charge") {
    pb::ValidateTaskInputRequest request;
    request.set_reference(reference);
    request.set_payload_json(json);
    return payloads_.Check(request, absl::InfiniteFuture());
  }
  absl::StatusOr<pb::ValidateEventPayloadResponse> CheckEvent(const std::string& event, const std::string& json) {
    pb::ValidateEventPayloadRequest request;
    request.set_reference("payments/charge:1.0.0");
    request.set_event_name(event);
    request.set_payload_json(json);
    return payloads_.Check(request, absl::InfiniteFuture());
  }
  bool IsValidEvent(const std::string& event, const std::string& json) {
    const auto response = CheckEvent(event, json);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() && response->valid();
  }
};

TEST_F(PayloadCheckTest, AnInputThatFitsIsValidAndNamesTheVersion) {
  const auto response = CheckInput(R"({"amount": 19.99})");
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_TRUE(response->valid());
  EXPECT_EQ(response->reference(), "payments/charge:1.0.0");
  EXPECT_TRUE(response->digest().starts_with("sha256:"));
  EXPECT_EQ(response->errors_size(), 0);
}

TEST_F(PayloadCheckTest, EveryReasonIsListed) {
  const auto response = CheckInput(R"({"amount": "much", "id": 9007199254740994})");
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_FALSE(response->valid());
  ASSERT_EQ(response->errors_size(), 2);
  EXPECT_EQ(response->errors(0).instance_pointer(), "/amount");
  EXPECT_EQ(response->errors(0).schema_pointer(), "/properties/amount/type");
  EXPECT_EQ(response->errors(0).absolute_schema_location(), "#/properties/amount/type");
  EXPECT_EQ(response->errors(0).keyword(), "type");
  EXPECT_FALSE(response->errors(0).message().empty());
  EXPECT_EQ(response->errors(1).keyword(), "maximum") << "the number's last digit was lost";
}

TEST_F(PayloadCheckTest, AStructIsCheckedLikeText) {
  pb::ValidateTaskInputRequest request;
  request.set_reference("payments/charge");
  auto& fields = *request.mutable_payload_struct()->mutable_fields();
  fields["amount"].set_number_value(0.29);
  EXPECT_TRUE(payloads_.Check(request, absl::InfiniteFuture())->valid());
  fields["amount"].set_number_value(0.295);
  const auto response = payloads_.Check(request, absl::InfiniteFuture());
  EXPECT_EQ(response->errors(0).keyword(), "multipleOf");
}

TEST_F(PayloadCheckTest, TooManyReasonsAreCounted) {
  Register(Yaml("strict", "1.0.0", "input_schema: {items: {type: string}}\n"));
  std::string json = "[0";
  for (int i = 1; i < 70; ++i) json += ",0";
  const auto response = CheckInput(json + "]", "payments/strict");
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->errors_size(), 50);
  EXPECT_EQ(response->omitted_error_count(), 20u);
}

TEST_F(PayloadCheckTest, ReasonsWithLongPointersStayWithinAnAnswer) {
  Register(Yaml("strict", "1.0.0", "input_schema: {additionalProperties: {items: {type: string}}}\n"));
  const std::string json = "{\"" + std::string(300'000, 'k') + "\": [1,2,3,4,5,6,7,8,9]}";
  const auto response = CheckInput(json, "payments/strict");
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_GT(response->errors_size(), 0);
  EXPECT_LE(response->ByteSizeLong(), size_t{2} << 20);
  EXPECT_EQ(response->errors_size() + static_cast<int>(response->omitted_error_count()), 9);
}

TEST_F(PayloadCheckTest, WithoutInputSchemaEveryJsonIsValid) {
  Register(Yaml("free", "1.0.0"));
  EXPECT_TRUE(CheckInput("[1, null]", "payments/free")->valid());
  EXPECT_EQ(CheckInput("[1, null", "payments/free").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(PayloadCheckTest, TextThatIsNoJsonIsRefusedWithThePlace) {
  for (const char* text : {"", "{\"amount\": 1", "{\"amount\": 1} x", "{\"amount\": 1, \"amount\": 2}"}) {
    const auto response = CheckInput(text);
    EXPECT_EQ(response.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_NE(std::string(response.status().message()).find("byte"), std::string::npos) << response.status();
    EXPECT_EQ(DetailOf(response.status()).violations.at(0).field, "payload_json");
  }
}

TEST_F(PayloadCheckTest, AMissingOrHugePayloadIsRefused) {
  pb::ValidateTaskInputRequest request;
  request.set_reference("payments/charge");
  EXPECT_EQ(DetailOf(payloads_.Check(request, absl::InfiniteFuture()).status()).violations.at(0).field, "payload");
  const auto huge = CheckInput("\"" + std::string(kMaxPayloadBytes, 'x') + "\"");
  EXPECT_EQ(huge.status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(PayloadCheckTest, AnEventIsCheckedAgainstTheSchemaThatCounts) {
  EXPECT_TRUE(IsValidEvent("order.paid", R"({"order_id": 1})")) << "domain_events come before steps";
  EXPECT_FALSE(IsValidEvent("order.paid", "{}"));
  EXPECT_TRUE(IsValidEvent("order.named", "1")) << "the first step that brings a schema";
  EXPECT_FALSE(IsValidEvent("order.named", "\"1\""));
  EXPECT_TRUE(IsValidEvent("order.lost", "[]")) << "no schema";
}

TEST_F(PayloadCheckTest, AnUnknownEventIsNotFoundWithTheNearest) {
  const auto response = CheckEvent("order.piad", "{}");
  EXPECT_EQ(response.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(DetailOf(response.status()).reason, "EVENT_NOT_FOUND");
  EXPECT_EQ(DetailOf(response.status()).metadata.at("nearest"), "order.paid");
  EXPECT_EQ(CheckEvent("", "{}").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(PayloadCheckTest, ASchemaIsCompiledOnce) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(CheckInput("{}").ok());
    ASSERT_TRUE(CheckEvent("order.paid", "{}").ok());
  }
  EXPECT_EQ(payloads_.Stats().entries, 2u);
  EXPECT_EQ(payloads_.Stats().hits, 4u);
  EXPECT_GT(payloads_.Stats().bytes, 0u);
}

TEST_F(PayloadCheckTest, UnknownAndMalformedReferencesAreToldApart) {
  EXPECT_EQ(CheckInput("{}", "payments/chrage").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(DetailOf(CheckInput("{}", "nonsense").status()).reason, "REFERENCE_MALFORMED");
}

TEST_F(PayloadCheckTest, ASchemaThatNeverWasOneIsSaidToBeBroken) {
  test::RunSql(*pool_, R"(UPDATE tasker.named_tasks
                          SET configuration = jsonb_set(configuration, '{input_schema,type}', '"strng"'))");
  const auto response = CheckInput("{}");
  EXPECT_EQ(response.status().code(), absl::StatusCode::kFailedPrecondition) << response.status();
  EXPECT_EQ(DetailOf(response.status()).reason, "SCHEMA_BROKEN");
  EXPECT_EQ(DetailOf(response.status()).violations.at(0).field, "/type");
}

TEST_F(PayloadCheckTest, AnEvaluationThatTakesTooManyStepsIsGivenUp) {
  std::string schema = "input_schema:\n  $defs:\n    d0: {type: integer}\n";
  for (int i = 1; i <= 30; ++i) {
    schema += fmt::format("    d{0}: {{allOf: [{{$ref: '#/$defs/d{1}'}}, {{$ref: '#/$defs/d{1}'}}]}}\n", i, i - 1);
  }
  Register(Yaml("slow", "1.0.0", schema + "  $ref: '#/$defs/d30'\n"));
  const auto response = CheckInput("1", "payments/slow");
  EXPECT_EQ(response.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(DetailOf(response.status()).reason, "PAYLOAD_TOO_COMPLEX");
}

}  // namespace
}  // namespace tasker::registry
