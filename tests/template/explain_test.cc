#include "lib/template/explain.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "lib/template/canonical.h"
#include "lib/template/load.h"
#include "lib/template/resolve.h"

namespace tasker::tmpl {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

LoadedTemplate Load(const std::string& yaml) {
  base::IssueList issues;
  LoadOptions options;
  options.keep_unknown_keys = true;
  auto loaded = LoadTemplate(yaml, options, issues);
  EXPECT_FALSE(issues.has_errors()) << yaml;
  return std::move(*loaded);
}

std::string Text(const ExplainedValue& value) {
  const std::string place = value.position.known() ? fmt::format(" line {}", value.position.line) : "";
  return fmt::format("{} ({}{})", value.value ? base::CanonicalJson(*value.value) : "absent",
                     ValueLayerName(value.layer), place);
}

// What overrides touched, as "path: value (layer line N) <- what it replaced <- …".
std::vector<std::string> Touched(const std::string& yaml, std::string_view environment) {
  const LoadedTemplate loaded = Load(yaml);
  std::vector<std::string> out;
  for (const ExplainedField& field : ExplainResolution(loaded.tmpl, loaded.document, environment).fields) {
    const bool is_base = field.current.layer == ValueLayer::kBase || field.current.layer == ValueLayer::kDefault;
    if (field.replaced.empty() && is_base) continue;
    std::string text = field.path + ": " + Text(field.current);
    for (const ExplainedValue& value : field.replaced) text += " <- " + Text(value);
    out.push_back(text);
  }
  return out;
}

// Puts the fields together again. Lists are where the model has lists of fields.
base::Json Assembled(const Explanation& explanation) {
  base::Json root = base::JsonObject();
  for (const ExplainedField& field : explanation.fields) {
    if (!field.current.value) continue;
    base::Json* at = &root;
    const std::vector<std::string> tokens = base::JsonPointerTokens(field.path);
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (at->is_array()) {
        base::JsonArray& array = at->get_array();
        const size_t index = std::stoul(tokens[i]);
        EXPECT_LE(index, array.size()) << field.path;
        if (index == array.size()) array.emplace_back(nullptr);
        at = &array[index];
      } else {
        at = &at->get_object()[tokens[i]];
      }
      if (i + 1 == tokens.size() || !at->is_null()) continue;
      const bool is_list = tokens[i] == "steps" || tokens[i] == "domain_events" || tokens[i] == "publishes_events";
      *at = is_list ? base::Json(base::JsonArray()) : base::Json(base::JsonObject());
    }
    *at = *field.current.value;
  }
  return root;
}

void ExpectAgreement(const LoadedTemplate& loaded, std::string_view environment) {
  const Explanation explanation = ExplainResolution(loaded.tmpl, loaded.document, environment);
  const ResolvedTaskTemplate resolved = ResolveForEnvironment(loaded.tmpl, environment);
  EXPECT_EQ(explanation.environment_defined, resolved.environment_defined);
  EXPECT_EQ(base::CanonicalJson(Assembled(explanation)), CanonicalText(resolved.tmpl)) << environment;
}

constexpr std::string_view kBase =
    "name: t\nnamespace_name: n\nversion: 1.0.0\n"                           // lines 1 to 3
    "steps:\n"                                                               // 4
    "  - name: a\n"                                                          // 5
    "    timeout_seconds: 30\n"                                              // 6
    "    retry: {retryable: false, max_attempts: 5, backoff_base_ms: 20}\n"  // 7
    "    handler:\n"                                                         // 8
    "      callable: A\n"                                                    // 9
    "      initialization: {x: 1, flags: {p: 1, q: 2}}\n"                    // 10
    "  - {name: b, handler: {callable: B}}\n"                                // 11
    "environments:\n"                                                        // 12
    "  test:\n";                                                             // 13; overrides begin in line 14

struct ResolutionCase {
  const char* name;
  const char* overrides;
  std::vector<std::string> expected;
};

