// The table of docs/migration.md, row by row.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <string>
#include <vector>

#include "tests/legacy/support.h"

namespace tasker::legacy {
namespace {

using testing::Contains;
using testing::HasSubstr;

struct Expected {
  std::string pointer;  // into the converted template's canonical JSON
  std::string json;     // "" for: nothing there
};

struct RowCase {
  std::string name;
  std::string task = "";  // lines of the template beside its name, namespace and version
  std::string step = "";  // lines of its first step beside its name and class
  std::vector<Expected> expected = {};
  std::string notice = "";  // part of a notice; "": no notice and no loss
  std::string more_steps = "";
};

std::string Indented(const std::string& lines, const std::string& indent) {
  std::string out;
  for (size_t start = 0; start < lines.size();) {
    const size_t end = std::min(lines.find('\n', start), lines.size() - 1) + 1;
    out += indent + lines.substr(start, end - start);
    start = end;
  }
  if (!out.empty() && out.back() != '\n') out += '\n';
  return out;
}

std::string OldText(const RowCase& row) {
  return "name: t\nnamespace_name: n\nversion: 1.0.0\nstep_templates:\n  - name: one\n    handler_class: One\n" +
         Indented(row.step, "    ") + Indented(row.more_steps, "  ") + Indented(row.task, "");
}

class RowTest : public testing::TestWithParam<RowCase> {};

TEST_P(RowTest, BecomesWhatTheTableSays) {
  const RowCase& row = GetParam();
  const std::string old_text = OldText(row);
  const Conversion conversion = MustConvert(old_text);
  const base::Json json = CanonicalOf(conversion.yaml);
  for (const Expected& expected : row.expected) {
    boost::json::error_code failed;
    const base::Json* const found = json.find_pointer(expected.pointer, failed);
    if (expected.json.empty()) {
      EXPECT_EQ(found, nullptr) << expected.pointer << " is " << (found ? base::CanonicalJson(*found) : "");
    } else {
      ASSERT_NE(found, nullptr) << expected.pointer << "\n" << conversion.yaml;
      EXPECT_EQ(base::CanonicalJson(*found), base::CanonicalJson(boost::json::parse(expected.json)))
          << expected.pointer;
    }
  }
  std::vector<std::string> notices;
  for (const Note& note : conversion.notes) {
    EXPECT_GT(note.line, 0) << note.message;
    if (note.kind != NoteKind::kChange) notices.push_back(note.message);
  }
  if (row.notice.empty()) {
    EXPECT_THAT(notices, testing::IsEmpty());
  } else {
    EXPECT_THAT(notices, Contains(HasSubstr(row.notice)));
  }
  EXPECT_THAT(Vanished(old_text, conversion), testing::IsEmpty()) << conversion.yaml;
  EXPECT_TRUE(MustConvert(conversion.yaml).already_new) << conversion.yaml;
}

const char kLimits[] = R"({"retryable": true, "limit": 7, "backoff": "exponential", "backoff_base_ms": 1000,
                           "max_backoff_ms": 30000})";

