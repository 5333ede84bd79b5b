#include "lib/wire/task_template.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "lib/template/canonical.h"

namespace tasker::wire {
namespace {

tmpl::TaskTemplate Small() {
  tmpl::TaskTemplate tmpl;
  tmpl.name = "charge";
  tmpl.namespace_name = "payments";
  tmpl.version = "1.0.0";
  tmpl.steps.emplace_back().name = "pay";
  tmpl.steps[0].handler.callable = "Pay";
  tmpl.steps[0].retry = tmpl::DefaultRetry();
  return tmpl;
}

void ExpectRefused(const pb::TaskTemplate& message, std::string_view words) {
  const auto read = FromProto(message);
  EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(std::string(read.status().message()).find(words), std::string::npos) << read.status();
}

TEST(TaskTemplateTest, UnsetFieldsMeanWhatAbsentKeysMean) {
  pb::TaskTemplate message;
  message.add_steps()->set_name("pay");
  const tmpl::TaskTemplate read = FromProto(message).value();
  EXPECT_EQ(read.system_dependencies, tmpl::SystemDependencies());
  EXPECT_EQ(read.steps[0].retry, tmpl::DefaultRetry());
  EXPECT_FALSE(read.steps[0].type);
  EXPECT_FALSE(read.description);
}

TEST(TaskTemplateTest, ARetryThatIsSetFillsOnlyItsOwnDefaults) {
  pb::TaskTemplate message;
  message.add_steps()->mutable_retry()->set_limit(7);
  tmpl::RetryConfiguration expected;
  expected.limit = 7;
  EXPECT_EQ(FromProto(message).value().steps[0].retry, expected);
}

TEST(TaskTemplateTest, CarriesExactJsonOnlyWhereItIsNeeded) {
  tmpl::TaskTemplate tmpl = Small();
  tmpl.steps[0].handler.initialization["rate"] = 0.5;
  EXPECT_FALSE(ToProto(tmpl).has_exact_json());
  tmpl.steps[0].handler.initialization["rate"] = 1.0;
  EXPECT_EQ(ToProto(tmpl).exact_json(), tmpl::CanonicalText(tmpl));
  EXPECT_EQ(FromProto(ToProto(tmpl)).value(), tmpl);
}

TEST(TaskTemplateTest, RefusesExactJsonThatSaysSomethingElse) {
  tmpl::TaskTemplate tmpl = Small();
  tmpl.steps[0].handler.initialization["id"] = int64_t{9007199254740993};
  pb::TaskTemplate message = ToProto(tmpl);
  message.set_description("another");
  ExpectRefused(message, "exact_json says something else");
}

TEST(TaskTemplateTest, RefusesExactJsonThatIsNoTemplate) {
  pb::TaskTemplate message = ToProto(Small());
  message.set_exact_json("{\"name\":");
  ExpectRefused(message, "exact_json is no JSON");
  message.set_exact_json("[]");
  ExpectRefused(message, "exact_json is no template");
}

TEST(TaskTemplateTest, RefusesAnExtensionThatIsAFieldInDisguise) {
  for (const char* key : {"retry", "depends_on", "step_type"}) {
    pb::TaskTemplate message = ToProto(Small());
    (*message.mutable_steps(0)->mutable_extensions()->mutable_fields())[key].set_string_value("x");
    ExpectRefused(message, std::string("steps[0].extensions has '") + key);
  }
}

TEST(TaskTemplateTest, KeepsExtensionsNamedLikeItsOwnFields) {
  tmpl::TaskTemplate tmpl = Small();
  tmpl.extensions["extensions"] = 1;
  tmpl.extensions["exact_json"] = "{}";
  EXPECT_EQ(FromProto(ToProto(tmpl)).value(), tmpl);
}

TEST(TaskTemplateTest, RefusesEnumeratorsThatItDoesNotKnow) {
  pb::TaskTemplate message = ToProto(Small());
  message.mutable_steps(0)->set_type(static_cast<pb::StepType>(77));
  ExpectRefused(message, "steps[0].type is 77");
  message.mutable_steps(0)->set_type(pb::STEP_TYPE_STANDARD);
  message.mutable_steps(0)->mutable_retry()->set_backoff(static_cast<pb::BackoffStrategy>(-1));
  ExpectRefused(message, "steps[0].retry.backoff is -1");
}

TEST(TaskTemplateTest, RefusesInfinityInAnEnvironment) {
  pb::TaskTemplate message = ToProto(Small());
  auto& environment = (*message.mutable_environments())["production"];
  auto& initialization = *environment.mutable_task_handler()->mutable_initialization();
  (*initialization.mutable_fields())["limit"].set_number_value(std::numeric_limits<double>::infinity());
  ExpectRefused(message, "environments.production.task_handler.initialization.limit");
}

}  // namespace
}  // namespace tasker::wire
