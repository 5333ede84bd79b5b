#include "lib/diff/diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "lib/template/canonical.h"
#include "tests/diff/templates.h"

namespace tasker::diff {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

struct Case {
  const char* name;
  const char* old_body;
  const char* new_body;
  std::vector<std::string> lines;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class DiffTableTest : public testing::TestWithParam<Case> {};

TEST_P(DiffTableTest, ShowsTheChanges) {
  std::vector<std::string> lines;
  for (const Change& change : Diff(Template(GetParam().old_body), Template(GetParam().new_body))) {
    lines.push_back(std::string(ChangeKindName(change.kind)) + " " + ChangeLine(change));
  }
  EXPECT_EQ(lines, GetParam().lines);
}

constexpr const char* kTwo = "steps: [{name: a, handler: {callable: A}}, {name: b, handler: {callable: B}}]\n";

INSTANTIATE_TEST_SUITE_P(
    All, DiffTableTest,
    testing::Values(
        Case{"Nothing", kTwo, kTwo, {}},
        Case{"KeyOrderAndComments",
             "description: x\nsteps: [{name: a, handler: {callable: A}}]\n",
             "steps:\n  - handler: {callable: 'A'} # c\n    name: a\ndescription: x\n",
             {}},
        Case{"Scalar",
             "description: x\nsteps: []\n",
             "description: y\nsteps: []\n",
             {"changed description (/description): \"x\" -> \"y\""}},
        Case{"StepsByName",
             kTwo,
             "steps: [{name: b, handler: {callable: B2}}, {name: a, handler: {callable: A}}]\n",
             {"changed steps[b].handler.callable (/steps/0/handler/callable): \"B\" -> \"B2\"",
              "moved steps[a] (/steps/1): moved from /steps/0"}},
        Case{"StepAdded",
             "steps: [{name: a, handler: {callable: A}}]\n",
             kTwo,
             {"added steps[b] (/steps/1): added "
              "{\"dependencies\":[],\"handler\":{\"callable\":\"B\",\"initialization…"}},
        Case{"StepRenamed",
             "steps: [{name: a, handler: {callable: A}}, {name: b, handler: {callable: B}, depends_on: [a]}]\n",
             "steps: [{name: c, handler: {callable: A}}, {name: b, handler: {callable: B}, depends_on: [c]}]\n",
             {"renamed steps[c].name (/steps/0/name): \"a\" -> \"c\""}},
        Case{"StepReplaced",
             "steps: [{name: a, handler: {callable: A}}]\n",
             "steps: [{name: c, handler: {callable: C}}]\n",
             {"removed steps[a] (/steps/0): removed "
              "{\"dependencies\":[],\"handler\":{\"callable\":\"A\",\"initialization…",
              "added steps[c] (/steps/0): added "
              "{\"dependencies\":[],\"handler\":{\"callable\":\"C\",\"initialization…"}},
        Case{"Dependencies",
             "steps: [{name: a, handler: {callable: A}, dependencies: [x, y]}]\n",
             "steps: [{name: a, handler: {callable: A}, dependencies: [y, z]}]\n",
             {"removed steps[a].dependencies[x] (/steps/0/dependencies/0): removed \"x\"",
              "added steps[a].dependencies[z] (/steps/0/dependencies/1): added \"z\""}},
        Case{"IntegerAndReal",
             "steps: [{name: a, handler: {callable: A, initialization: {x: 1}}}]\n",
             "steps: [{name: a, handler: {callable: A, initialization: {x: 1.0}}}]\n",
             {"changed steps[a].handler.initialization.x (/steps/0/handler/initialization/x): 1 -> 1.0"}},
        Case{"FreeFormList",
             "steps: [{name: a, handler: {callable: A, initialization: {x: [1, 2, {p: 1}]}}}]\n",
             "steps: [{name: a, handler: {callable: A, initialization: {x: [0, 1, 2, {p: 2}]}}}]\n",
             {"added steps[a].handler.initialization.x[0] (/steps/0/handler/initialization/x/0): added 0",
              "changed steps[a].handler.initialization.x[3].p (/steps/0/handler/initialization/x/3/p): 1 -> 2"}},
        Case{"SchemaSets",
             "input_schema: {required: [a, b], enum: [1, 2]}\nsteps: []\n",
             "input_schema: {required: [b, a, c], enum: [2]}\nsteps: []\n",
             {"added input_schema.required[c] (/input_schema/required/2): added \"c\"",
              "moved input_schema.required[a] (/input_schema/required/1): moved from /input_schema/required/0",
              "removed input_schema.enum[1] (/input_schema/enum/0): removed 1"}},
        Case{"EventsByName",
             "domain_events: [{name: x, schema: {type: object}}, {name: y}]\nsteps: []\n",
             "domain_events: [{name: y}, {name: x, schema: {type: array}}]\nsteps: []\n",
             {"changed domain_events[x].schema.type (/domain_events/1/schema/type): \"object\" -> \"array\"",
              "moved domain_events[x] (/domain_events/1): moved from /domain_events/0"}},
        Case{"PublishedEventBecomesABlock",
             "steps: [{name: a, handler: {callable: A}, publishes_events: [e]}]\n",
             "steps: [{name: a, handler: {callable: A}, publishes_events: [{name: e, condition: success}]}]\n",
             {"added steps[a].publishes_events[e].condition (/steps/0/publishes_events/0/condition): added "
              "\"success\""}},
        Case{"Environment",
             "steps: []\nenvironments: {test: {steps: [{name: ALL, timeout_seconds: 1}]}}\n",
             "steps: []\nenvironments: {test: {steps: [{name: ALL, timeout_seconds: 2}]}, prod: {}}\n",
             {"changed environments.test.steps[ALL].timeout_seconds (/environments/test/steps/0/timeout_seconds): 1 -> "
              "2",
              "added environments.prod (/environments/prod): added {\"steps\":[]}"}},
        Case{"OddKeys",
             "steps: []\nx-a: {'k/~ \"': 1}\n",
             "steps: []\nx-a: {'k/~ \"': 2}\n",
             {"changed x-a.\"k/~ \\\"\" (/x-a/k~1~0 \"): 1 -> 2"}}),
    [](const auto& c) { return c.param.name; });

TEST(DiffTest, GivesPathsOfBothSides) {
  const auto changes = Diff(Template(kTwo), Template("steps: [{name: b, handler: {callable: X}}]\n"));
  ASSERT_THAT(changes, SizeIs(2));
  EXPECT_EQ(changes[0].old_path, "/steps/0");
  EXPECT_EQ(changes[0].new_path, "");
  EXPECT_FALSE(changes[0].new_value);
  EXPECT_EQ(changes[1].old_path, "/steps/1/handler/callable");
  EXPECT_EQ(changes[1].new_path, "/steps/0/handler/callable");
}

TEST(DiffTest, GivesLinesOfBothTextsAlsoThroughAliases) {
  const auto old_template = Load("steps:\n  - name: a\n    handler: {callable: A}\n    retry: {max_attempts: 3}\n");
  const auto new_template = Load("steps:\n  - name: a\n    handler: {callable: A}\n    retry:\n      limit: 4\n");
  DiffOptions options;
  options.old_document = &old_template.document;
  options.new_document = &new_template.document;
  const auto changes = Diff(old_template.tmpl, new_template.tmpl, options);
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].old_position, (base::Position{7, 27}));
  EXPECT_EQ(changes[0].new_position, (base::Position{8, 14}));
}

