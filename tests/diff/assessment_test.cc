#include "lib/diff/assessment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/diff/templates.h"

namespace tasker::diff {
namespace {

struct Case {
  const char* name;
  std::string old_body;
  std::string new_body;
  std::vector<std::string> codes;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

std::string Step(const std::string& more) { return "steps: [{name: a, handler: {callable: A}" + more + "}]\n"; }
std::string Event(const std::string& schema) {
  return "domain_events: [{name: e, schema: " + schema + "}]\n" + Step("");
}
std::string Input(const std::string& schema) { return "input_schema: " + schema + "\n" + Step(""); }
std::string Published(const std::string& events) { return Step(", publishes_events: [" + events + "]"); }
std::string Result(const std::string& schema) { return Step(", result_schema: " + schema); }
std::string Chain(const std::string& last) {
  return "steps: [{name: a, handler: {callable: A}}, {name: b, handler: {callable: B}, dependencies: [a]}, "
         "{name: c, handler: {callable: C}, dependencies: [" +
         last + "]}]\n";
}

const std::vector<Case>& Cases() {
  static const auto* const cases = new std::vector<Case>{
      {"InputNarrowed", Input("{type: object}"), Input("{type: object, required: [x]}"), {"INPUT_SCHEMA_NARROWED"}},
      {"InputAppears", Step(""), Input("{type: object}"), {"INPUT_SCHEMA_NARROWED"}},
      {"InputUndecided", Input("{pattern: '^a{2}$'}"), Input("{pattern: '^a{2,3}$'}"), {"INPUT_SCHEMA_UNDECIDED"}},
      {"InputWidened", Input("{type: object, required: [x]}"), Input("{type: object}"), {"INPUT_SCHEMA_WIDENED"}},
      {"InputDisappears", Input("{type: object}"), Step(""), {"INPUT_SCHEMA_WIDENED"}},
      {"InputEquivalent",
       Input("{type: object, title: x}"),
       Input("{type: [object], title: y}"),
       {"INPUT_SCHEMA_EQUIVALENT", "INPUT_SCHEMA_EQUIVALENT"}},
      {"InputReordered", Input("{required: [x, y]}"), Input("{required: [y, x]}"), {"INPUT_SCHEMA_EQUIVALENT"}},
      {"EventWidened", Event("{type: object, required: [x]}"), Event("{type: object}"), {"EVENT_SCHEMA_WIDENED"}},
      {"EventNarrowed", Event("{type: object}"), Event("{type: object, required: [x]}"), {"EVENT_SCHEMA_NARROWED"}},
      {"EventUndecided", Event("{pattern: '^a{2,3}$'}"), Event("{pattern: '^a{2}$'}"), {"EVENT_SCHEMA_UNDECIDED"}},
      {"EventEquivalent", Event("{type: object, title: x}"), Event("{type: object}"), {"EVENT_SCHEMA_EQUIVALENT"}},
      {"EventSchemaDropped",
       Event("{type: object}"),
       "domain_events: [{name: e}]\n" + Step(""),
       {"EVENT_SCHEMA_WIDENED"}},
      {"EventMovedAndChanged",
       "domain_events: [{name: e, schema: {type: object}}, {name: f}]\n" + Step(""),
       "domain_events: [{name: f}, {name: e, schema: {type: [object, 'null']}}]\n" + Step(""),
       {"EVENT_SCHEMA_WIDENED", "ORDER_CHANGED"}},
      {"EventAdded", Step(""), "domain_events: [{name: e}]\n" + Step(""), {"EVENT_ADDED"}},
      {"EventRemoved", "domain_events: [{name: e}]\n" + Step(""), Step(""), {"EVENT_REMOVED"}},
      {"PublishedSchemaWidened",
       Published("{name: e, schema: {type: object}}"),
       Published("e"),
       {"EVENT_SCHEMA_WIDENED"}},
      {"NoLongerPublished", Published("e"), Published(""), {"EVENT_NO_LONGER_PUBLISHED"}},
      {"NewlyPublished", Published("e"), Published("e, f"), {"EVENT_NEWLY_PUBLISHED"}},
      {"PublisherChanged",
       "steps: [{name: a, handler: {callable: A}, publishes_events: [e]}, {name: b, handler: {callable: B}}]\n",
       "steps: [{name: a, handler: {callable: A}}, {name: b, handler: {callable: B}, publishes_events: [e]}]\n",
       {"EVENT_PUBLISHER_CHANGED", "EVENT_PUBLISHER_CHANGED"}},
      {"DeliveryChanged",
       Published("{name: e, condition: success}"),
       Published("{name: e, condition: always}"),
       {"EVENT_DELIVERY_CHANGED"}},
      {"ResultWidened", Result("{type: integer}"), Result("{type: number}"), {"RESULT_SCHEMA_WIDENED"}},
      {"ResultUndecided", Result("{pattern: '^a{2,3}$'}"), Result("{pattern: '^a{2}$'}"), {"RESULT_SCHEMA_UNDECIDED"}},
      {"ResultNarrowed", Result("{type: number}"), Result("{type: integer}"), {"RESULT_SCHEMA_NARROWED"}},
      {"ResultEquivalent",
       Result("{type: number}"),
       Result("{type: number, minLength: 3}"),
       {"RESULT_SCHEMA_EQUIVALENT"}},
      {"StepAdded",
       Step(""),
       "steps: [{name: a, handler: {callable: A}}, {name: b, handler: {callable: A}}]\n",
       {"STEP_ADDED"}},
      {"StepRemoved",
       "steps: [{name: a, handler: {callable: A}}, {name: b, handler: {callable: A}}]\n",
       Step(""),
       {"STEP_REMOVED"}},
      {"StepRenamed", Step(""), "steps: [{name: b, handler: {callable: A}}]\n", {"STEP_RENAMED"}},
      {"StepsReordered",
       "steps: [{name: a, handler: {callable: A}}, {name: b, handler: {callable: A}}]\n",
       "steps: [{name: b, handler: {callable: A}}, {name: a, handler: {callable: A}}]\n",
       {"ORDER_CHANGED"}},
      {"StepType", Step(""), Step(", type: batchable"), {"STEP_TYPE_CHANGED"}},
      {"StepTypeSpelledOut", Step(""), Step(", type: standard"), {"DOCUMENTATION_CHANGED"}},
      {"Callable", Step(""), "steps: [{name: a, handler: {callable: B}}]\n", {"CALLABLE_CHANGED"}},
      {"Method", Step(""), "steps: [{name: a, handler: {callable: A, method: run}}]\n", {"CALLABLE_CHANGED"}},
      {"TaskHandler", Step(""), "task_handler: {callable: T}\n" + Step(""), {"CALLABLE_CHANGED"}},
      {"Initialization",
       Step(""),
       "steps: [{name: a, handler: {callable: A, initialization: {x: 1}}}]\n",
       {"INITIALIZATION_CHANGED"}},
      {"DependencyRemoved", Chain("b"), Chain(""), {"DEPENDENCY_REMOVED"}},
      {"DependencyAdded", Chain(""), Chain("b"), {"DEPENDENCY_ADDED"}},
      {"DependencyImpliedNow", Chain("a, b"), Chain("b"), {"DEPENDENCY_IMPLIED"}},
      {"DependencyImpliedBefore", Chain("b"), Chain("b, a"), {"DEPENDENCY_IMPLIED"}},
      {"System", Step(", system_dependency: x"), Step(", system_dependency: y"), {"SYSTEM_CHANGED"}},
      {"SecondarySystem", Step(""), "system_dependencies: {secondary: [x]}\n" + Step(""), {"SYSTEM_CHANGED"}},
      {"RetryLimit",
       Step(""),
       Step(", retry: {limit: 5, backoff_base_ms: 1000, max_backoff_ms: 30000}"),
       {"RETRY_CHANGED"}},
      {"RetryEnabled", Step(", retry: {retryable: false}"), Step(", retry: {retryable: true}"), {"RETRY_ENABLED"}},
      {"RetryDisabled", Step(", retry: {retryable: true}"), Step(", retry: {retryable: false}"), {"RETRY_CHANGED"}},
      {"Timeout", Step(""), Step(", timeout_seconds: 5"), {"TIMEOUT_CHANGED"}},
      {"Batch", Step(", batch_config: {batch_size: 1}"), Step(", batch_config: {batch_size: 2}"), {"BATCH_CHANGED"}},
      {"Lifecycle", Step(", lifecycle: {x: 1}"), Step(", lifecycle: {x: 2}"), {"LIFECYCLE_CHANGED"}},
      {"EnvironmentRemoved", "environments: {test: {}}\n" + Step(""), Step(""), {"ENVIRONMENT_REMOVED"}},
      {"EnvironmentAdded", Step(""), "environments: {test: {}}\n" + Step(""), {"ENVIRONMENT_CHANGED"}},
      {"EnvironmentOverride",
       "environments: {test: {steps: [{name: a, retry: {retryable: false}}]}}\n" + Step(""),
       "environments: {test: {steps: [{name: a, retry: {retryable: true}}]}}\n" + Step(""),
       {"ENVIRONMENT_CHANGED"}},
      {"Documentation",
       "description: x\nmetadata: {tags: [p, q]}\n" + Step(""),
       "description: y\nmetadata: {tags: [q, p]}\n" + Step(", description: z"),
       {"DOCUMENTATION_CHANGED", "DOCUMENTATION_CHANGED", "DOCUMENTATION_CHANGED"}},
      {"Extension", "x-a: 1\n" + Step(""), "x-a: 2\n" + Step(""), {"EXTENSION_CHANGED"}},
      {"GravestFirst",
       "description: x\n" + Step(""),
       "description: y\nsteps: [{name: a, handler: {callable: B}}]\n",
       {"CALLABLE_CHANGED", "DOCUMENTATION_CHANGED"}},
      {"Same", Step(""), Step(""), {}},
  };
  return *cases;
}

std::vector<std::string> Codes(const Assessment& assessment) {
  std::vector<std::string> codes;
  for (const AssessedChange& change : assessment.changes) codes.emplace_back(change.info->code);
  return codes;
}

class AssessmentTableTest : public testing::TestWithParam<Case> {};

TEST_P(AssessmentTableTest, GivesEachChangeItsClass) {
  const Assessment assessment = Assess(Template(GetParam().old_body), Template(GetParam().new_body));
  EXPECT_EQ(Codes(assessment), GetParam().codes);
  Bump most = Bump::kNone;
  for (const AssessedChange& change : assessment.changes) most = std::max(most, change.info->bump);
  EXPECT_EQ(assessment.bump, most);
}

INSTANTIATE_TEST_SUITE_P(All, AssessmentTableTest, testing::ValuesIn(Cases()),
                         [](const auto& c) { return c.param.name; });

TEST(AssessTest, HasACaseForEveryClass) {
  std::set<std::string_view> missing;
  for (const ClassInfo& info : ChangeClasses()) missing.insert(info.code);
  for (const Case& c : Cases()) {
    for (const std::string& code : c.codes) missing.erase(code);
  }
  EXPECT_THAT(missing, testing::ElementsAre("IDENTITY_CHANGED", "VERSION_CHANGED"));  // below
}

TEST(AssessTest, TakesAnotherNameForAnotherTemplate) {
  const auto other = Template(Step(""), "name: other\nnamespace_name: n\nversion: 1.0.0\n");
  EXPECT_THAT(Codes(Assess(Template(Step("")), other)), testing::ElementsAre("IDENTITY_CHANGED"));
}

TEST(AssessTest, AsksForNothingWhereOnlyTheVersionDiffers) {
  const auto other = Template(Step(""), "name: t\nnamespace_name: n\nversion: 1.1.0\n");
  const Assessment assessment = Assess(Template(Step("")), other);
  EXPECT_THAT(Codes(assessment), testing::ElementsAre("VERSION_CHANGED"));
  EXPECT_EQ(assessment.bump, Bump::kNone);
}

TEST(AssessTest, ShowsAnInputThatIsRefusedNow) {
  const Assessment assessment = Assess(Template(Input("{type: object, properties: {n: {type: number}}}")),
                                       Template(Input("{type: object, properties: {n: {type: integer}}}")));
  ASSERT_EQ(assessment.changes.size(), 1u);
  EXPECT_EQ(base::CanonicalJson(assessment.changes[0].counterexample.value()), R"({"n":0.5})");
  EXPECT_THAT(assessment.changes[0].reason, testing::StartsWith("/n: "));
}

TEST(AssessTest, ExplainsASchemaOnce) {
  const Assessment assessment =
      Assess(Template(Input("{type: object, minProperties: 1}")), Template(Input("{type: array, minProperties: 2}")));
  ASSERT_EQ(assessment.changes.size(), 2u);
  EXPECT_NE(assessment.changes[0].reason, "");
  EXPECT_EQ(assessment.changes[1].reason, "");
}

TEST(AssessTest, JudgesEnvironmentsByWhatAWorkerNotices) {
  const auto tmpl = Template("environments: {test: {steps: [{name: a, retry: {retryable: true}}]}}\n" +
                             Step(", retry: {retryable: false}"));
  const Assessment assessment =
      AssessResolved(ResolveForEnvironment(tmpl, "production"), ResolveForEnvironment(tmpl, "test"));
  EXPECT_THAT(Codes(assessment), testing::ElementsAre("RETRY_ENABLED"));
}

TEST(AssessTest, EndsSoonForManyChangedDependencies) {
  std::string old_body = "steps:\n", new_body = "steps:\n";
  for (int i = 0; i < 3000; ++i) {
    const std::string head = "  - {name: s" + std::to_string(i) + ", handler: {callable: A}, dependencies: [";
    const std::string previous = i > 0 ? "s" + std::to_string(i - 1) : "";
    old_body += head + previous + (i > 1 ? ", s0" : "") + "]}\n";
    new_body += head + previous + "]}\n";
  }
  EXPECT_EQ(Assess(Template(old_body), Template(new_body)).changes.size(), 2998u);
}

}  // namespace
}  // namespace tasker::diff