INSTANTIATE_TEST_SUITE_P(
    Task, RowTest,
    testing::Values(
        RowCase{.name = "DescriptionStays", .task = "description: d", .expected = {{"/description", R"("d")"}}},
        RowCase{.name = "AbsentDescriptionStaysAbsent", .expected = {{"/description", ""}}},
        RowCase{.name = "TaskHandlerClass",
                .task = "task_handler_class: Pay::Handler",
                .expected = {{"/task_handler", R"({"callable": "Pay::Handler", "initialization": {}})"}}},
        RowCase{.name = "ClassName",
                .task = "class_name: Handler",
                .expected = {{"/task_handler/callable", R"("Handler")"}}},
        RowCase{.name = "ModuleNamespaceGoesInFront",
                .task = "module_namespace: Pay\ntask_handler_class: Handler",
                .expected = {{"/task_handler/callable", R"("Pay::Handler")"}, {"/module_namespace", ""}},
                .notice = "'module_namespace: Pay' is gone"},
        RowCase{.name = "ModuleNamespaceIsNotRepeated",
                .task = "module_namespace: Pay\ntask_handler_class: Pay::Handler",
                .expected = {{"/task_handler/callable", R"("Pay::Handler")"}},
                .notice = "'module_namespace: Pay' is gone"},
        RowCase{.name = "ModuleNamespaceIsNoMereTextPrefix",
                .task = "module_namespace: Pay\ntask_handler_class: PayHandler",
                .expected = {{"/task_handler/callable", R"("Pay::PayHandler")"}},
                .notice = "'module_namespace: Pay' is gone"},
        RowCase{.name = "ModuleNamespaceWithoutClassIsKept",
                .task = "module_namespace: Pay",
                .expected = {{"/metadata/legacy/module_namespace", R"("Pay")"}, {"/task_handler", ""}},
                .notice = "kept as metadata.legacy.module_namespace"},
        RowCase{.name = "StepClassesGetNoModule",
                .task = "module_namespace: Pay\ntask_handler_class: Handler",
                .expected = {{"/steps/0/handler/callable", R"("One")"}},
                .notice = "module_namespace"},
        RowCase{.name = "TaskHandlerConfig",
                .task = "task_handler_class: H\nhandler_config: {timeout: 300, nested: {a: [1, 2.5]}}",
                .expected = {{"/task_handler/initialization", R"({"timeout": 300, "nested": {"a": [1, 2.5]}})"}}},
        RowCase{.name = "TaskHandlerConfigWithoutClassIsKept",
                .task = "handler_config: {timeout: 300}",
                .expected = {{"/task_handler", ""}, {"/metadata/legacy/handler_config", R"({"timeout": 300})"}},
                .notice = "kept as metadata.legacy.handler_config"},
        RowCase{.name = "DefaultSystemIsPrimaryAndEachStepsOwn",
                .task = "default_dependent_system: gateway",
                .expected = {{"/system_dependencies", R"({"primary": "gateway", "secondary": []})"},
                             {"/steps/0/system_dependency", R"("gateway")"}}},
        RowCase{.name = "StepsSystemIsSecondary",
                .task = "default_dependent_system: gateway",
                .step = "dependent_system: fraud",
                .expected = {{"/system_dependencies", R"({"primary": "gateway", "secondary": ["fraud"]})"},
                             {"/steps/0/system_dependency", R"("fraud")"},
                             {"/steps/1/system_dependency", R"("gateway")"}},
                .more_steps = "- {name: two, handler_class: Two}"},
        RowCase{.name = "SecondarySystemsAreUniqueAndWithoutThePrimary",
                .task = "default_dependent_system: gateway",
                .step = "dependent_system: fraud",
                .expected = {{"/system_dependencies/secondary", R"(["fraud"])"}},
                .more_steps = "- {name: two, handler_class: Two, dependent_system: gateway}\n"
                              "- {name: three, handler_class: Three, dependent_system: fraud}"},
        RowCase{.name = "SystemsWithoutDefault",
                .step = "dependent_system: fraud",
                .expected = {{"/system_dependencies", R"({"primary": "default", "secondary": ["fraud"]})"}}},
        RowCase{.name = "Schema",
                .task = "schema: {type: object, required: [a]}",
                .expected = {{"/input_schema", R"({"type": "object", "required": ["a"]})"}, {"/schema", ""}}},
        RowCase{.name = "InputSchema",
                .task = "input_schema: {type: object}",
                .expected = {{"/input_schema", R"({"type": "object"})"}}},
        RowCase{.name = "CustomEvents",
                .task = "custom_events:\n  - {name: paid, description: d, schema: {type: object}}\n  - bare",
                .expected = {{"/domain_events", R"([{"name": "paid", "description": "d", "schema": {"type": "object"}},
                                                    {"name": "bare"}])"}}},
        RowCase{.name = "CustomEventsByName",
                .task = "custom_events:\n  paid: {description: d}",
                .expected = {{"/domain_events", R"([{"name": "paid", "description": "d"}])"}}},
        RowCase{.name = "AnEventsOtherKeysAreKept",
                .task = "custom_events: [{name: paid, topic: billing}]",
                .expected = {{"/domain_events", R"([{"name": "paid"}])"},
                             {"/metadata/legacy/custom_events/topic", R"("billing")"}},
                .notice = "kept as metadata.legacy.custom_events.topic"},
        RowCase{.name = "NamedStepsAreGone",
                .task = "named_steps: [one]",
                .expected = {{"/named_steps", ""}, {"/metadata", ""}},
                .notice = "'named_steps' is gone"},
        RowCase{.name = "NamedStepThatIsNoStep",
                .task = "named_steps: [one, ghost]",
                .expected = {{"/metadata", ""}},
                .notice = "'ghost' is among 'named_steps' and is no step"},
        RowCase{.name = "OtherSectionsAreKept",
                .task = "settings: {a: 1}\nmonitoring: [x]\nannotations: {team: t}\ndefault_context: {}\n"
                        "default_options: o\nconcurrent: true",
                .expected = {{"/metadata/legacy",
                              R"({"settings": {"a": 1}, "monitoring": ["x"], "annotations": {"team": "t"},
                                  "default_context": {}, "default_options": "o", "concurrent": true})"}},
                .notice = "kept as metadata.legacy.monitoring"},
        RowCase{.name = "MetadataStaysBesideLegacy",
                .task = "metadata: {author: a, tags: [x], legacy: mine}\nconcurrent: true",
                .expected = {{"/metadata", R"({"author": "a", "tags": ["x"], "legacy": "mine",
                                               "legacy_2": {"concurrent": true}})"}},
                .notice = "concurrent"},
        RowCase{.name = "OwnKeysStayWhereTheyAre",
                .task = "x-team: blue",
                .step = "x-owner: me",
                .expected = {{"/x-team", R"("blue")"}, {"/steps/0/x-owner", R"("me")"}}}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Step, RowTest,
    testing::Values(
        RowCase{.name = "HandlerClassAndConfig",
                .step = "handler_config: {url: 'http://x', deep: {a: null}}",
                .expected = {{"/steps/0/handler", R"({"callable": "One", "initialization":
                                                      {"url": "http://x", "deep": {"a": null}}})"}}},
        RowCase{.name = "DependsOnStep",
                .step = "depends_on_step: two",
                .expected = {{"/steps/0/dependencies", R"(["two"])"}},
                .more_steps = "- {name: two, handler_class: Two}"},
        RowCase{.name = "DependsOnStepName",
                .step = "depends_on_step_name: [two]",
                .expected = {{"/steps/0/dependencies", R"(["two"])"}},
                .more_steps = "- {name: two, handler_class: Two}"},
        RowCase{.name = "DependsOnSteps",
                .step = "depends_on_steps: [two, three]",
                .expected = {{"/steps/0/dependencies", R"(["two", "three"])"}}},
        RowCase{.name = "DependsOn",
                .step = "depends_on: [two, three]",
                .expected = {{"/steps/0/dependencies", R"(["two", "three"])"}}},
        RowCase{.name = "DependenciesSingleFirstThenListUnique",
                .step = "depends_on_steps: [two, three]\ndepends_on_step: three",
                .expected = {{"/steps/0/dependencies", R"(["three", "two"])"}}},
        RowCase{.name = "DependenciesOfNoName",
                .step = "depends_on_step: {two: x}",
                .expected = {{"/steps/0/dependencies", "[]"},
                             {"/metadata/legacy/steps/one/depends_on_step", R"({"two": "x"})"}},
                .notice = "is neither a step's name nor a list of names"},
        RowCase{
            .name = "DefaultRetryLimit", .step = "default_retry_limit: 7", .expected = {{"/steps/0/retry", kLimits}}},
        RowCase{.name = "RetryLimit", .step = "retry_limit: 7", .expected = {{"/steps/0/retry", kLimits}}},
        RowCase{.name = "MaxRetries", .step = "max_retries: 7", .expected = {{"/steps/0/retry", kLimits}}},
        RowCase{.name = "RetryableFalseStaysFalse",
                .step = "default_retryable: false",
                .expected = {{"/steps/0/retry/retryable", "false"}, {"/steps/0/retry/limit", "3"}}},
        RowCase{.name = "RetryableInShort",
                .step = "retryable: false",
                .expected = {{"/steps/0/retry/retryable", "false"}}},
        RowCase{.name = "RetryLimitZeroStaysZero",
                .step = "default_retry_limit: 0",
                .expected = {{"/steps/0/retry/limit", "0"}}},
        RowCase{.name = "BooleansOfYaml11",
                .step = "default_retryable: no",
                .expected = {{"/steps/0/retry/retryable", "false"}}},
        RowCase{
            .name = "NumbersInQuotes", .step = "default_retry_limit: '7'", .expected = {{"/steps/0/retry/limit", "7"}}},
        RowCase{.name = "RetryableOfAnotherKind",
                .step = "default_retryable: maybe",
                .expected = {{"/steps/0/retry/retryable", "true"},
                             {"/metadata/legacy/steps/one/default_retryable", R"("maybe")"}},
                .notice = "is neither true nor false"},
        RowCase{.name = "NegativeLimit",
                .step = "default_retry_limit: -1",
                .expected = {{"/steps/0/retry/limit", "3"}, {"/metadata/legacy/steps/one/default_retry_limit", "-1"}},
                .notice = "is not a whole number of at least 0"},
        RowCase{.name = "BackoffStrategyName",
                .step = "retry_backoff: linear",
                .expected = {{"/steps/0/retry/backoff", R"("linear")"}, {"/steps/0/retry/limit", "3"}}},
        RowCase{.name = "BackoffStrategyUnknown",
                .step = "retry_backoff: jittered",
                .expected = {{"/metadata/legacy/steps/one/retry_backoff", R"("jittered")"}},
                .notice = "is not none, linear, exponential or fibonacci"},
        RowCase{.name = "BackoffMap",
                .step = "retry_backoff: {initial_delay: 2, max_delay: 60, multiplier: 2}",
                .expected = {{"/steps/0/retry", R"({"retryable": true, "limit": 3, "backoff": "exponential",
                                                    "backoff_base_ms": 2000, "max_backoff_ms": 60000})"}}},
        RowCase{.name = "BackoffMapOfFractions",
                .step = "retry_backoff: {initial_delay: 0.25}",
                .expected = {{"/steps/0/retry/backoff_base_ms", "250"}, {"/steps/0/retry/max_backoff_ms", ""}}},
        RowCase{.name = "BackoffJitterHasNoPlace",
                .step = "retry_backoff: {initial_delay: 1, jitter: 0.1}",
                .expected = {{"/metadata/legacy/steps/one/retry_backoff/jitter", "0.1"}},
                .notice = "'jitter' has no place in the new format"},
        RowCase{.name = "BackoffMultiplierThatDoesNotDouble",
                .step = "retry_backoff: {multiplier: 1.5}",
                .expected = {{"/steps/0/retry/backoff", R"("exponential")"},
                             {"/metadata/legacy/steps/one/retry_backoff/multiplier", "1.5"}},
                .notice = "exponential backoff doubles"},
        RowCase{.name = "RetryBlock",
                .step = "retry: {max_attempts: 4, backoff_strategy: linear, backoff_base_seconds: 5}",
                .expected = {{"/steps/0/retry", R"({"retryable": true, "limit": 4, "backoff": "linear",
                                                    "backoff_base_ms": 5000})"}}},
        RowCase{.name = "RetryBlockAndFlatKeys",
                .step = "retry: {limit: 4}\ndefault_retryable: false\nretry_limit: 9",
                .expected = {{"/steps/0/retry/limit", "4"},
                             {"/steps/0/retry/retryable", "false"},
                             {"/metadata/legacy/steps/one/retry_limit", "9"}},
                .notice = "'retry_limit' has no place"},
        RowCase{.name = "NoRetryKeysNoRetryBlock",
                .expected = {{"/steps/0/retry", R"({"retryable": true, "limit": 3, "backoff": "exponential",
                                                    "backoff_base_ms": 1000, "max_backoff_ms": 30000})"}}},
        RowCase{
            .name = "TimeoutSeconds", .step = "timeout_seconds: 30", .expected = {{"/steps/0/timeout_seconds", "30"}}},
        RowCase{.name = "TimeoutOfSeconds", .step = "timeout: 999", .expected = {{"/steps/0/timeout_seconds", "999"}}},
        RowCase{.name = "TimeoutOfMilliseconds",
                .step = "timeout: 1500",
                .expected = {{"/steps/0/timeout_seconds", "2"}},
                .notice = "'timeout: 1500' was read as milliseconds"},
        RowCase{.name = "TimeoutOfZero",
                .step = "timeout_seconds: 0",
                .expected = {{"/steps/0/timeout_seconds", ""}, {"/metadata/legacy/steps/one/timeout_seconds", "0"}},
                .notice = "is not between 1 second and 30 days"},
        RowCase{.name = "BothTimeouts",
                .step = "timeout: 5\ntimeout_seconds: 30",
                .expected = {{"/steps/0/timeout_seconds", "30"}, {"/metadata/legacy/steps/one/timeout", "5"}},
                .notice = "'timeout' has no place"},
        RowCase{.name = "SkippableIsGone",
                .step = "skippable: true",
                .expected = {{"/steps/0/skippable", ""}, {"/metadata", ""}},
                .notice = "'skippable: true' is gone"},
        RowCase{.name = "CustomEventsOfAStep",
                .task = "custom_events: [{name: paid}]",
                .step = "custom_events: [{name: sent, description: d}, {name: paid}]",
                .expected = {{"/steps/0/publishes_events", R"(["sent", "paid"])"},
                             {"/domain_events", R"([{"name": "paid"}, {"name": "sent", "description": "d"}])"}}},
        RowCase{.name = "AnEventThatTheTaskDescribesOtherwise",
                .task = "custom_events: [{name: paid, description: ours}]",
                .step = "custom_events: [{name: paid, description: mine}]",
                .expected = {{"/steps/0/publishes_events", R"([{"name": "paid", "description": "mine"}])"},
                             {"/domain_events", R"([{"name": "paid", "description": "ours"}])"}}},
        RowCase{.name = "OtherKeysAreKept",
                .step = "inputs: [a]",
                .expected = {{"/metadata/legacy/steps/one/inputs", R"(["a"])"}},
                .notice = "kept as metadata.legacy.steps.one.inputs"},
        RowCase{.name = "NewKeysStay",
                .step = "type: batchable\nbatch_config: {batch_size: 5}\nresult_schema: {}\nlifecycle: {a: 1}\n"
                        "publishes_events: [e, {name: f, condition: always}]",
                .expected = {{"/steps/0/type", R"("batchable")"},
                             {"/steps/0/batch_config", R"({"batch_size": 5})"},
                             {"/steps/0/result_schema", "{}"},
                             {"/steps/0/lifecycle", R"({"a": 1})"},
                             {"/steps/0/publishes_events", R"(["e", {"name": "f", "condition": "always"}])"}}},
        RowCase{.name = "NamesThatAReferenceCannotHold",
                .step = "depends_on_step: two words",
                .expected = {{"/steps/0/dependencies", R"(["two_words"])"}, {"/steps/1/name", R"("two_words")"}},
                .notice = "'two words' cannot be a name here and has become 'two_words'",
                .more_steps = "- {name: two words, handler_class: Two}"}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Environment, RowTest,
    testing::Values(
        RowCase{.name = "StepTemplates",
                .task = "environments:\n  test:\n    step_templates:\n"
                        "      - {name: one, handler_config: {url: x}, timeout_seconds: 5}",
                .expected = {{"/environments/test/steps", R"([{"name": "one", "timeout_seconds": 5,
                                                               "handler": {"initialization": {"url": "x"}}}])"}}},
        RowCase{.name = "StepTemplatesByName",
                .task = "environments: {test: {step_templates: {one: {handler_config: {url: x}}}}}",
                .expected = {{"/environments/test/steps", R"([{"name": "one",
                                                               "handler": {"initialization": {"url": "x"}}}])"}}},
        RowCase{.name = "StepOverrides",
                .task = "environments: {test: {step_overrides: {one: {handler_config: {url: x}}}}}",
                .expected = {{"/environments/test/steps", R"([{"name": "one",
                                                               "handler": {"initialization": {"url": "x"}}}])"}}},
        RowCase{.name = "RetryOverrideIsWrittenOutWhole",
                .task = "environments: {test: {step_overrides: {one: {retry_limit: 1}}}}",
                .step = "default_retryable: false\ndefault_retry_limit: 9\nretry_backoff: linear",
                .expected = {{"/environments/test/steps/0/retry",
                              R"({"retryable": false, "limit": 1, "backoff": "linear", "backoff_base_ms": 1000,
                                  "max_backoff_ms": 30000})"}},
                .notice = "'retry' is written out whole"},
        RowCase{
            .name = "NestedMapIsWrittenOutMerged",
            .task = "environments: {test: {step_templates: [{name: one, handler_config: {params: {debug: true}}}]}}",
            .step = "handler_config: {url: x, params: {id: 1, deep: {a: 1}}}",
            .expected = {{"/environments/test/steps/0/handler/initialization",
                          R"({"params": {"id": 1, "deep": {"a": 1}, "debug": true}})"}},
            .notice = "'params' is written out with what the base has in it"},
        RowCase{.name = "NestedMapWithAllOfTheBaseNeedsNoNotice",
                .task = "environments: {test: {step_templates: [{name: one, handler_config: {params: {id: 2}}}]}}",
                .step = "handler_config: {params: {id: 1}}",
                .expected = {{"/environments/test/steps/0/handler/initialization", R"({"params": {"id": 2}})"}}},
        RowCase{.name = "ListsAreReplaced",
                .task = "environments: {test: {step_templates: [{name: one, handler_config: {rules: [b]}}]}}",
                .step = "handler_config: {rules: [a]}",
                .expected = {{"/environments/test/steps/0/handler/initialization", R"({"rules": ["b"]})"}}},
        RowCase{
            .name = "OverridesOfOneStepAddUp",
            .task = "environments:\n  test:\n    step_templates: [{name: one, handler_config: {p: {b: 2}}}]\n"
                    "    step_overrides: {one: {handler_config: {p: {c: 3}}}}",
            .step = "handler_config: {p: {a: 1}}",
            .expected = {{"/environments/test/steps/1/handler/initialization", R"({"p": {"a": 1, "b": 2, "c": 3}})"}},
            .notice = "written out"},
        RowCase{.name = "TaskConfigIsKept",
                .task = "environments: {test: {task_config: {a: 1}}}",
                .expected = {{"/metadata/legacy/environments/test/task_config", R"({"a": 1})"},
                             {"/environments/test", R"({"steps": []})"}},
                .notice = "kept as metadata.legacy.environments.test.task_config"},
        RowCase{.name = "HandlerConfigOfTheTask",
                .task = "task_handler_class: H\nhandler_config: {m: {a: 1}}\n"
                        "environments: {test: {handler_config: {m: {b: 2}}}}",
                .expected = {{"/environments/test/task_handler/initialization", R"({"m": {"a": 1, "b": 2}})"}},
                .notice = "'m' is written out"},
        RowCase{.name = "OverrideOfNoStep",
                .task = "environments: {test: {step_overrides: {ghost: {retry_limit: 1}}}}",
                .expected = {{"/environments/test/steps/0/name", R"("ghost")"}},
                .notice = "'ghost' is overridden and is no step"},
        RowCase{.name = "OtherKeysOfAnOverrideAreKept",
                .task = "environments: {test: {step_templates: [{name: one, handler_class: Other}]}}",
                .expected = {{"/metadata/legacy/environments/test/steps/one/handler_class", R"("Other")"}},
                .notice = "kept as metadata.legacy.environments.test.steps.one.handler_class"},
        RowCase{.name = "TwoOverridesKeepBothOfTheirOtherKeys",
                .task = "environments: {test: {step_templates: [{name: one, z: 1}, {name: one, z: 2}]}}",
                .expected = {{"/metadata/legacy/environments/test/steps/one", R"({"z": 1, "z_2": 2})"}},
                .notice = "kept as metadata.legacy.environments.test.steps.one.z_2"},
        RowCase{.name = "EmptyEnvironmentStays",
                .task = "environments: {test: }",
                .expected = {{"/environments/test", R"({"steps": []})"}}}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Symbols, RowTest,
    testing::Values(RowCase{.name = "Keys",
                            .task = ":description: d\n:environments:\n  :test:\n    :step_overrides:\n"
                                    "      :one:\n        :handler_config:\n          :a: 1",
                            .step = ":handler_config:\n  :timeout: 5\n  plain:\n    :deep: 6",
                            .expected = {{"/description", R"("d")"},
                                         {"/steps/0/handler/initialization", R"({"timeout": 5, "plain": {"deep": 6}})"},
                                         {"/environments/test/steps/0/handler/initialization", R"({"a": 1})"}}},
                    RowCase{
                        .name = "Values",
                        .step = "retry_backoff: :linear\nhandler_config:\n  mode: :strict\n  said: ':quoted'",
                        .expected = {{"/steps/0/retry/backoff", R"("linear")"},
                                     {"/steps/0/handler/initialization", R"({"mode": "strict", "said": ":quoted"})"}}},
                    RowCase{.name = "AbsoluteClassesAreNone",
                            .task = "module_namespace: Pay\ntask_handler_class: ::Pay::Handler",
                            .expected = {{"/task_handler/callable", R"("::Pay::Handler")"}},
                            .notice = "module_namespace"}),
    [](const auto& test) { return test.param.name; });

struct IdentityCase {
  std::string name;
  std::string head;
  std::string canonical_name;
  std::string namespace_name;
  std::string version;
  std::string notice;
};

class IdentityTest : public testing::TestWithParam<IdentityCase> {};

TEST_P(IdentityTest, IsTakenOrMadeUpWithANotice) {
  const Conversion conversion =
      MustConvert(GetParam().head + "\nstep_templates: [{name: one, handler_class: One}]\n", "given");
  const base::Json json = CanonicalOf(conversion.yaml);
  EXPECT_EQ(json.at("name").as_string(), GetParam().canonical_name);
  EXPECT_EQ(json.at("namespace_name").as_string(), GetParam().namespace_name);
  EXPECT_EQ(json.at("version").as_string(), GetParam().version);
  std::string notices;
  for (const Note& note : conversion.notes) {
    if (note.kind == NoteKind::kNotice) notices += note.message + "\n";
  }
  EXPECT_EQ(notices, GetParam().notice.empty() ? "" : GetParam().notice + "\n");
}

INSTANTIATE_TEST_SUITE_P(
    All, IdentityTest,
    testing::Values(IdentityCase{"Names", "name: a-b.c\nnamespace_name: n\nversion: 1.2.3", "a-b.c", "n", "1.2.3", ""},
                    IdentityCase{"OldNames", "task_name: a\nnamespace: n\nversion: 1.2.3", "a", "n", "1.2.3", ""},
                    IdentityCase{"Slash", "name: api/task\nnamespace: n\nversion: 1.2.3", "api_task", "n", "1.2.3",
                                 "name 'api/task' cannot stand in a reference and has become 'api_task'"},
                    IdentityCase{"NoNamespace", "name: a\nversion: 1.2.3", "a", "given", "1.2.3",
                                 "the template named no namespace and got 'given'"},
                    IdentityCase{"NoVersion", "name: a\nnamespace: n", "a", "n", "1.0.0",
                                 "the template had no version and got 1.0.0"},
                    IdentityCase{"ShortVersion", "name: a\nnamespace: n\nversion: 1.0", "a", "n", "1.0.0",
                                 "version '1.0' has become '1.0.0'"},
                    IdentityCase{"LetteredVersion", "name: a\nnamespace: n\nversion: v2.1.0", "a", "n", "2.1.0",
                                 "version 'v2.1.0' has become '2.1.0'"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace tasker::legacy