class ResolutionTableTest : public testing::TestWithParam<ResolutionCase> {};

TEST_P(ResolutionTableTest, ExplainsEachLayer) {
  const std::string yaml = std::string(kBase) + GetParam().overrides;
  EXPECT_THAT(Touched(yaml, "test"), testing::ElementsAreArray(GetParam().expected));
  ExpectAgreement(Load(yaml), "test");
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ResolutionTableTest,
    testing::Values(
        ResolutionCase{
            "AllBeforeANamedOverride",
            "    steps:\n"
            "      - {name: ALL, timeout_seconds: 7}\n"
            "      - {name: a, timeout_seconds: 5}\n",
            {"/steps/0/timeout_seconds: 5 (step override line 16) <- 7 (ALL override line 15) <- 30 (base line 6)",
             "/steps/1/timeout_seconds: 7 (ALL override line 15)"}},
        ResolutionCase{
            "AllAfterANamedOverride",
            "    steps:\n"
            "      - {name: a, timeout_seconds: 5}\n"
            "      - {name: ALL, timeout_seconds: 7}\n",
            {"/steps/0/timeout_seconds: 7 (ALL override line 16) <- 5 (step override line 15) <- 30 (base line 6)",
             "/steps/1/timeout_seconds: 7 (ALL override line 16)"}},
        ResolutionCase{"SeveralOverridesOfOneStep",
                       "    steps:\n"
                       "      - {name: a, handler: {initialization: {x: 2, y: 1}}}\n"
                       "      - {name: a, handler: {initialization: {y: 3}}}\n",
                       {"/steps/0/handler/initialization/x: 2 (step override line 15) <- 1 (base line 10)",
                        "/steps/0/handler/initialization/y: 3 (step override line 16) <- 1 (step override line 15)"}},
        ResolutionCase{"NestedMapsAreReplacedWhole",
                       "    steps: [{name: a, handler: {initialization: {flags: {q: 9}}}}]\n",
                       {"/steps/0/handler/initialization/flags: {\"q\":9} (step override line 14) <- "
                        "{\"p\":1,\"q\":2} (base line 10)"}},
        ResolutionCase{"RetryIsReplacedWhole",
                       "    steps: [{name: a, retry: {max_attempts: 1}}]\n",
                       {"/steps/0/retry/retryable: true (default line 14) <- false (base line 7)",
                        "/steps/0/retry/limit: 1 (step override line 14) <- 5 (base line 7)",
                        "/steps/0/retry/backoff: \"exponential\" (default line 14) <- \"exponential\" (default)",
                        "/steps/0/retry/backoff_base_ms: absent (step override line 14) <- 20 (base line 7)"}},
        ResolutionCase{"RetryOfAStepWithoutOneLosesTheDefaultWaits",
                       "    steps: [{name: b, retry: {limit: 1}}]\n",
                       {"/steps/1/retry/retryable: true (default line 14) <- true (default)",
                        "/steps/1/retry/limit: 1 (step override line 14) <- 3 (default)",
                        "/steps/1/retry/backoff: \"exponential\" (default line 14) <- \"exponential\" (default)",
                        "/steps/1/retry/backoff_base_ms: absent (step override line 14) <- 1000 (default)",
                        "/steps/1/retry/max_backoff_ms: absent (step override line 14) <- 30000 (default)"}},
        ResolutionCase{"NullLeavesAFieldAlone",
                       "    steps: [{name: a, timeout_seconds: null, retry: null, handler: {initialization: null}}]\n",
                       {}},
        ResolutionCase{"NullIsAValueInsideInitialization",
                       "    steps: [{name: a, handler: {initialization: {x: null}}}]\n",
                       {"/steps/0/handler/initialization/x: null (step override line 14) <- 1 (base line 10)"}},
        ResolutionCase{"EmptyInitializationIsFilled",
                       "    steps: [{name: b, handler: {initialization: {x: 1}}}]\n",
                       {"/steps/1/handler/initialization/x: 1 (step override line 14)"}},
        ResolutionCase{"OverrideOfAMissingTaskHandlerHasNoEffect", "    task_handler: {initialization: {x: 1}}\n", {}},
        ResolutionCase{"OverrideOfAnUnknownStepHasNoEffect", "    steps: [{name: nobody, timeout_seconds: 1}]\n", {}}),
    [](const auto& param_info) { return std::string(param_info.param.name); });

