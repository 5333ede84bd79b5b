// Real templates that nobody here wrote, and what the specification's own code makes of them. They are not part of this
// repository: TASKER_CORPUS names their folder, ../shared/corpus is looked at otherwise, and without either the tests
// are skipped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "lib/template/canonical.h"
#include "lib/template/load.h"
#include "lib/template/resolve.h"
#include "lib/template/retry_schedule.h"

namespace tasker::tmpl {
namespace {

namespace fs = std::filesystem;

std::string Slurp(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class CorpusTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* const named = std::getenv("TASKER_CORPUS");
    corpus_ = named != nullptr ? fs::path(named) : fs::path(TASKER_SOURCE_DIR) / ".." / "shared" / "corpus";
    if (!fs::exists(corpus_ / "resolved.jsonl")) {
      GTEST_SKIP() << "no corpus at " << corpus_ << "; set TASKER_CORPUS to its folder to run this test";
    }
  }

  TaskTemplate Load(const std::string& file) {
    base::IssueList issues;
    LoadOptions options;
    options.keep_unknown_keys = true;
    auto loaded = LoadTemplate(Slurp(corpus_ / "templates" / file), options, issues);
    EXPECT_FALSE(issues.has_errors()) << file << ": " << issues.Sorted()[0].message;
    return loaded ? loaded->tmpl : TaskTemplate();
  }

  fs::path corpus_;
};

// `value` without null members: null there is absent with us, except inside free-form values.
base::Json WithoutNulls(const base::Json& value) {
  if (const auto* array = value.if_array()) {
    base::JsonArray out;
    for (const base::Json& item : *array) out.push_back(WithoutNulls(item));
    return out;
  }
  const auto* object = value.if_object();
  if (object == nullptr) return value;
  base::JsonObject out;
  for (const auto& [key, member] : *object) {
    if (!member.is_null()) out.emplace(key, WithoutNulls(member));
  }
  return out;
}

// Removes what the specification's code ignores and we keep.
void Remove(base::Json& value, const std::vector<std::string>& tokens) {
  base::Json* at = &value;
  for (size_t i = 0; i + 1 < tokens.size() && at != nullptr; ++i) {
    at = at->is_array() ? &at->as_array().at(std::stoul(tokens[i])) : at->as_object().if_contains(tokens[i]);
  }
  if (at != nullptr && at->is_object()) at->as_object().erase(tokens.back());
}

TEST_F(CorpusTest, ResolvesAsTheSpecificationsCodeDoes) {
  std::ifstream lines(corpus_ / "resolved.jsonl");
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const base::Json expected = *base::ParseJson(line);
    const std::string file(expected.at("file").as_string().c_str());
    const std::string environment(expected.at("environment").as_string().c_str());
    SCOPED_TRACE(file + " in '" + environment + "'");
    const ResolvedTaskTemplate resolved = ResolveForEnvironment(Load(file), environment);

    base::Json actual = ToJson(resolved.tmpl);
    for (const base::Json& key : expected.at("ignored_keys").as_array()) {
      Remove(actual, base::JsonPointerTokens(std::string_view(key.as_string())));
    }
    EXPECT_EQ(base::CanonicalJson(WithoutNulls(actual)), base::CanonicalJson(WithoutNulls(expected.at("template"))));
    EXPECT_EQ(resolved.environment_defined, expected.at("environment_defined").as_bool());

    base::JsonArray callables;
    for (const std::string& callable : AllCallables(resolved.tmpl)) callables.emplace_back(callable);
    EXPECT_EQ(base::CanonicalJson(callables), base::CanonicalJson(expected.at("callables")));

    const base::JsonArray& schedules = expected.at("backoff").as_array();
    ASSERT_EQ(schedules.size(), resolved.tmpl.steps.size());
    for (size_t i = 0; i < schedules.size(); ++i) {
      base::JsonArray waits;
      for (const uint64_t wait : RetrySchedule(resolved.tmpl.steps[i].retry, 10)) waits.emplace_back(wait);
      EXPECT_EQ(base::CanonicalJson(waits), base::CanonicalJson(schedules[i].at("schedule_ms")));
    }
  }
  EXPECT_GT(count, 0);
}

TEST_F(CorpusTest, ReadsBackFromItsCanonicalJson) {
  for (const auto& entry : fs::directory_iterator(corpus_ / "templates")) {
    const std::string file = entry.path().filename();
    SCOPED_TRACE(file);
    const TaskTemplate tmpl = Load(file);
    const std::string canonical = CanonicalText(tmpl);
    const absl::StatusOr<TaskTemplate> again = TemplateFromJson(*base::ParseJson(canonical));
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(*again, tmpl);
    EXPECT_EQ(canonical, base::CanonicalJson(ToJson(tmpl)));
    base::IssueList issues;
    LoadOptions options;
    options.keep_unknown_keys = true;
    const auto as_yaml = LoadTemplate(canonical, options, issues);
    ASSERT_TRUE(as_yaml.has_value());
    EXPECT_EQ(as_yaml->tmpl, tmpl);
  }
}

}  // namespace
}  // namespace tasker::tmpl
