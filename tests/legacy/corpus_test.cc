// Old templates in public use, and what a public one-off migration made of five of them. They are not part of this
// repository: TASKER_CORPUS names their folder, ../shared/corpus is looked at otherwise, and without either the tests
// are skipped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "tests/legacy/support.h"

namespace tasker::legacy {
namespace {

namespace fs = std::filesystem;

std::string Slurp(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class LegacyCorpusTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* const named = std::getenv("TASKER_CORPUS");
    corpus_ =
        (named != nullptr ? fs::path(named) : fs::path(TASKER_SOURCE_DIR) / ".." / "shared" / "corpus") / "legacy";
    if (!fs::exists(corpus_)) {
      GTEST_SKIP() << "no corpus at " << corpus_ << "; set TASKER_CORPUS to the folder above it to run this test";
    }
  }

  std::vector<fs::path> Files(const fs::path& folder, const std::string& name = "") const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(corpus_ / folder)) {
      if (entry.is_regular_file() && (name.empty() || entry.path().filename() == name)) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  fs::path corpus_;
};

TEST_F(LegacyCorpusTest, ConvertsEveryFileWithoutLosingAnything) {
  std::vector<fs::path> files = Files("old");
  for (const fs::path& pair : Files("pairs", "old.yaml")) files.push_back(pair);
  ASSERT_FALSE(files.empty());
  for (const fs::path& file : files) {
    SCOPED_TRACE(file);
    const std::string old_text = Slurp(file);
    if (old_text.find("<%=") != std::string::npos) {
      EXPECT_EQ(IssuesOf(old_text, "given").front().code, "LEGACY_ERB");
      continue;
    }
    const Conversion conversion = MustConvert(old_text, "given");
    EXPECT_FALSE(conversion.already_new);
    CanonicalOf(conversion.yaml);
    EXPECT_THAT(Vanished(old_text, conversion), testing::IsEmpty());
    EXPECT_TRUE(MustConvert(conversion.yaml).already_new);
  }
}

base::JsonObject& Member(base::Json& value, std::string_view key) {
  return value.get_object()[{key.data(), key.size()}].get_object();
}

// The differences from the public migration that LEGACY documents, taken out of both sides: it lost custom_events,
// step_overrides, retry_backoff and module_namespace, made retryable of every step true, did not give the default
// system to steps, and wrote metadata of its own.
base::Json Comparable(base::Json json, bool had_step_overrides) {
  json.get_object().erase("metadata");
  json.get_object().erase("domain_events");
  if (json.get_object().contains("task_handler")) Member(json, "task_handler").erase("callable");
  for (base::Json& step : json.at("steps").as_array()) {
    step.get_object().erase("system_dependency");
    Member(step, "retry").erase("retryable");
  }
  if (had_step_overrides) json.get_object().erase("environments");
  return json;
}

TEST_F(LegacyCorpusTest, DiffersFromThePublicMigrationOnlyWhereItLostSomething) {
  const std::vector<fs::path> pairs = Files("pairs", "old.yaml");
  ASSERT_FALSE(pairs.empty());
  for (const fs::path& old_file : pairs) {
    SCOPED_TRACE(old_file);
    const std::string old_text = Slurp(old_file);
    const Conversion theirs = MustConvert(Slurp(old_file.parent_path() / "new.yaml"));
    const Conversion ours = MustConvert(old_text);
    const bool had_step_overrides = old_text.find("step_overrides") != std::string::npos;
    EXPECT_EQ(base::CanonicalJson(Comparable(CanonicalOf(ours.yaml), had_step_overrides)),
              base::CanonicalJson(Comparable(CanonicalOf(theirs.yaml), had_step_overrides)));
  }
}

}  // namespace
}  // namespace tasker::legacy
