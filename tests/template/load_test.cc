#include "lib/template/load.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/template/canonical.h"

namespace tasker::tmpl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kMinimal = R"(name: pay
namespace_name: shop
version: 1.0.0
steps:
  - name: charge
    handler: {callable: Charge}
)";

struct Loaded {
  std::optional<LoadedTemplate> value;
  std::vector<std::string> issues;  // "line:column CODE path: message (hint)"
};

Loaded Load(std::string_view yaml, bool keep_unknown_keys = false) {
  base::IssueList issues;
  LoadOptions options;
  options.keep_unknown_keys = keep_unknown_keys;
  Loaded loaded{LoadTemplate(yaml, options, issues), {}};
  for (const base::Issue& issue : issues.Sorted()) {
    loaded.issues.push_back(fmt::format("{}:{} {} {}: {}{}", issue.position.line, issue.position.column, issue.code,
                                        issue.path, issue.message,
                                        issue.hint.empty() ? "" : fmt::format(" ({})", issue.hint)));
  }
  return loaded;
}

std::vector<std::string> Problems(std::string_view yaml) { return Load(yaml).issues; }

// The minimal template with `lines` put inside its step.
std::string WithStep(std::string_view lines) { return fmt::format("{}    {}\n", kMinimal, lines); }

TEST(LoadTemplateTest, FillsInTheDefaults) {
  const Loaded loaded = Load(kMinimal);
  ASSERT_THAT(loaded.issues, IsEmpty());
  EXPECT_EQ(CanonicalText(loaded.value->tmpl),
            R"({"domain_events":[],"environments":{},"name":"pay","namespace_name":"shop","steps":[{"dependencies":[],)"
            R"("handler":{"callable":"Charge","initialization":{}},"name":"charge","publishes_events":[],)"
            R"("retry":{"backoff":"exponential","backoff_base_ms":1000,"limit":3,"max_backoff_ms":30000,)"
            R"("retryable":true}}],"system_dependencies":{"primary":"default","secondary":[]},"version":"1.0.0"})");
}

TEST(LoadTemplateTest, FillsOnlyThreeKeysOfAWrittenRetry) {
  const Loaded loaded = Load(WithStep("retry: {limit: 7}"));
  ASSERT_THAT(loaded.issues, IsEmpty());
  RetryConfiguration expected;
  expected.limit = 7;
  EXPECT_EQ(loaded.value->tmpl.steps[0].retry, expected);
}

TEST(LoadTemplateTest, TakesNothingAsAbsentOrEmpty) {
  const Loaded loaded = Load(std::string(kMinimal) +
                             "    system_dependency:\n    dependencies:\n    retry: ~\n    timeout_seconds: null\n"
                             "description:\ntask_handler:\ndomain_events:\nenvironments:\n  test:\n");
  ASSERT_THAT(loaded.issues, IsEmpty());
  EXPECT_EQ(loaded.value->tmpl.steps[0].retry, DefaultRetry());
  EXPECT_EQ(loaded.value->tmpl.steps[0].timeout_seconds, std::nullopt);
  EXPECT_EQ(loaded.value->tmpl.description, std::nullopt);
  EXPECT_EQ(loaded.value->tmpl.environments.size(), 1u);
}

TEST(LoadTemplateTest, KeepsPlainScalarsAsWrittenWhereTextIsWanted) {
  const Loaded loaded = Load(
      "name: 0123\nnamespace_name: true\nversion: 1.0\ndescription: 1e3\nsteps: [{name: 1, handler: {callable: "
      ".nan}}]");
  ASSERT_THAT(loaded.issues, IsEmpty());
  EXPECT_EQ(loaded.value->tmpl.name, "0123");
  EXPECT_EQ(loaded.value->tmpl.namespace_name, "true");
  EXPECT_EQ(loaded.value->tmpl.version, "1.0");
  EXPECT_EQ(loaded.value->tmpl.description, "1e3");
  EXPECT_EQ(loaded.value->tmpl.steps[0].handler.callable, ".nan");
}

