#include "tests/support/postgres_fixture.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <pqxx/result>
#include <pqxx/row>

#include "lib/store/migrations.h"
#include "lib/store/session.h"

namespace tasker::test {
namespace {

// Reads until every writer of stdin is gone, which is when the test program is; then waits for PostgreSQL, which is on
// its way out, too.
constexpr char kRemover[] = R"(
cat > /dev/null
for i in $(seq 300); do
  pid=$(head -n 1 "$0"/*/postmaster.pid "$0"/postgres/postmaster.pid "$0"/*/postgres/postmaster.pid 2>/dev/null |
        grep -E '^[0-9]+$' | while read p; do kill -0 $p 2>/dev/null && echo $p; done)
  [ -z "$pid" ] && break
  sleep 0.1
done
rm -rf "$0"
)";

// Ends the test program; a fixture that does not stand up is no test's fault.
void Require(const absl::Status& status, const char* what) {
  if (status.ok()) return;
  fmt::print(stderr, "the test's PostgreSQL: {}: {}\n", what, std::string(status.message()));
  std::exit(1);
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  const char* const parent = std::getenv("TMPDIR");
  path_ = std::string(parent != nullptr && *parent != '\0' ? parent : "/tmp") + "/tasker-test-XXXXXX";
  int ends[2];
  if (mkdtemp(path_.data()) == nullptr || chmod(path_.c_str(), 0755) != 0 || pipe2(ends, O_CLOEXEC) != 0) {
    Require(absl::InternalError("cannot make it"), "temporary folder");
  }
  leash_ = ends[1];
  remover_ = fork();
  if (remover_ == 0) {
    setsid();
    dup2(ends[0], STDIN_FILENO);
    // The test runner waits until nobody holds these.
    const int null = open("/dev/null", O_WRONLY);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    execl("/bin/sh", "sh", "-c", kRemover, path_.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  close(ends[0]);
}

TemporaryFolder::~TemporaryFolder() {
  close(leash_);
  waitpid(remover_, nullptr, 0);
}

TestCluster& TestCluster::Get() {
  static TestCluster cluster;
  return cluster;
}

TestCluster::TestCluster() {
  auto started = store::EmbeddedPostgres::Start(
      {.data_dir = folder_.path() + "/pg", .bin_dir = "", .max_connections = 200, .fsync = false});
  Require(started.status(), "start");
  postgres_ = *std::move(started);
  admin_ = OpenPool(postgres_->DatabaseUrl("postgres"), 1);
  // "tasker" is the original of every migrated database.
  Require(store::MigrateUp(*OpenPool(postgres_->DatabaseUrl(), 1), absl::InfiniteFuture()).status(), "migrate");
}

std::string TestCluster::NewDatabaseLike(const std::string& original) {
  static std::atomic<int> count = 0;
  const std::string name = fmt::format("test_{}", ++count);
  RunSql(*admin_, fmt::format("CREATE DATABASE {} TEMPLATE {}", name, original));
  return postgres_->DatabaseUrl(name);
}

std::string TestCluster::NewDatabase() { return NewDatabaseLike("template0"); }
std::string TestCluster::NewMigratedDatabase() { return NewDatabaseLike("tasker"); }

std::shared_ptr<store::ConnectionPool> TestCluster::NewMigratedPool(int max_connections) {
  return OpenPool(NewMigratedDatabase(), max_connections);
}

std::shared_ptr<store::ConnectionPool> OpenPool(const std::string& url, int max_connections) {
  auto pool = store::ConnectionPool::Create({.database_url = url, .max_connections = max_connections});
  Require(pool.status(), "open a pool");
  return *std::move(pool);
}

std::vector<std::string> RunSql(store::ConnectionPool& pool, const std::string& sql) {
  std::vector<std::string> column;
  const absl::Status status =
      pool.Run("test SQL", store::CallKind::kWrite, absl::InfiniteFuture(), [&](store::Session& session) {
        for (const pqxx::row& row : session.Execute(sql)) column.emplace_back(row[0].c_str());
      });
  EXPECT_TRUE(status.ok()) << std::string(status.message()) << "\n" << sql;
  return column;
}

}  // namespace tasker::test
