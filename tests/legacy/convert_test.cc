#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "lib/legacy/comments.h"
#include "lib/template/yaml_reader.h"
#include "tests/legacy/support.h"

namespace tasker::legacy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kOld[] = R"(# Payments
# Second line

name: pay
namespace_name: payments
version: "1.0.0"
default_dependent_system: gateway
step_templates:
  # the only step
  - name: charge
    handler_class: Charge
    default_retry_limit: 5
environments:
  test:
    step_overrides:
      charge: {retry_limit: 1}
)";

TEST(ConvertTest, WritesTheSpecificationsOrderUnderTheCommentsOfTheHead) {
  EXPECT_EQ(MustConvert(kOld).yaml, R"(# Payments
# Second line

name: pay
namespace_name: payments
version: "1.0.0"

system_dependencies:
  primary: gateway

steps:
  - name: charge
    handler:
      callable: Charge
    system_dependency: gateway
    retry:
      retryable: true
      limit: 5
      backoff: exponential
      backoff_base_ms: 1000
      max_backoff_ms: 30000

environments:
  test:
    steps:
      - name: charge
        retry:
          retryable: true
          limit: 1
          backoff: exponential
          backoff_base_ms: 1000
          max_backoff_ms: 30000
)");
}

TEST(ConvertTest, ReportsInTheOrderOfTheLines) {
  const Conversion conversion = MustConvert(kOld);
  EXPECT_THAT(NotesText(conversion.notes, "f.yaml"),
              HasSubstr("f.yaml:9: loss: comments below the head of the file are not kept: line 9\n"));
  EXPECT_TRUE(std::is_sorted(conversion.notes.begin(), conversion.notes.end(),
                             [](const Note& a, const Note& b) { return a.line < b.line; }));
}

TEST(ConvertTest, ReturnsNewTextByteForByte) {
  const std::string text =
      "name:   t # odd spacing\nnamespace_name: n\nversion: 1.0.0\nsteps: [{name: a, dependancies: []}]";
  const Conversion conversion = MustConvert(text);
  EXPECT_TRUE(conversion.already_new);
  EXPECT_EQ(conversion.yaml, text);
  EXPECT_THAT(conversion.notes, IsEmpty());
}

TEST(ConvertTest, ConvertsNewKeysWrittenAsSymbols) {
  const Conversion conversion = MustConvert(
      ":name: t\n:namespace_name: ns\n:version: 1.0.0\n:steps:\n- :name: a\n  :handler:\n    :callable: A\n"
      "  :timeout_seconds:\n  :retry:\n    :backoff: :linear\n");
  EXPECT_FALSE(conversion.already_new);
  EXPECT_EQ(conversion.yaml,
            "name: t\nnamespace_name: ns\nversion: \"1.0.0\"\n\nsteps:\n  - name: a\n    handler:\n      callable: A\n"
            "    retry:\n      backoff: linear\n");
}

struct RefusalCase {
  std::string name;
  std::string text;
  std::string code;
  int line;
  std::string message;
};

class RefusalTest : public testing::TestWithParam<RefusalCase> {};

TEST_P(RefusalTest, SaysWhatIsWrongAndWhere) {
  const base::Issue issue = IssuesOf(GetParam().text).front();
  EXPECT_EQ(issue.code, GetParam().code);
  EXPECT_EQ(issue.position.line, GetParam().line);
  EXPECT_THAT(issue.message, HasSubstr(GetParam().message));
}

const char kHead[] = "name: t\nnamespace: n\nversion: 1.0.0\n";