TEST(LoadTemplateTest, ReadsTheExtensionKeysAndTheirAliases) {
  const Loaded loaded = Load(std::string(kMinimal) + R"(    step_type: batchable
    depends_on: [a]
    retry: {max_attempts: 9, retryable: false, backoff: fibonacci}
    result_schema: {type: object}
    lifecycle: {max_retries: 3}
    composition: [x]
    batch_config: {batch_size: 5, parallelism: 2, cursor_field: id, worker_template: w, failure_strategy: stop}
    publishes_events: [paid, {name: declined, condition: failure, delivery_mode: durable, publisher: P, schema: true}]
  - name: second
    handler: {callable: C, method: run, resolver: r, x-note: 1}
x-owner: {team: [a]}
metadata: {author: me, notes: free, tags: [a, 1]}
)");
  ASSERT_THAT(loaded.issues, IsEmpty());
  const StepDefinition& step = loaded.value->tmpl.steps[0];
  EXPECT_EQ(step.type, StepType::kBatchable);
  EXPECT_THAT(step.dependencies, ElementsAre("a"));
  EXPECT_EQ(step.retry.limit, 9u);
  EXPECT_EQ(step.batch_config->batch_size, 5u);
  EXPECT_EQ(step.publishes_events[1].publisher, "P");
  EXPECT_EQ(loaded.value->tmpl.steps[1].handler.method, "run");
  EXPECT_TRUE(loaded.value->tmpl.steps[1].handler.extensions.contains("x-note"));
  EXPECT_TRUE(loaded.value->tmpl.extensions.contains("x-owner"));
  EXPECT_TRUE(loaded.value->tmpl.metadata->extensions.contains("notes"));
  EXPECT_THAT(loaded.value->tmpl.metadata->tags, ElementsAre("a", "1"));
}

TEST(LoadTemplateTest, ReportsUnknownKeysWithTheNearest) {
  EXPECT_THAT(Problems(WithStep("dependancies: []")),
              ElementsAre("7:5 KEY_UNKNOWN /steps/0/dependancies: a step has no key 'dependancies' "
                          "(did you mean 'dependencies'?)"));
  EXPECT_THAT(Problems(std::string(kMinimal) + "metadata: {anything: 1}\n"), IsEmpty());
  EXPECT_THAT(Problems(std::string(kMinimal) + "zzz: 1\n"), ElementsAre(HasSubstr("known here: name, namespace_name")));
  EXPECT_THAT(Problems(std::string(kMinimal) + ":name: x\n"), ElementsAre(HasSubstr("KEY_RUBY_SYMBOL")));
  EXPECT_THAT(Problems(WithStep("default_retryable: false")),
              ElementsAre(AllOf(HasSubstr("KEY_LEGACY"), HasSubstr("tasker-registryctl convert"))));
}

TEST(LoadTemplateTest, KeepsUnknownKeysWhenAsked) {
  const Loaded loaded = Load(WithStep("dependancies: [1, 2.0]"), /*keep_unknown_keys=*/true);
  ASSERT_THAT(loaded.issues, ElementsAre(HasSubstr("has no key 'dependancies'; it is kept")));
  EXPECT_THAT(CanonicalText(loaded.value->tmpl), HasSubstr(R"("dependancies":[1,2.0])"));
}

TEST(LoadTemplateTest, ReportsEveryMistakeAtOnce) {
  EXPECT_THAT(
      Problems("namespace_name: ''\nversion: [1]\nsteps:\n  - handler: Foo\n    timeout_seconds: soon\n"
               "    retry: {retryable: yes, limit: -1, backoff: never, max_attempts: 2}\n  - 5\n"),
      ElementsAre("1:1 FIELD_REQUIRED /name: the template needs 'name' (add 'name: …')",
                  "1:17 FIELD_EMPTY /namespace_name: 'namespace_name' must not be empty",
                  "2:10 TYPE_MISMATCH /version: 'version' must be text, but is a list",
                  "4:5 FIELD_REQUIRED /steps/0/name: a step needs 'name' (add 'name: …')",
                  "4:14 TYPE_MISMATCH /steps/0/handler: 'handler' must be a map, but is text ('Foo') "
                  "(write handler: {callable: Foo})",
                  "5:22 TYPE_MISMATCH /steps/0/timeout_seconds: 'timeout_seconds' must be a whole number, but is "
                  "text ('soon')",
                  "6:24 TYPE_MISMATCH /steps/0/retry/retryable: 'retryable' must be true or false, but is text "
                  "('yes') (write true or false)",
                  "6:36 NUMBER_OUT_OF_RANGE /steps/0/retry/limit: 'limit' must be between 0 and 4294967295, but "
                  "is -1",
                  "6:49 BACKOFF_UNKNOWN /steps/0/retry/backoff: backoff 'never' does not exist (write none, "
                  "linear, exponential or fibonacci)",
                  "6:56 KEY_ALIAS_CONFLICT /steps/0/retry/max_attempts: 'limit' and 'max_attempts' are two "
                  "spellings of one key, and both are written (keep 'limit')",
                  "7:5 TYPE_MISMATCH /steps/1: 'a step' must be a map, but is an integer ('5')"));
}

