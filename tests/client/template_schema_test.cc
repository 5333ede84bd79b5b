// docs/template.schema.json against the reader: both know the same keys, and what the reader takes, the schema takes.
#include "client/template_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/issue_text.h"
#include "lib/json_schema/schema.h"
#include "lib/template/canonical.h"
#include "lib/template/keys.h"
#include "lib/template/yaml_reader.h"
#include "lib/validate/check.h"
#include "tests/support/document_json.h"

namespace tasker::client {
namespace {

namespace fs = std::filesystem;
using base::Json;

std::string Slurp(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

const Json& SchemaJson() {
  static const Json schema = *base::ParseJson(TemplateSchemaText());
  return schema;
}

const json_schema::Schema& TemplateSchema() {
  static const auto schema = json_schema::Compile(SchemaJson()).schema;
  return *schema;
}

// What the schema says about a text; "" when it accepts it.
std::string Refusal(std::string_view yaml) {
  base::IssueList issues;
  const std::optional<tmpl::Document> document = tmpl::ReadYaml(yaml, {}, issues);
  if (!document) return "no YAML";
  const json_schema::Report report = TemplateSchema().Explain(testing::DocumentJson(document->root()));
  std::string out;
  for (const json_schema::OutputUnit& unit : report.units) out += unit.instance_location + ": " + unit.message + "\n";
  return out;
}

// The issues that the reader and the rules have with a text; "" when there is no error.
std::string ReaderRefusal(std::string_view yaml) {
  base::IssueList issues;
  const bool accepted = validate::LoadAndCheck(yaml, {}, issues).has_value();
  return accepted ? "" : base::IssueTexts(issues.Sorted(), 0, "yaml", "");
}

TEST(TemplateSchemaTest, IsTheCommittedFile) {
  EXPECT_EQ(TemplateSchemaText(), Slurp(fs::path(TASKER_SOURCE_DIR) / "docs/template.schema.json"));
}

TEST(TemplateSchemaTest, CompilesWithoutAProblem) {
  const json_schema::CompileResult result = json_schema::Compile(SchemaJson());
  for (const json_schema::SchemaProblem& problem : result.problems) {
    ADD_FAILURE() << problem.location << ": " << problem.message;
  }
  ASSERT_NE(result.schema, nullptr);
  EXPECT_EQ(result.schema->dialect(), json_schema::Dialect::k2020_12);
}

// The block of the schema that describes each block of keys that the reader knows.
const std::pair<tmpl::KeyBlock, std::string_view> kBlocks[] = {
    {tmpl::kTemplateKeys, ""},
    {tmpl::kMetadataKeys, "metadata"},
    {tmpl::kHandlerKeys, "handler"},
    {tmpl::kSystemsKeys, "system_dependencies"},
    {tmpl::kDomainEventKeys, "domain_event"},
    {tmpl::kStepKeys, "step"},
    {tmpl::kRetryKeys, "retry"},
    {tmpl::kPublishedEventKeys, "published_event"},
    {tmpl::kBatchConfigKeys, "batch_config"},
    {tmpl::kEnvironmentKeys, "environment"},
    {tmpl::kHandlerOverrideKeys, "handler_override"},
    {tmpl::kStepOverrideKeys, "step_override"},
};

const Json& BlockJson(std::string_view name) {
  return name.empty() ? SchemaJson() : SchemaJson().at("$defs").at({name.data(), name.size()});
}

TEST(TemplateSchemaTest, KnowsExactlyTheKeysThatTheReaderKnows) {
  for (const auto& [block, name] : kBlocks) {
    std::set<std::string> described;
    for (const auto& property : BlockJson(name).at("properties").as_object()) described.emplace(property.key());
    EXPECT_EQ(described, std::set<std::string>(block.keys.begin(), block.keys.end())) << "of " << block.name;
  }
}

TEST(TemplateSchemaTest, HasNoOtherBlockOfKeys) {
  std::set<std::string> blocks;
  for (const auto& [name, definition] : SchemaJson().at("$defs").as_object()) {
    if (definition.as_object().contains("properties")) blocks.emplace(name);
  }
  EXPECT_EQ(blocks.size() + 1, std::size(kBlocks));
}

TEST(TemplateSchemaTest, DescribesEveryKey) {
  for (const auto& [block, name] : kBlocks) {
    for (const auto& property : BlockJson(name).at("properties").as_object()) {
      const Json* const description = property.value().as_object().if_contains("description");
      ASSERT_NE(description, nullptr) << block.name << ": " << property.key();
      EXPECT_FALSE(description->as_string().empty()) << block.name << ": " << property.key();
    }
  }
}

std::vector<fs::path> TemplatesIn(const fs::path& folder) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml") out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

void ExpectAgreement(const fs::path& folder) {
  for (const fs::path& path : TemplatesIn(folder)) {
    const std::string yaml = Slurp(path);
    const std::string reader = ReaderRefusal(yaml);
    if (reader.empty()) {
      EXPECT_EQ(Refusal(yaml), "") << path;
    } else if (reader.find("[KEY_UNKNOWN]") != std::string::npos) {
      EXPECT_NE(Refusal(yaml), "") << path << "\n" << reader;
    }
  }
}

TEST(TemplateSchemaTest, AgreesWithTheReaderOnTheExamples) {
  ASSERT_FALSE(TemplatesIn(fs::path(TASKER_SOURCE_DIR) / "examples/templates").empty());
  ExpectAgreement(fs::path(TASKER_SOURCE_DIR) / "examples/templates");
}

TEST(TemplateSchemaTest, AgreesWithTheReaderOnRealTemplates) {
  const char* const named = std::getenv("TASKER_CORPUS");
  const fs::path corpus = named != nullptr ? fs::path(named) : fs::path(TASKER_SOURCE_DIR) / "../shared/corpus";
  if (!fs::exists(corpus / "templates")) {
    GTEST_SKIP() << "no corpus at " << corpus << "; set TASKER_CORPUS to its folder to run this test";
  }
  ExpectAgreement(corpus / "templates");
}

constexpr std::string_view kHead = "name: pay\nnamespace_name: shop\nversion: 1.0.0\n";
constexpr std::string_view kSteps = "steps:\n  - {name: a, handler: {callable: A}}\n";

std::string WithHead(std::string_view rest) { return std::string(kHead) + std::string(rest); }
std::string WithSteps(std::string_view rest) { return WithHead(kSteps) + std::string(rest); }
std::string InStep(std::string_view rest) {
  return WithHead(
             "steps:\n  - {name: w, type: batch_worker, handler: {callable: W}}\n  - name: a\n    handler: "
             "{callable: A}\n    ") +
         std::string(rest);
}

struct Case {
  std::string name;
  std::string yaml;
};

class AcceptedTest : public ::testing::TestWithParam<Case> {};
TEST_P(AcceptedTest, ByTheReaderAndByTheSchema) {
  EXPECT_EQ(ReaderRefusal(GetParam().yaml), "");
  EXPECT_EQ(Refusal(GetParam().yaml), "");
}

INSTANTIATE_TEST_SUITE_P(
    TemplateSchemaTest, AcceptedTest,
    ::testing::Values(
        Case{"Minimal", WithSteps("")},
        Case{"NumbersAsNames",
             "name: 17\nnamespace_name: 2024\nversion: 1.0.0\nsteps:\n  - {name: 1, handler: "
             "{callable: 7}}\n  - {name: true, handler: {callable: B}, dependencies: [1]}\n"},
        Case{"TextOfAnyKind", WithSteps("description: 3.5\nmetadata: {author: true, tags: [1, 2.0, false, x]}\n")},
        Case{"NullForEveryOption", WithSteps("description:\nmetadata:\ntask_handler: ~\nsystem_dependencies:\n"
                                             "domain_events:\ninput_schema:\nlifecycle:\nenvironments:\n")},
        Case{"NullsOfASystem", WithSteps("system_dependencies: {primary: , secondary: }\n")},
        Case{"NullsOfAStep", InStep("description:\n    type:\n    system_dependency:\n    dependencies:\n    retry:\n"
                                    "    timeout_seconds:\n    publishes_events:\n    batch_config:\n"
                                    "    result_schema:\n    lifecycle:\n    composition:\n")},
        Case{"NullsOfRetry", InStep("retry: {retryable: , limit: , backoff: , backoff_base_ms: , max_backoff_ms: }\n")},
        Case{"NullsOfAHandler", WithSteps("task_handler: {callable: A, initialization: , method: , resolver: }\n")},
        Case{"NullsOfAnEnvironment",
             WithSteps("environments:\n  one:\n  two: {task_handler: , steps: }\n  three: {steps: [{name: a, handler: "
                       ", timeout_seconds: , retry: }]}\n  four: {task_handler: {initialization: }}\n")},
        Case{"Aliases", InStep("step_type: standard\n    depends_on: [w]\n    retry: {max_attempts: 5}\n")},
        Case{"EveryTypeAndBackoff",
             WithHead("steps:\n  - {name: a, type: batch_worker, handler: {callable: A}, retry: {backoff: none}}\n"
                      "  - {name: b, type: batchable, handler: {callable: A}, retry: {backoff: linear}}\n"
                      "  - {name: c, type: decision, depends_on: [a], handler: {callable: A}, retry: {backoff: "
                      "exponential}}\n  - {name: d, type: deferred_convergence, depends_on: [c], handler: {callable: "
                      "A}, retry: {backoff: fibonacci}}\n  - {name: e, type: standard, handler: {callable: A}}\n")},
        Case{"BatchConfig", InStep("type: batchable\n    batch_config: {batch_size: 10, parallelism: 2, cursor_field: "
                                   "id, worker_template: w, failure_strategy: continue_on_failure}\n")},
        Case{"EventsAsNamesAndMaps",
             InStep("publishes_events: [paid, 7, {name: sent, description: d, condition: c, schema: {type: object}, "
                    "delivery_mode: durable, publisher: P}]\n")},
        Case{"OwnKeysEverywhere",
             WithSteps("x-a: 1\nmetadata: {anything: [goes]}\nsystem_dependencies: {x-b: {c: []}}\ndomain_events: "
                       "[{name: e, x-c: 1}]\nenvironments: {dev: {x-d: 1, steps: [{name: a, x-e: 1, retry: {x-f: 1}, "
                       "handler: {x-g: 1}}]}}\ntask_handler: {callable: A, x-h: ~}\n")},
        Case{"BooleanSchemas", WithSteps("input_schema: true\ndomain_events: [{name: e, schema: false}]\n")},
        Case{"Bounds", InStep("timeout_seconds: 2592000\n    retry: {limit: 100, backoff_base_ms: 3600000, "
                              "max_backoff_ms: 0}\n")},
        Case{"Json", R"({"name":"pay","namespace_name":"shop","version":"1.0.0",)"
                     R"("steps":[{"name":"a","handler":{"callable":"A"}}]})"},
        Case{"MergeKeys", WithHead("x-base: &base {handler: {callable: A}, timeout_seconds: 5}\nsteps:\n"
                                   "  - {<<: *base, name: a}\n  - {<<: *base, name: b, timeout_seconds: 6}\n")},
        Case{"OverrideOfAllSteps", WithSteps("environments: {test: {steps: [{name: ALL, timeout_seconds: 10}]}}\n")}),
    [](const auto& tested) { return tested.param.name; });

class RefusedTest : public ::testing::TestWithParam<Case> {};
TEST_P(RefusedTest, ByTheReaderAndByTheSchema) {
  EXPECT_NE(ReaderRefusal(GetParam().yaml), "");
  EXPECT_NE(Refusal(GetParam().yaml), "");
}

INSTANTIATE_TEST_SUITE_P(
    TemplateSchemaTest, RefusedTest,
    ::testing::Values(
        Case{"Empty", "{}"}, Case{"List", "[]"}, Case{"NoSteps", WithHead("steps: []\n")},
        Case{"NullSteps", WithHead("steps:\n")}, Case{"NullName", "name:\nnamespace_name: a\nversion: 1.0.0\n"},
        Case{"ShortVersion", "name: a\nnamespace_name: b\nversion: 1.0\n" + std::string(kSteps)},
        Case{"LeadingZeroInVersion", "name: a\nnamespace_name: b\nversion: 01.0.0\n" + std::string(kSteps)},
        Case{"BadName", "name: a/b\nnamespace_name: b\nversion: 1.0.0\n" + std::string(kSteps)},
        Case{"ReservedStepName", WithHead("steps: [{name: ALL, handler: {callable: A}}]\n")},
        Case{"NoHandler", WithHead("steps: [{name: a}]\n")},
        Case{"NullHandler", WithHead("steps: [{name: a, handler: }]\n")},
        Case{"EmptyCallable", WithHead("steps: [{name: a, handler: {callable: ''}}]\n")},
        Case{"TextForAList", InStep("dependencies: w\n")}, Case{"NullInAList", InStep("dependencies: [~]\n")},
        Case{"ListForText", InStep("description: [a]\n")}, Case{"TextForAMap", InStep("retry: often\n")},
        Case{"UnknownType", InStep("type: looping\n")}, Case{"UnknownBackoff", InStep("retry: {backoff: quadratic}\n")},
        Case{"QuotedNumber", InStep("timeout_seconds: '5'\n")}, Case{"Fraction", InStep("timeout_seconds: 1.5\n")},
        Case{"LongTimeout", InStep("timeout_seconds: 2592001\n")}, Case{"ZeroTimeout", InStep("timeout_seconds: 0\n")},
        Case{"ManyRetries", InStep("retry: {limit: 101}\n")}, Case{"NegativeLimit", InStep("retry: {limit: -1}\n")},
        Case{"LongWait", InStep("retry: {max_backoff_ms: 3600001}\n")},
        Case{"TextForABoolean", InStep("retry: {retryable: 'yes'}\n")},
        Case{"BothSpellings", InStep("type: standard\n    step_type: standard\n")},
        Case{"BothDependencies", InStep("dependencies: [w]\n    depends_on: [w]\n")},
        Case{"BothLimits", InStep("retry: {limit: 1, max_attempts: 1}\n")},
        Case{"NullEvent", InStep("publishes_events: [~]\n")}, Case{"NamelessEvent", InStep("publishes_events: [{}]\n")},
        Case{"NamelessOverride", WithSteps("environments: {dev: {steps: [{timeout_seconds: 1}]}}\n")},
        Case{"TextForAnEnvironment", WithSteps("environments: {dev: fast}\n")},
        Case{"EmptyEnvironmentName", WithSteps("environments: {'': {}}\n")}),
    [](const auto& tested) { return tested.param.name; });

// A template with every block there is, each under its place.
constexpr std::string_view kFull = R"({
  "name": "pay", "namespace_name": "shop", "version": "1.0.0", "metadata": {}, "task_handler": {"callable": "A"},
  "system_dependencies": {"primary": "p"}, "domain_events": [{"name": "e"}],
  "steps": [
    {"name": "a", "handler": {"callable": "A"}, "retry": {}, "publishes_events": [{"name": "e"}], "batch_config": {}}],
  "environments": {"dev": {"task_handler": {}, "steps": [{"name": "a", "handler": {}, "retry": {}}]}}})";

TEST(TemplateSchemaTest, RefusesAnUnknownKeyInEveryBlockAndTakesOwnOnes) {
  ASSERT_EQ(ReaderRefusal(kFull), "");
  ASSERT_EQ(Refusal(kFull), "");
  for (const char* const pointer :
       {"", "/task_handler", "/system_dependencies", "/domain_events/0", "/steps/0", "/steps/0/handler",
        "/steps/0/retry", "/steps/0/publishes_events/0", "/steps/0/batch_config", "/environments/dev",
        "/environments/dev/task_handler", "/environments/dev/steps/0", "/environments/dev/steps/0/handler",
        "/environments/dev/steps/0/retry"}) {
    Json value = *base::ParseJson(kFull);
    boost::json::error_code error;
    base::JsonObject& block = value.find_pointer(pointer, error)->as_object();
    block["x-mine"] = 1;
    EXPECT_EQ(Refusal(base::CanonicalJson(value)), "") << pointer;
    block["mine"] = 1;
    EXPECT_NE(Refusal(base::CanonicalJson(value)), "") << pointer;
    EXPECT_NE(ReaderRefusal(base::CanonicalJson(value)), "") << pointer;
  }
}

// What the registry itself writes is a template, too: canonical JSON of everything accepted above.
TEST(TemplateSchemaTest, AcceptsCanonicalJson) {
  for (const fs::path& path : TemplatesIn(fs::path(TASKER_SOURCE_DIR) / "examples/templates")) {
    base::IssueList issues;
    const auto loaded = validate::LoadAndCheck(Slurp(path), {}, issues);
    ASSERT_TRUE(loaded) << path;
    EXPECT_EQ(Refusal(tmpl::CanonicalText(loaded->tmpl)), "") << path;
  }
}

}  // namespace
}  // namespace tasker::client