TEST(DiffTest, ComparesTwoEnvironmentsOfOneVersion) {
  const auto tmpl = Template(
      "steps: [{name: a, handler: {callable: A}, timeout_seconds: 9}]\n"
      "environments: {test: {steps: [{name: ALL, timeout_seconds: 1}]}}\n");
  const auto changes = DiffResolved(ResolveForEnvironment(tmpl, "production"), ResolveForEnvironment(tmpl, "test"));
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(ChangeLine(changes[0]), "steps[a].timeout_seconds (/steps/0/timeout_seconds): 9 -> 1");
}

TEST(DiffTest, ReportsWholeValuesBeyondTheDetailLimit) {
  DiffOptions options;
  options.detail_limit = 0;
  const auto changes = Diff(Template("input_schema: {a: 1, b: 2}\nsteps: []\n"),
                            Template("input_schema: {a: 2, b: 3}\nsteps: []\n"), options);
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].new_path, "/input_schema");
}

TEST(DifferenceLinesTest, CountsWhatItLeavesOut) {
  const auto lines = DifferenceLines(Template("description: a\nmetadata: {author: a, x: 1}\nsteps: []\n"),
                                     Template("description: b\nmetadata: {author: b, x: 2}\nsteps: []\n"), 2);
  EXPECT_THAT(lines, ElementsAre("description (/description): \"a\" -> \"b\"",
                                 "metadata.author (/metadata/author): \"a\" -> \"b\"", "and 1 more"));
}