TEST(LoadTemplateTest, RefusesNumbersThatJsonCannotHold) {
  EXPECT_THAT(
      Problems(WithStep("composition: [18446744073709551616, .nan, 1e999]")),
      ElementsAre(HasSubstr("NUMBER_TOO_LARGE"), HasSubstr("NUMBER_NOT_FINITE"), HasSubstr("NUMBER_NOT_FINITE")));
  EXPECT_THAT(Problems(WithStep("timeout_seconds: '5'")), ElementsAre(HasSubstr("remove the quotes")));
  EXPECT_THAT(Problems(WithStep("timeout_seconds: 3.0")), ElementsAre(HasSubstr("must be a whole number")));
}

TEST(LoadTemplateTest, NeedsAMap) {
  EXPECT_THAT(Problems(""), ElementsAre(HasSubstr("TEMPLATE_NOT_A_MAP")));
  EXPECT_THAT(Problems("- a"), ElementsAre(HasSubstr("this is a list")));
  EXPECT_EQ(Load("5").value, std::nullopt);
}

TEST(LoadTemplateTest, BoundsTheSteps) {
  LoadOptions options;
  options.limits.steps = 1;
  base::IssueList issues;
  LoadTemplate(std::string(kMinimal) + "  - {name: b, handler: {callable: B}}\n  - {name: c, handler: {callable: B}}\n",
               options, issues);
  ASSERT_EQ(issues.error_count(), 1u);
  EXPECT_EQ(issues.Sorted()[0].code, "STEPS_TOO_MANY");
}

TEST(CanonicalJsonTest, DoesNotDependOnHowTheTextIsWritten) {
  const Loaded yaml = Load(WithStep("retry: {max_attempts: 3}   # a comment"));
  const Loaded json =
      Load(R"({"version":"1.0.0","steps":[{"retry":{"limit":3,"backoff":"exponential"},)"
           R"("handler":{"callable":"Charge"},"name":"charge"}],"namespace_name":"shop","name":"pay"})");
  EXPECT_EQ(TemplateDigest(yaml.value->tmpl), TemplateDigest(json.value->tmpl));
}

TEST(CanonicalJsonTest, SortsExtensionsAmongTheKeysOfTheirBlock) {
  TaskTemplate tmpl;
  tmpl.extensions = {{"x-last", 1}, {"a-first", nullptr}, {"name", "replaced"}, {"oz", JsonObject{{"b", 1}, {"a", 2}}}};
  tmpl.steps.resize(1);
  tmpl.steps[0].publishes_events.resize(2);
  tmpl.steps[0].publishes_events[0].name = "plain";
  tmpl.steps[0].publishes_events[1].name = "told";
  tmpl.steps[0].publishes_events[1].extensions = {{"m", 1}};
  tmpl.environments["b"].steps.resize(1);
  tmpl.environments["a"];
  EXPECT_EQ(
      CanonicalText(tmpl),
      R"({"a-first":null,"domain_events":[],"environments":{"a":{"steps":[]},"b":{"steps":[{"name":""}]}},"name":"",)"
      R"("namespace_name":"","oz":{"a":2,"b":1},"steps":[{"dependencies":[],"handler":{"callable":"",)"
      R"("initialization":{}},"name":"","publishes_events":["plain",{"m":1,"name":"told"}],"retry":{"backoff":)"
      R"("exponential","limit":3,"retryable":true}}],"system_dependencies":{"primary":"default","secondary":[]},)"
      R"("version":"","x-last":1})");
  EXPECT_EQ(CanonicalText(tmpl), base::CanonicalJson(ToJson(tmpl)));
}

TEST(TemplateFromJsonTest, RefusesOtherJson) {
  EXPECT_FALSE(TemplateFromJson(*base::ParseJson("[]")).ok());
  EXPECT_FALSE(TemplateFromJson(*base::ParseJson(R"({"name":"a"})")).ok());
}

}  // namespace
}  // namespace tasker::tmpl
