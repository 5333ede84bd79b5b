// Runs the official JSON-Schema-Test-Suite, wherever it can be found: drafts 4, 6 and 7 from Debian's package, all five
// dialects from a checkout beside the repository or the folder that JSON_SCHEMA_TEST_SUITE names.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "lib/json_schema/schema.h"

namespace tasker::json_schema {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDebianSuite = "/usr/share/json-schema-test-suite";

struct DialectFolder {
  const char* folder;
  Dialect dialect;
};

constexpr DialectFolder kDialects[] = {{"draft4", Dialect::kDraft4},
                                       {"draft6", Dialect::kDraft6},
                                       {"draft7", Dialect::kDraft7},
                                       {"draft2019-09", Dialect::k2019_09},
                                       {"draft2020-12", Dialect::k2020_12}};

Json ReadJson(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  auto value = base::ParseJson(text.str(), base::HugeIntegers::kAsReals);
  if (!value.ok()) {
    ADD_FAILURE() << path << ": " << value.status();
    return nullptr;
  }
  return *std::move(value);
}

std::string Text(const Json& value) { return {value.as_string().data(), value.as_string().size()}; }

std::map<std::string, Json> ReadRemotes(const fs::path& root) {
  std::map<std::string, Json> remotes;
  for (const auto& entry : fs::recursive_directory_iterator(root / "remotes")) {
    if (entry.path().extension() != ".json") continue;
    const std::string uri = "http://localhost:1234/" + fs::relative(entry.path(), root / "remotes").generic_string();
    remotes.emplace(uri, ReadJson(entry.path()));
  }
  return remotes;
}

// The committed list of tests that are known to fail, and which of its lines came to use.
class Exceptions {
 public:
  Exceptions() {
    std::ifstream in(CONFORMANCE_EXCEPTIONS);
    for (std::string line; std::getline(in, line);) {
      if (!line.empty() && line[0] != '#') lines_.insert(line.substr(0, line.rfind(" | ")));
    }
  }

  bool Has(const std::string& file, const std::string& group, const std::string& test) const {
    return lines_.contains(fmt::format("{} | {} | {}", file, group, test)) ||
           lines_.contains(fmt::format("{} | {} | *", file, group));
  }

 private:
  std::set<std::string> lines_;
};

struct Counts {
  int run = 0;
  int excepted = 0;
};

void RunGroup(const Json& group, const std::string& file, const CompileOptions& options, const Exceptions& exceptions,
              Counts& counts) {
  const std::string name = Text(group.at("description"));
  const CompileResult compiled = Compile(group.at("schema"), options);
  std::string problems;
  for (const SchemaProblem& problem : compiled.problems) {
    if (problem.severity == base::Severity::kError)
      problems += fmt::format("\n  {}: {}", problem.location, problem.message);
  }
  for (const Json& test : group.at("tests").as_array()) {
    const std::string description = Text(test.at("description"));
    const bool expected = test.at("valid").as_bool();
    ++counts.run;
    if (exceptions.Has(file, name, description)) {
      ++counts.excepted;
      continue;
    }
    const std::string where = fmt::format("{} | {} | {}", file, name, description);
    if (compiled.schema == nullptr) {
      ADD_FAILURE() << where << ": does not compile:" << problems;
      continue;
    }
    const Json& data = test.at("data");
    EXPECT_EQ(compiled.schema->Validate(data), expected ? Verdict::kValid : Verdict::kInvalid) << where;
    const Report report = compiled.schema->Explain(data);
    EXPECT_EQ(report.verdict, expected ? Verdict::kValid : Verdict::kInvalid) << where;
    EXPECT_EQ(report.units.empty(), expected) << where;
  }
}

Counts RunFolder(const fs::path& folder, const std::string& label, const CompileOptions& options) {
  static const Exceptions* const kExceptions = new Exceptions;
  Counts counts;
  if (!fs::exists(folder)) return counts;
  std::set<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") files.insert(entry.path());
  }
  for (const fs::path& file : files) {
    const Json groups = ReadJson(file);
    for (const Json& group : groups.as_array()) {
      RunGroup(group, label + "/" + file.filename().string(), options, *kExceptions, counts);
    }
  }
  return counts;
}

// All of one edition's folders for one dialect.
void RunDialect(const fs::path& suite, const DialectFolder& dialect) {
  const fs::path folder = suite / "tests" / dialect.folder;
  if (!fs::exists(folder)) GTEST_SKIP() << "the test suite is not at " << folder;
  const std::map<std::string, Json> remotes = ReadRemotes(suite);
  CompileOptions options;
  options.dialect = dialect.dialect;
  options.resources = &remotes;
  // The required tests of `format` hold for the dialect's own default, with annotations only.
  options.formats = dialect.dialect <= Dialect::kDraft7 ? FormatMode::kAnnotate : FormatMode::kByDialect;
  const Counts required = RunFolder(folder, dialect.folder, options);
  options.formats = FormatMode::kAssert;
  const std::string optional = std::string(dialect.folder) + "/optional";
  const Counts formats = RunFolder(folder / "optional" / "format", optional + "/format", options);
  options.formats = FormatMode::kByDialect;
  const Counts others = RunFolder(folder / "optional", optional, options);
  EXPECT_EQ(required.excepted, 0) << "a required test is on the list of exceptions";
  fmt::print("{} of {}: {} required tests, {} of formats ({} excepted), {} other optional ones ({} excepted)\n",
             dialect.folder, suite.string(), required.run, formats.run, formats.excepted, others.run, others.excepted);
}

class ConformanceTest : public testing::TestWithParam<DialectFolder> {};

TEST_P(ConformanceTest, PassesDebiansEdition) {
  if (GetParam().dialect >= Dialect::k2019_09) GTEST_SKIP() << "Debian's package has no tests of this dialect";
  RunDialect(kDebianSuite, GetParam());
}

TEST_P(ConformanceTest, PassesGivenEdition) {
  const char* given = std::getenv("JSON_SCHEMA_TEST_SUITE");
  RunDialect(given != nullptr ? given : CONFORMANCE_SUITE, GetParam());
}

INSTANTIATE_TEST_SUITE_P(AllDialects, ConformanceTest, testing::ValuesIn(kDialects), [](const auto& dialect) {
  std::string name = dialect.param.folder;
  std::erase(name, '-');
  return name;
});

}  // namespace
}  // namespace tasker::json_schema
