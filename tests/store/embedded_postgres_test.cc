#include "lib/store/embedded_postgres.h"

#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "lib/store/migrations.h"
#include "lib/store/postgres_process.h"
#include "tests/store/versions.h"
#include "tests/support/postgres_fixture.h"

namespace tasker::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr absl::Time kNoDeadline = absl::InfiniteFuture();

template <typename Condition>
bool Eventually(Condition condition) {
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(10));
  }
  return true;
}

class EmbeddedPostgresTest : public testing::Test {
 protected:
  EmbeddedPostgresOptions Options(const std::string& folder = "data") const {
    return {.data_dir = folder_.path() + "/" + folder, .bin_dir = "", .fsync = false};
  }
  std::unique_ptr<EmbeddedPostgres> Start(const EmbeddedPostgresOptions& options) {
    auto started = EmbeddedPostgres::Start(options);
    EXPECT_TRUE(started.ok()) << started.status();
    return started.ok() ? *std::move(started) : nullptr;
  }
  // Whom the cluster runs as.
  static ProcessUser User() {
    return geteuid() == 0 ? ProcessUser::FromName("postgres").value_or(ProcessUser::Current()) : ProcessUser::Current();
  }
  std::vector<pid_t> Processes(const std::string& folder = "data") const {
    return ProcessesIn(folder_.path() + "/" + folder + "/postgres", User());
  }
  // Starts a cluster in another process, which then waits to be killed; gives its pid once the cluster answers.
  pid_t StartInChild() {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      close(ends[0]);
      auto started = EmbeddedPostgres::Start(Options());
      if (!started.ok()) _exit(1);
      auto pool = test::OpenPool((*started)->DatabaseUrl(), 1);
      if (!MigrateUp(*pool, kNoDeadline).ok() ||
          !Store(pool).Register(std::vector<NewVersion>{MakeVersion("a", "b", "1.0.0")}, kNobody, kNoDeadline).ok() ||
          write(ends[1], "x", 1) != 1) {
        _exit(1);
      }
      for (;;) pause();
    }
    close(ends[1]);
    char ready = 0;
    EXPECT_EQ(read(ends[0], &ready, 1), 1) << "the child could not start a cluster";
    close(ends[0]);
    return child;
  }
  void ExpectVersionIsThere(const EmbeddedPostgres& postgres) {
    Store store(test::OpenPool(postgres.DatabaseUrl(), 1));
    const auto loaded = store.LoadVersion("a", "b", {1, 0, 0}, kNoDeadline);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    EXPECT_TRUE(loaded->has_value());
  }

  test::TemporaryFolder folder_;
};

TEST_F(EmbeddedPostgresTest, KeepsItsDataOverARestart) {
  {
    auto postgres = Start(Options());
    ASSERT_NE(postgres, nullptr);
    EXPECT_EQ(postgres->data_dir(), std::filesystem::canonical(folder_.path()).string() + "/data");
    EXPECT_EQ(postgres->relocation_reason(), "");
    auto pool = test::OpenPool(postgres->DatabaseUrl(), 1);
    test::RunSql(*pool, "CREATE TABLE public.t AS SELECT 7 AS x");
    EXPECT_THAT(test::RunSql(*pool, "SHOW server_encoding"), ElementsAre("UTF8"));
    EXPECT_THAT(test::RunSql(*pool, "SHOW lc_collate"), ElementsAre("C"));
    EXPECT_THAT(test::RunSql(*pool, "SHOW listen_addresses"), ElementsAre(""));
  }
  EXPECT_THAT(Processes(), ElementsAre());
  auto again = Start(Options());
  ASSERT_NE(again, nullptr);
  EXPECT_THAT(test::RunSql(*test::OpenPool(again->DatabaseUrl(), 1), "SELECT x FROM public.t"), ElementsAre("7"));
}