INSTANTIATE_TEST_SUITE_P(
    All, RefusalTest,
    testing::Values(
        RefusalCase{"Erb", "name: t\nnamespace: <%= @ns %>\nstep_templates: []", "LEGACY_ERB", 2, "ERB template"},
        RefusalCase{"ErbThatIsNoYaml", "<% steps.each do |s| %>\n- {\n<% end %>", "LEGACY_ERB", 1, "ERB template"},
        RefusalCase{"NoYaml", "a: ]", "YAML_SYNTAX", 1, "not valid YAML"},
        RefusalCase{"NoMap", "- a", "LEGACY_NO_TEMPLATE", 1, "no task template"},
        RefusalCase{"AnotherFile", "services:\n  web: {image: x}", "LEGACY_NO_TEMPLATE", 1, "no task template"},
        RefusalCase{"NoNamespace", "name: t\nversion: 1.0.0\nstep_templates: [{name: a, handler_class: A}]",
                    "LEGACY_NAMESPACE", 1, "names no namespace"},
        RefusalCase{"NoName", "namespace: n\nversion: 1.0.0\nstep_templates: [{name: a, handler_class: A}]",
                    "LEGACY_NAME", 1, "has no name"},
        RefusalCase{"BadVersion", "name: t\nnamespace: n\nversion: one\nstep_templates: [{name: a, handler_class: A}]",
                    "VERSION_INVALID", 3, "one"},
        RefusalCase{"NoSteps", std::string(kHead) + "step_templates: []", "LEGACY_STEP", 1, "has no steps"},
        RefusalCase{"StepWithoutName", std::string(kHead) + "step_templates:\n  - {handler_class: A}", "LEGACY_STEP", 5,
                    "has no 'name'"},
        RefusalCase{"StepWithoutClass", std::string(kHead) + "step_templates:\n  - {name: a}", "LEGACY_STEP", 5,
                    "step 'a' has no 'handler_class'"},
        RefusalCase{"StepThatIsNoMap", std::string(kHead) + "step_templates:\n  - a", "LEGACY_STEP", 5,
                    "must be a map"},
        RefusalCase{"KeyAndSymbol", std::string(kHead) + ":name: u\nstep_templates: [{name: a, handler_class: A}]",
                    "LEGACY_KEY_TWICE", 4, "'name' is there twice"},
        RefusalCase{"HugeNumber",
                    std::string(kHead) + "step_templates:\n  - {name: a, handler_class: A, handler_config: {n: .inf}}",
                    "LEGACY_NUMBER", 5, ".inf"},
        RefusalCase{"ResultThatDoesNotLoad",
                    std::string(kHead) + "step_templates:\n  - {name: a, handler_class: A, type: odd}",
                    "STEP_TYPE_UNKNOWN", 5, "once converted"}),
    [](const auto& test) { return test.param.name; });

TEST(ConvertTest, RefusesOverridesThatMultiplyTheText) {
  std::string text = std::string(kHead) +
                     "step_templates:\n  - name: a\n    handler_class: A\n    handler_config: {m: {k: '" +
                     std::string(100000, 'x') + "'}}\nenvironments:\n  e:\n    step_templates:\n";
  for (int i = 0; i < 10000; ++i) text += "      - {name: a, handler_config: {m: {z: 1}}}\n";
  EXPECT_EQ(IssuesOf(text).front().code, "LEGACY_TOO_LARGE");
}

TEST(ConvertTest, NotesWhatYaml11ReadOtherwise) {
  const Conversion conversion = MustConvert(
      std::string(kHead) +
      "step_templates:\n  - name: a\n    handler_class: A\n    handler_config: {on_error: yes, mode: 0755}\n");
  EXPECT_THAT(NotesText(conversion.notes, "f"),
              HasSubstr("'yes' is text here; the old runtime (YAML 1.1) read it as true"));
  EXPECT_THAT(NotesText(conversion.notes, "f"), HasSubstr("'0755' is text here; the old runtime"));
}

TEST(CommentsTest, FindsHeadAndOthers) {
  const Comments comments = FindComments("\xEF\xBB\xBF# a\r\n\n---  \n# b\nk: v # c\n# d\n");
  EXPECT_EQ(comments.head, "# a\n\n---\n# b\n");
  EXPECT_THAT(comments.others, ElementsAre(5, 6));
}

TEST(CommentsTest, IgnoresNumberSignsInsideValues) {
  const Comments comments = FindComments(R"(a: "x # y"
b: 'it''s # z'
c: x#y
d: don't # here
e: |
  # text

  more # text
f: "two
  # lines"
g: [ 'q # r', "s" ] # here
- >-
  # text
h: A#run
)");
  EXPECT_THAT(comments.others, ElementsAre(4, 11));
}

}  // namespace
}  // namespace tasker::legacy
