// tasker-registryd: the registry's server. See options.h for what can be configured.

#include <absl/synchronization/mutex.h>
#include <absl/synchronization/notification.h>
#include <absl/time/clock.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <thread>

#include "lib/store/embedded_postgres.h"
#include "lib/store/migrations.h"
#include "server/log.h"
#include "server/options.h"
#include "server/server.h"

namespace tasker::server {
namespace {

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;
constexpr absl::Duration kMigrationLimit = absl::Minutes(10);

// Turns the first SIGTERM, SIGINT or SIGHUP into a notification, and lets the second end the process at once (the
// embedded PostgreSQL stops by itself then). Must be made before any other thread, which all inherit the blocked
// signals; a handler could not drain, since gRPC takes locks.
class StopSignal {
 public:
  StopSignal() {
    std::signal(SIGPIPE, SIG_IGN);
    sigemptyset(&signals_);
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals_, number);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    std::thread([this] { Watch(); }).detach();  // lives until the process ends, as this object does
  }

  void Wait() { stop_.WaitForNotification(); }

 private:
  void Watch() {
    int number = 0;
    sigwait(&signals_, &number);
    spdlog::info("{}: draining; a second signal ends at once", strsignal(number));
    stop_.Notify();
    sigwait(&signals_, &number);
    std::_Exit(128 + number);
  }

  sigset_t signals_;
  absl::Notification stop_;
};

int Fail(const absl::Status& status, int code = kExitFailure) {
  fmt::print(stderr, "tasker-registryd: error: {}\n", std::string(status.message()));
  return code;
}

int Serve(const Options& options) {
  if (absl::Status status = CheckOptions(options); !status.ok()) return Fail(status, kExitUsage);
  static StopSignal stop;
  absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(options);
  if (!server.ok()) return Fail(server.status());
  fmt::print("{}\n", (*server)->ReadyLine());
  std::fflush(stdout);
  spdlog::info("{}", (*server)->ReadyLine());
  stop.Wait();
  (*server)->Drain(absl::Seconds(options.grace_seconds));
  server->reset();
  spdlog::info("stopped");
  return 0;
}

int MigrateUp(const Options& options) {
  const absl::StatusOr<Database> database = OpenDatabase(options);
  if (!database.ok()) return Fail(database.status());
  const absl::StatusOr<int> applied = store::MigrateUp(*database->pool, absl::Now() + kMigrationLimit);
  if (!applied.ok()) return Fail(applied.status());
  fmt::print("{}\n", *applied == 0 ? "up to date" : fmt::format("applied {}", *applied));
  return 0;
}

std::string_view StateName(store::MigrationState state) {
  switch (state) {
    case store::MigrationState::kApplied:
      return "applied";
    case store::MigrationState::kPending:
      return "pending";
    case store::MigrationState::kEdited:
      return "edited";
    case store::MigrationState::kUnknown:
      return "unknown";
  }
  return "";
}

int MigrateStatus(const Options& options) {
  const absl::StatusOr<Database> database = OpenDatabase(options);
  if (!database.ok()) return Fail(database.status());
  const auto migrations = store::LoadMigrations(*database->pool, absl::Now() + kMigrationLimit);
  if (!migrations.ok()) return Fail(migrations.status());
  for (const store::MigrationStatus& migration : *migrations) {
    const bool pending = migration.state == store::MigrationState::kPending;
    const std::string time =
        pending ? "" : absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", migration.apply_time, absl::UTCTimeZone());
    fmt::print("{}\t{}\t{}\n", migration.name, StateName(migration.state), time);
  }
  return 0;
}

int Run(int argc, char** argv) {
  const absl::StatusOr<CommandLine> line = ParseCommandLine(argc, argv);
  if (!line.ok()) return Fail(line.status(), kExitUsage);
  if (!line->help.empty()) {
    fmt::print("{}", line->help);
    return 0;
  }
  SetUpLog(line->options.log_format == "json" ? LogFormat::kJson : LogFormat::kText, line->options.log_level);
  switch (line->command) {
    case Command::kServe:
      return Serve(line->options);
    case Command::kMigrateUp:
      return MigrateUp(line->options);
    case Command::kMigrateStatus:
      return MigrateStatus(line->options);
    case Command::kVersion:
      fmt::print("tasker-registryd {}\n", Version());
      return 0;
  }
  return kExitUsage;
}

}  // namespace
}  // namespace tasker::server

int main(int argc, char** argv) {
  // Debian builds Abseil with its detector of deadlocks on, in which gRPC, which locks by absl::Mutex, then spends a
  // tenth of its time.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  try {
    return tasker::server::Run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "tasker-registryd: error: %s\n", e.what());
    return 1;
  }
}