TEST_F(EmbeddedPostgresTest, OthersCannotReachItsFiles) {
  auto postgres = Start(Options());
  ASSERT_NE(postgres, nullptr);
  for (const char* folder : {"/data/postgres", "/data/socket"}) {
    struct stat found = {};
    ASSERT_EQ(stat((folder_.path() + folder).c_str(), &found), 0) << folder;
    EXPECT_EQ(found.st_mode & 0007, 0u) << folder;
  }
}

TEST_F(EmbeddedPostgresTest, ASecondHolderIsRefusedByPid) {
  auto postgres = Start(Options());
  ASSERT_NE(postgres, nullptr);
  const absl::Status status = EmbeddedPostgres::Start(Options()).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(folder_.path()));
  EXPECT_THAT(std::string(status.message()), HasSubstr(std::to_string(getpid())));
  EXPECT_THAT(test::RunSql(*test::OpenPool(postgres->DatabaseUrl(), 1), "SELECT 1"), ElementsAre("1"));
}

TEST_F(EmbeddedPostgresTest, DiesWithItsServerAndStartsAgain) {
  const pid_t server = StartInChild();
  EXPECT_FALSE(Processes().empty());
  kill(server, SIGKILL);
  waitpid(server, nullptr, 0);
  // At once, while the old one may still be on its way out.
  auto postgres = Start(Options());
  ASSERT_NE(postgres, nullptr);
  ExpectVersionIsThere(*postgres);
}

TEST_F(EmbeddedPostgresTest, LeavesNoProcessWhenItsServerIsKilled) {
  const pid_t server = StartInChild();
  kill(server, SIGKILL);
  waitpid(server, nullptr, 0);
  EXPECT_TRUE(Eventually([&] { return Processes().empty(); }));
}

TEST_F(EmbeddedPostgresTest, RecoversAfterEverythingWasKilled) {
  const pid_t server = StartInChild();
  kill(server, SIGSTOP);  // so that it cannot start PostgreSQL again
  for (const pid_t pid : Processes()) kill(pid, SIGKILL);
  kill(server, SIGKILL);
  waitpid(server, nullptr, 0);
  auto postgres = Start(Options());
  ASSERT_NE(postgres, nullptr);
  ExpectVersionIsThere(*postgres);
}

TEST_F(EmbeddedPostgresTest, AStalePidFileThatNamesALiveProcessIsNotBelieved) {
  Start(Options());
  // As after a restart of a container: the number is taken by somebody of the same user.
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const auto other = StartProcess({"/bin/sleep", "1000"}, User(), /*die_with_thread=*/true);
  ASSERT_TRUE(other.ok());
  std::ofstream(folder_.path() + "/data/postgres/postmaster.pid")
      << other->pid << "\n"
      << folder_.path() << "/data/postgres\n1700000000\n5432\n\n\n  5432001    999999\n";
  EXPECT_NE(Start(Options()), nullptr);
  EXPECT_EQ(kill(other->pid, 0), 0) << "a stranger must not be killed";
  kill(other->pid, SIGKILL);
  waitpid(other->pid, nullptr, 0);
  close(other->output);
  close(ends[0]);
  close(ends[1]);
}

TEST_F(EmbeddedPostgresTest, StartsAgainWhenPostgresDies) {
  auto postgres = Start(Options());
  ASSERT_NE(postgres, nullptr);
  auto pool = test::OpenPool(postgres->DatabaseUrl());
  ASSERT_TRUE(MigrateUp(*pool, kNoDeadline).ok());
  Store store(pool);
  for (const int signal : {SIGKILL, SIGINT}) {
    const int before = postgres->pid();
    ASSERT_GT(before, 0);
    kill(before, signal);
    ASSERT_TRUE(Eventually([&] { return postgres->pid() > 0 && postgres->pid() != before; }));
    // The pool survives: only UNAVAILABLE meanwhile, then OK on the connections that it replaces.
    absl::Status status;
    ASSERT_TRUE(Eventually([&] {
      status = store.CheckHealth(kNoDeadline).status();
      return !absl::IsUnavailable(status);
    }));
    EXPECT_TRUE(status.ok()) << status;
  }
}

