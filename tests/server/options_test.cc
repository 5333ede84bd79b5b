#include "server/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace tasker::server {
namespace {

absl::StatusOr<CommandLine> Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "tasker-registryd");
  return ParseCommandLine(static_cast<int>(arguments.size()), arguments.data());
}

class OptionsTest : public testing::Test {
 protected:
  void TearDown() override {
    unsetenv("TASKER_REGISTRY_LISTEN");
    unsetenv("TASKER_REGISTRY_INSECURE");
    unsetenv("TASKER_REGISTRY_CONFIG");
    std::filesystem::remove(file_);
  }
  const char* File(const std::string& text) {
    std::ofstream(file_) << text;
    return file_.c_str();
  }
  const std::string file_ =
      testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name() + ".yaml";
};

TEST_F(OptionsTest, ServesByDefault) {
  const auto line = Parse({});
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->command, Command::kServe);
  EXPECT_EQ(line->options.listen, "127.0.0.1:50051");
}

TEST_F(OptionsTest, KnowsItsCommands) {
  EXPECT_EQ(Parse({"serve"})->command, Command::kServe);
  EXPECT_EQ(Parse({"migrate", "up"})->command, Command::kMigrateUp);
  EXPECT_EQ(Parse({"migrate", "status"})->command, Command::kMigrateStatus);
  EXPECT_EQ(Parse({"version"})->command, Command::kVersion);
  EXPECT_FALSE(Parse({"migrate"}).ok());
  EXPECT_FALSE(Parse({"dance"}).ok());
}

TEST_F(OptionsTest, KnowsWhatToKeepOfTheChangeLog) {
  EXPECT_FALSE(Parse({})->options.keep_changes.has_value());
  EXPECT_FALSE(Parse({"--keep-changes", "all"})->options.keep_changes.has_value());
  EXPECT_EQ(Parse({"--keep-changes", "1000"})->options.keep_changes->revisions, 1000);
  EXPECT_EQ(Parse({"--keep-changes", "30d"})->options.keep_changes->age, absl::Hours(720));
  EXPECT_EQ(Parse({"--keep-changes", "1h30m"})->options.keep_changes->age, absl::Minutes(90));
  for (const char* bad : {"", "some", "-1", "-1h", "d", "1e99d", "inf"}) {
    EXPECT_FALSE(Parse({"--keep-changes", bad}).ok()) << bad;
  }
}

TEST_F(OptionsTest, KnowsHowStaleAnAnswerMayBe) {
  EXPECT_EQ(Parse({})->options.max_staleness, absl::Seconds(10));
  EXPECT_EQ(Parse({"--max-staleness", "500ms"})->options.max_staleness, absl::Milliseconds(500));
  EXPECT_EQ(Parse({"--max-staleness", "0"})->options.max_staleness, absl::ZeroDuration());
  EXPECT_EQ(Parse({"--config", File("max_staleness: 1m\n")})->options.max_staleness, absl::Minutes(1));
  for (const char* bad : {"", "soon", "-1s", "inf"}) EXPECT_FALSE(Parse({"--max-staleness", bad}).ok()) << bad;
}

TEST_F(OptionsTest, FlagsGoBeforeEnvironmentBeforeFileBeforeDefault) {
  const char* const file = File("listen: 127.0.0.1:3\nhttp_listen: \"\"\n");
  EXPECT_EQ(Parse({"serve", "--config", file})->options.listen, "127.0.0.1:3");
  EXPECT_EQ(Parse({"serve", "--config", file})->options.http_listen, "");
  setenv("TASKER_REGISTRY_LISTEN", "127.0.0.1:2", 1);
  EXPECT_EQ(Parse({"serve", "--config", file})->options.listen, "127.0.0.1:2");
  EXPECT_EQ(Parse({"serve", "--config", file, "--listen", "127.0.0.1:1"})->options.listen, "127.0.0.1:1");
}

TEST_F(OptionsTest, TheFileMayBeNamedByTheEnvironment) {
  setenv("TASKER_REGISTRY_CONFIG", File("max_call_seconds: 7\ninsecure: true\n"), 1);
  const auto line = Parse({});
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->options.max_call_seconds, 7);
  EXPECT_TRUE(line->options.insecure);
}

TEST_F(OptionsTest, AFlagInTheEnvironmentIsAWord) {
  setenv("TASKER_REGISTRY_INSECURE", "true", 1);
  EXPECT_TRUE(Parse({})->options.insecure);
  setenv("TASKER_REGISTRY_INSECURE", "false", 1);
  EXPECT_FALSE(Parse({})->options.insecure);
}

TEST_F(OptionsTest, AnUnknownKeyOfTheFileIsAnErrorWithAHint) {
  const auto line = Parse({"--config", File("listn: x\n")});
  EXPECT_EQ(line.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(line.status().message()), testing::HasSubstr("did you mean 'listen'?"));
}

TEST_F(OptionsTest, RefusesFilesThatAreNoMapOfValues) {
  EXPECT_FALSE(Parse({"--config", "/nonexistent.yaml"}).ok());
  EXPECT_FALSE(Parse({"--config", File("- a\n")}).ok());
  EXPECT_FALSE(Parse({"--config", File("listen: [a]\n")}).ok());
  EXPECT_FALSE(Parse({"--config", File("listen: a\nlisten: b\n")}).ok());
  EXPECT_FALSE(Parse({"--config", File("config: a\n")}).ok());
  EXPECT_TRUE(Parse({"--config", File("# nothing\n")}).ok());
}

TEST_F(OptionsTest, RefusesValuesThatDoNotFit) {
  EXPECT_FALSE(Parse({"--log-format", "xml"}).ok());
  EXPECT_FALSE(Parse({"--database-connections", "0"}).ok());
  EXPECT_FALSE(Parse({"--max-call-seconds", "soon"}).ok());
  EXPECT_FALSE(Parse({"--config", File("log_level: loud\n")}).ok());
  EXPECT_FALSE(Parse({"--bogus"}).ok());
}

TEST_F(OptionsTest, HelpNamesEveryOptionWithItsVariable) {
  const auto line = Parse({"--help"});
  ASSERT_TRUE(line.ok());
  EXPECT_THAT(line->help, testing::HasSubstr("TASKER_REGISTRY_HTTP_LISTEN"));
  EXPECT_FALSE(Parse({"serve", "--help"})->help.empty());
}

TEST_F(OptionsTest, ListeningBeyondThisMachineNeedsTlsOrAnExplicitWord) {
  Options options;
  EXPECT_TRUE(CheckOptions(options).ok());
  options.listen = "0.0.0.0:50051";
  EXPECT_FALSE(CheckOptions(options).ok());
  options.insecure = true;
  EXPECT_TRUE(CheckOptions(options).ok());
  options.insecure = false;
  options.tls_cert = "cert.pem";
  EXPECT_FALSE(CheckOptions(options).ok()) << "half a pair";
  options.tls_key = "key.pem";
  EXPECT_TRUE(CheckOptions(options).ok());
}

}  // namespace
}  // namespace tasker::server