TEST(DifferenceLinesTest, StayShortForHugeValues) {
  const std::string body = "steps: []\nx-a: {" + std::string(900, 'k') + ": ";
  const auto lines =
      DifferenceLines(Template(body + std::string(9000, 'v') + "}\n"), Template(body + std::string(9000, 'w') + "}\n"));
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_LT(lines[0].size(), 500u);
}

// Changes one random value of a template's canonical JSON.
void Mutate(Json& value, std::mt19937& random, int depth = 0) {
  const auto pick = [&](size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random); };
  if (value.is_object() && !value.get_object().empty() && (depth < 2 || pick(8) != 0)) {
    auto& object = value.get_object();
    return Mutate((object.begin() + static_cast<std::ptrdiff_t>(pick(object.size())))->value(), random, depth + 1);
  }
  if (value.is_array() && !value.get_array().empty()) {
    auto& list = value.get_array();
    switch (pick(4)) {
      case 0:
        std::swap(list[pick(list.size())], list[pick(list.size())]);
        return;
      case 1:
        list.erase(list.begin() + static_cast<std::ptrdiff_t>(pick(list.size())));
        return;
      default:
        return Mutate(list[pick(list.size())], random, depth + 1);
    }
  }
  if (value.is_string()) value = std::string(value.get_string().c_str()) + "x";
  if (value.is_int64()) value = value.get_int64() + 1;
}

TEST(DiffTest, IsEmptyExactlyWhenTheDigestsAreEqual) {
  std::vector<tmpl::TaskTemplate> templates;
  for (const auto& file :
       std::filesystem::recursive_directory_iterator(std::filesystem::path(TASKER_SOURCE_DIR) / "examples")) {
    if (file.path().extension() != ".yaml") continue;
    std::ostringstream text;
    text << std::ifstream(file.path()).rdbuf();
    templates.push_back(Template(text.str(), ""));
  }
  ASSERT_THAT(templates, testing::Not(IsEmpty()));
  std::mt19937 random(7);
  int different = 0;
  for (int i = 0; i < 2000; ++i) {
    const tmpl::TaskTemplate& original = templates[static_cast<size_t>(i) % templates.size()];
    Json json = tmpl::ToJson(original);
    Mutate(json, random);
    const auto mutated = tmpl::TemplateFromJson(json);
    if (!mutated.ok()) continue;
    const bool same = tmpl::TemplateDigest(original) == tmpl::TemplateDigest(*mutated);
    EXPECT_EQ(Diff(original, *mutated).empty(), same) << base::CanonicalJson(json);
    if (!same) ++different;
  }
  EXPECT_GT(different, 500);
}

}  // namespace
}  // namespace tasker::diff