TEST(ExplainTest, ExplainsTheTaskHandler) {
  const std::string yaml =
      "name: t\nnamespace_name: n\nversion: 1.0.0\n"
      "task_handler: {callable: T, initialization: {x: 1}}\n"
      "steps: [{name: a, handler: {callable: A}}]\n"
      "environments: {test: {task_handler: {initialization: {x: 2}}}}\n";
  EXPECT_THAT(Touched(yaml, "test"),
              ElementsAre("/task_handler/initialization/x: 2 (task_handler override line 6) <- 1 (base line 4)"));
}

TEST(ExplainTest, TellsDefaultsFromWhatIsWritten) {
  const LoadedTemplate loaded = Load(std::string(kBase));
  std::vector<std::string> defaults;
  for (const ExplainedField& field : ExplainResolution(loaded.tmpl, loaded.document, "test").fields) {
    if (field.path.starts_with("/steps/0") && field.current.layer == ValueLayer::kDefault) {
      defaults.push_back(field.path);
    }
  }
  EXPECT_THAT(defaults, ElementsAre("/steps/0/dependencies", "/steps/0/retry/backoff", "/steps/0/publishes_events"));
}

TEST(ExplainTest, GivesTheBaseForAnEnvironmentThatIsNotDefined) {
  EXPECT_THAT(Touched(std::string(kBase), "nowhere"), IsEmpty());
  ExpectAgreement(Load(std::string(kBase)), "nowhere");
}

TEST(ExplainTest, WritesJson) {
  const LoadedTemplate loaded = Load(std::string(kBase) + "    steps: [{name: a, timeout_seconds: 5}]\n");
  const base::Json json = ToJson(ExplainResolution(loaded.tmpl, loaded.document, "test"));
  for (const base::Json& field : json.at("fields").as_array()) {
    if (field.at("path") != "/steps/0/timeout_seconds") continue;
    EXPECT_EQ(
        base::CanonicalJson(field),
        R"({"column":40,"layer":"step override","line":14,"path":"/steps/0/timeout_seconds",)"
        R"("replaced":[{"column":22,"layer":"base","line":6,"source_path":"/steps/0/timeout_seconds","value":30}],)"
        R"("source_path":"/environments/test/steps/0/timeout_seconds","value":5})");
    return;
  }
  FAIL() << "the field is missing";
}

// Every template at hand, in every environment: the explanation is the resolution.
TEST(ExplainTest, AgreesWithResolution) {
  namespace fs = std::filesystem;
  const char* const named = std::getenv("TASKER_CORPUS");
  const fs::path root = TASKER_SOURCE_DIR;
  const fs::path corpus = named != nullptr ? fs::path(named) : root / ".." / "shared" / "corpus";
  size_t templates = 0;
  for (const fs::path& folder : {root / "examples" / "templates", corpus / "templates"}) {
    if (!fs::exists(folder)) continue;
    for (const fs::directory_entry& file : fs::directory_iterator(folder)) {
      std::ifstream in(file.path());
      const LoadedTemplate loaded = Load(std::string(std::istreambuf_iterator<char>(in), {}));
      ++templates;
      for (const auto& [environment, overrides] : loaded.tmpl.environments) ExpectAgreement(loaded, environment);
      ExpectAgreement(loaded, "");
    }
  }
  EXPECT_GT(templates, 0u);
}

}  // namespace
}  // namespace tasker::tmpl