TEST_F(EmbeddedPostgresTest, UsesAShortSocketPathInADeepFolder) {
  const std::string deep = std::string(60, 'd') + "/" + std::string(60, 'e');
  auto postgres = Start(Options(deep));
  ASSERT_NE(postgres, nullptr);
  EXPECT_THAT(test::RunSql(*test::OpenPool(postgres->DatabaseUrl(), 1), "SELECT 1"), ElementsAre("1"));
}

TEST_F(EmbeddedPostgresTest, AnInterruptedFirstStartIsMadeAnew) {
  std::filesystem::create_directories(folder_.path() + "/data/postgres.new/base");
  std::ofstream(folder_.path() + "/data/postgres.new/PG_VERSION") << "15\n";
  EXPECT_NE(Start(Options()), nullptr);
}

TEST_F(EmbeddedPostgresTest, DataOfAnotherMajorVersionIsRefusedBeforeItIsTouched) {
  std::filesystem::create_directories(folder_.path() + "/data/postgres");
  if (geteuid() == 0) {
    ASSERT_EQ(chown((folder_.path() + "/data/postgres").c_str(), User().uid, User().gid), 0);
  }
  std::ofstream(folder_.path() + "/data/postgres/PG_VERSION") << "99\n";
  const absl::Status status = EmbeddedPostgres::Start(Options()).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("PostgreSQL 99"));
}

TEST_F(EmbeddedPostgresTest, ReportsWhyPostgresDidNotStart) {
  Start(Options());
  std::ofstream(folder_.path() + "/data/postgres/postgresql.conf", std::ios::app) << "no_such_setting = 1\n";
  const absl::Status status = EmbeddedPostgres::Start(Options()).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("no_such_setting"));
}

TEST_F(EmbeddedPostgresTest, AFolderThatCannotBeMadeIsNamed) {
  std::ofstream(folder_.path() + "/file") << "x";
  const absl::Status status = EmbeddedPostgres::Start(Options("file/data")).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("file/data"));
}

// Only root hands the cluster to another user.
class EmbeddedPostgresAsRootTest : public EmbeddedPostgresTest {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root";
    closed_ = folder_.path() + "/closed";
    ASSERT_EQ(mkdir(closed_.c_str(), 0700), 0);
  }
  std::string closed_;
};

TEST_F(EmbeddedPostgresAsRootTest, RunsAsPostgresAndLeavesTheFolderToRoot) {
  auto postgres = Start(Options());
  ASSERT_NE(postgres, nullptr);
  struct stat found = {};
  ASSERT_EQ(stat((folder_.path() + "/data").c_str(), &found), 0);
  EXPECT_EQ(found.st_uid, 0u);
  ASSERT_EQ(stat((folder_.path() + "/data/postgres").c_str(), &found), 0);
  EXPECT_EQ(found.st_uid, User().uid);
}

TEST_F(EmbeddedPostgresAsRootTest, AChosenFolderBehindAClosedOneIsRefused) {
  const absl::Status status = EmbeddedPostgres::Start(Options("closed/data")).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(closed_));
  EXPECT_FALSE(std::filesystem::exists(closed_ + "/data"));
}

TEST_F(EmbeddedPostgresAsRootTest, TheDefaultFolderBehindAClosedOneIsRelocated) {
  EmbeddedPostgresOptions options = Options("closed/data");
  options.may_relocate = true;
  std::string used;
  for (int life = 0; life < 2; ++life) {
    auto postgres = Start(options);
    ASSERT_NE(postgres, nullptr);
    EXPECT_THAT(postgres->data_dir(), testing::StartsWith("/var/lib/tasker-registry/"));
    EXPECT_THAT(postgres->relocation_reason(), HasSubstr(closed_));
    EXPECT_TRUE(used.empty() || used == postgres->data_dir()) << "the same wish finds the same folder";
    used = postgres->data_dir();
  }
  std::filesystem::remove_all(used);
  rmdir("/var/lib/tasker-registry");
}

}  // namespace
}  // namespace tasker::store
