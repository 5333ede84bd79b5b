#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "tests/validate/support.h"

/// docs/issues.md is the table of cases: for each code the wrong text, the exact report, and the corrected text.
namespace tasker::validate {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;

struct Section {
  std::string wrong;  // whole text
  std::string report;
  std::string corrected;  // whole text
  bool has_prose = false;
  bool is_elsewhere = false;  // nothing that reading and checking a template's text reports
};

constexpr std::string_view kHead = "name: example\nnamespace_name: docs\nversion: 1.0.0\n";

// Reads one fenced block; the line before was its opening.
std::string ReadBlock(std::istream& in) {
  std::string block, line;
  while (std::getline(in, line) && line != "```") block += line + "\n";
  return block;
}

std::map<std::string, Section> ReadSections() {
  std::istringstream in(ReadFile(fs::path(TASKER_SOURCE_DIR) / "docs" / "issues.md"));
  std::map<std::string, Section> sections;
  std::string line, chapter, code;
  while (std::getline(in, line)) {
    if (line.starts_with("## ")) {
      chapter = line.substr(3);
      code.clear();
    }
    if (line.starts_with("### ")) {
      code = line.substr(4);
      EXPECT_FALSE(sections.contains(code)) << code << " is documented twice";
      sections[code].is_elsewhere = chapter == "Beyond a template's text";
    } else if (code.empty()) {
      continue;
    } else if (line == "```text") {
      sections[code].report = ReadBlock(in);
    } else if (line == "```yaml" || line == "```yaml whole") {
      const std::string text = (line == "```yaml" ? std::string(kHead) : "") + ReadBlock(in);
      (sections[code].wrong.empty() ? sections[code].wrong : sections[code].corrected) = text;
    } else if (line.starts_with("Example: ")) {
      sections[code].has_prose = true;
    }
  }
  return sections;
}

// Codes are the only literals of that form in the sources that report issues.
std::set<std::string> CodesInSources() {
  const std::regex literal("\"([A-Z]+(_[A-Z0-9]+)+)\"");
  std::set<std::string> codes;
  const auto add = [&](const fs::path& file, std::string_view prefix) {
    const std::string text = ReadFile(file);
    for (std::sregex_iterator match(text.begin(), text.end(), literal), end; match != end; ++match) {
      const std::string code = (*match)[1];
      if (code.starts_with(prefix)) codes.insert(code);
    }
  };
  const fs::path source = TASKER_SOURCE_DIR;
  for (const char* folder : {"lib/template", "lib/validate", "lib/legacy", "lib/json_schema"}) {
    for (const auto& file : fs::recursive_directory_iterator(source / folder)) {
      if (file.path().extension() != ".cc" && file.path().extension() != ".h") continue;
      add(file.path(), folder == "lib/json_schema"s ? "SCHEMA_" : "");
    }
  }
  add(source / "lib/registry/checked_source.cc", "");
  add(source / "lib/registry/registration_issues.cc", "");
  add(source / "lib/registry/version_policy.cc", "VERSION_BUMP_");
  add(source / "client/report.h", "");
  return codes;
}

std::set<std::string> CodesOf(std::string_view text) {
  std::set<std::string> codes;
  for (const base::Issue& issue : Check(text).Sorted()) codes.insert(issue.code);
  return codes;
}

TEST(IssuesDocTest, DocumentsExactlyTheCodesOfTheSources) {
  std::set<std::string> documented;
  for (const auto& [code, section] : ReadSections()) documented.insert(code);
  EXPECT_EQ(documented, CodesInSources());
}

TEST(IssuesDocTest, ShowsTheReportOfEachWrongText) {
  for (const auto& [code, section] : ReadSections()) {
    if (section.has_prose) continue;
    EXPECT_EQ(CodesOf(section.wrong), std::set<std::string>{code}) << section.wrong;
    const std::string report = Report(section.wrong, "template.yaml");
    EXPECT_EQ(report, section.report) << code << ": paste this into docs/issues.md:\n" << report;
  }
}

TEST(IssuesDocTest, ShowsACorrectedTextWithoutIssues) {
  for (const auto& [code, section] : ReadSections()) {
    if (section.has_prose) continue;
    EXPECT_EQ(Report(section.corrected, "template.yaml"), "") << code;
  }
}

// What a page cannot show.
TEST(IssuesDocTest, ReportsWhatItTellsInWords) {
  const std::string step = std::string(kHead) + "steps:\n  - {name: a, handler: {callable: A}}\n";
  std::string many_steps = std::string(kHead) + "steps:\n";
  for (int i = 0; i < 10'001; ++i) many_steps += fmt::format("  - {{name: s{}, handler: {{callable: A}}}}\n", i);
  std::string many_events =
      std::string(kHead) + "steps:\n  - name: a\n    handler: {callable: A}\n    publishes_events:\n";
  for (int i = 0; i < 10'001; ++i) many_events += fmt::format("      - {{name: e{}, schema: true}}\n", i);
  std::string large_environment = std::string(kHead) + "steps:\n";
  for (int i = 0; i < 100; ++i) large_environment += fmt::format("  - {{name: s{}, handler: {{callable: A}}}}\n", i);
  large_environment += "environments: {test: {steps: [{name: ALL, handler: {initialization: {a: '" +
                       std::string(1 << 20, 'a') + "'}}}]}}\n";
  std::string numbers = "x-list: [0";
  for (int i = 0; i < 1'000'000; ++i) numbers += ",0";
  const std::map<std::string, std::string> texts = {
      {"YAML_KEY_TOO_LONG", step + "x-note: {" + std::string(1001, 'k') + ": 1}\n"},
      {"YAML_INVALID_UTF8", step + "x-note: \xff\n"},
      {"YAML_TOO_LARGE", step + "x-note: '" + std::string(5 << 20, 'a') + "'\n"},
      {"YAML_TOO_DEEP", step + "x-note: " + std::string(65, '[') + std::string(65, ']') + "\n"},
      {"YAML_TOO_MANY_NODES", step + numbers + "]\n"},
      {"STEPS_TOO_MANY", many_steps},
      {"ITEMS_TOO_MANY", many_events},
      {"RESOLUTION_TOO_LARGE", large_environment},
      {"SCHEMA_TOO_LARGE", step + "input_schema: {enum: [" + numbers.substr(numbers.find('0'), 200'001) + "]}\n"},
  };
  for (const auto& [code, section] : ReadSections()) {
    // Out of a template's reach: its text may be nested less deep than that.
    if (!section.has_prose || section.is_elsewhere || code == "SCHEMA_TOO_DEEP") continue;
    ASSERT_TRUE(texts.contains(code)) << code;
    EXPECT_EQ(CodesOf(texts.at(code)), std::set<std::string>{code});
  }
}

}  // namespace
}  // namespace tasker::validate
