#include "lib/store/embedded_postgres.h"

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "lib/store/connection_pool.h"
#include "lib/store/connection_string.h"
#include "lib/store/data_folder.h"
#include "lib/store/postgres_binaries.h"
#include "lib/store/postgres_process.h"
#include "lib/store/session.h"

namespace tasker::store {
namespace {

namespace fs = std::filesystem;

constexpr absl::Duration kStopPatience = absl::Seconds(30);
constexpr absl::Duration kStartPatience = absl::Minutes(10);  // recovery replays up to 1 GB of log
constexpr std::chrono::milliseconds kRestartPause{500};
constexpr std::chrono::milliseconds kPingPause{20};
constexpr size_t kKeptLines = 20;
constexpr size_t kMaxLine = 4096;

template <typename Number>
Number FirstNumberIn(const std::string& file) {
  Number number = 0;
  std::ifstream(file) >> number;
  return number;
}

// For a setting that is a list of folders, which may contain commas and blanks.
std::string QuotedInList(const std::string& folder) {
  std::string out = "\"";
  for (const char c : folder) out.append(c == '"' ? 2 : 1, c);
  return out + "\"";
}

}  // namespace

class EmbeddedPostgres::Cluster {
 public:
  Cluster(EmbeddedPostgresOptions options, DataFolder folder, PostgresBinaries binaries)
      : options_(std::move(options)), folder_(std::move(folder)), binaries_(std::move(binaries)) {}
  ~Cluster() { Stop(); }

  absl::Status Start();
  void Stop();

  std::string DatabaseUrl(const std::string& name) const {
    return fmt::format("host={} port=5432 user=tasker dbname={}", QuoteConnectionValue(socket_folder_),
                       QuoteConnectionValue(name));
  }
  const DataFolder& folder() const { return folder_; }
  const PostgresBinaries& binaries() const { return binaries_; }
  int pid() const {
    std::lock_guard lock(mutex_);
    return child_.pid;
  }

 private:
  absl::Status EndEarlierLife() const;
  absl::Status Initialise() const;
  std::vector<std::string> Command() const;
  absl::Status WaitUntilReady();
  absl::Status MakeDatabase() const;

  void Supervise();
  /// Starts the server process; false when Stop was called, or when it cannot.
  bool Launch();
  /// Logs what it says until it has ended.
  void Attend();
  bool Reap();
  bool ReadOutput(int timeout_ms, std::string& line);
  void TakeLine(const std::string& line);

  const EmbeddedPostgresOptions options_;
  const DataFolder folder_;
  const PostgresBinaries binaries_;
  std::string socket_folder_;  // constant once Supervise runs

  // Not absl::Mutex: the one of the distributions is invisible to ThreadSanitizer. Guards all below.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  ChildProcess child_;  // pid 0: none is running
  int ends_ = 0;        // how often it has ended
  bool ready_ = false;  // it has answered once
  bool stopping_ = false;
  bool stopped_ = false;  // Supervise is done
  std::deque<std::string> last_lines_;

  // Starts the server: its child is told to die with this very thread, so the thread must live as long as the cluster.
  std::thread supervisor_;
};

absl::Status EmbeddedPostgres::Cluster::EndEarlierLife() const {
  for (const std::string& cluster : {folder_.cluster(), folder_.unfinished_cluster()}) {
    const auto leader = FirstNumberIn<pid_t>(cluster + "/postmaster.pid");
    if (const size_t left = ProcessesIn(cluster, folder_.user()).size(); left > 0) {
      spdlog::warn("ending {} processes that an earlier PostgreSQL left in {}", left, cluster);
    }
    if (!EndProcessesIn(cluster, folder_.user(), leader, kStopPatience)) {
      return absl::FailedPreconditionError(
          fmt::format("processes of an earlier PostgreSQL in {} do not end; end them and try again", cluster));
    }
    // Nobody is left, so the file is stale; its pid may meanwhile be any other process, which PostgreSQL would believe.
    std::error_code error;
    fs::remove(cluster + "/postmaster.pid", error);
  }
  return absl::OkStatus();
}

absl::Status EmbeddedPostgres::Cluster::Initialise() const {
  std::error_code error;
  if (fs::exists(folder_.cluster() + "/PG_VERSION", error)) return absl::OkStatus();
  // Made under another name, so that a cluster that bears its name is complete.
  const std::string making = folder_.unfinished_cluster();
  if (absl::Status status = folder_.MakeForUser(making); !status.ok()) return status;
  std::vector<std::string> command = {binaries_.folder + "/initdb",
                                      "--pgdata=" + making,
                                      "--username=tasker",
                                      "--auth=trust",  // whoever can enter the socket's folder
                                      "--encoding=UTF8",
                                      "--locale=C"};
  if (!options_.fsync) command.emplace_back("--no-sync");
  const absl::StatusOr<FinishedProcess> run = RunProcess(command, folder_.user());
  if (!run.ok()) return run.status();
  if (run->exit_code != 0) {
    return absl::UnavailableError(fmt::format("PostgreSQL could not make its data in {}:\n{}", making, run->output));
  }
  fs::rename(making, folder_.cluster(), error);
  if (error) {
    return absl::FailedPreconditionError(fmt::format("cannot make {}: {}", folder_.cluster(), error.message()));
  }
  return absl::OkStatus();
}

std::vector<std::string> EmbeddedPostgres::Cluster::Command() const {
  std::vector<std::string> command = {binaries_.folder + "/postgres", "-D", folder_.cluster()};
  const std::vector<std::pair<std::string_view, std::string>> settings = {
      {"listen_addresses", ""},
      {"port", "5432"},
      {"unix_socket_directories", QuotedInList(socket_folder_)},
      {"unix_socket_permissions", "0777"},  // the folder keeps others out
      {"max_connections", std::to_string(options_.max_connections)},
      {"fsync", options_.fsync ? "on" : "off"},
      {"log_destination", "stderr"},
      {"logging_collector", "off"},
      {"log_line_prefix", ""},
      {"log_min_messages", "log"},           // not ERROR: whoever gets it logs it
      {"log_min_error_statement", "panic"},  // not the text of statements
      {"timezone", "UTC"},
  };
  for (const auto& [name, value] : settings) {
    command.emplace_back("-c");
    command.push_back(fmt::format("{}={}", name, value));
  }
  return command;
}

absl::Status EmbeddedPostgres::Cluster::Start() {
  if (absl::Status status = EndEarlierLife(); !status.ok()) return status;
  if (absl::Status status = Initialise(); !status.ok()) return status;
  absl::StatusOr<std::string> socket_folder = folder_.MakeSocketFolder();
  if (!socket_folder.ok()) return socket_folder.status();
  socket_folder_ = *std::move(socket_folder);
  supervisor_ = std::thread([this] { Supervise(); });
  if (absl::Status status = WaitUntilReady(); !status.ok()) return status;
  return MakeDatabase();
}

absl::Status EmbeddedPostgres::Cluster::WaitUntilReady() {
  const std::string url = DatabaseUrl("postgres");
  const absl::Time deadline = absl::Now() + kStartPatience;
  while (PQping(url.c_str()) != PQPING_OK) {
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, kPingPause, [this] { return ends_ > 0; }) || absl::Now() > deadline) {
      return absl::UnavailableError(
          fmt::format("PostgreSQL did not start in {}:\n{}", folder_.path(), fmt::join(last_lines_, "\n")));
    }
  }
  std::lock_guard lock(mutex_);
  ready_ = true;
  return absl::OkStatus();
}

absl::Status EmbeddedPostgres::Cluster::MakeDatabase() const {
  absl::StatusOr<std::shared_ptr<ConnectionPool>> pool =
      ConnectionPool::Create({.database_url = DatabaseUrl("postgres")});
  if (!pool.ok()) return pool.status();
  return (*pool)->Run("make the database", CallKind::kRead, absl::InfiniteFuture(), [](Session& session) {
    if (session.Execute("SELECT FROM pg_database WHERE datname = 'tasker'").empty()) {
      session.Execute("CREATE DATABASE tasker");
    }
  });
}

void EmbeddedPostgres::Cluster::Supervise() {
  while (Launch()) {
    Attend();
    // Its children notice late that it is gone when somebody killed it.
    EndProcessesIn(folder_.cluster(), folder_.user(), 0, absl::ZeroDuration());
    std::unique_lock lock(mutex_);
    ++ends_;
    changed_.notify_all();
    if (stopping_ || !ready_) break;
    spdlog::error("PostgreSQL ended by itself and is started again");
    if (changed_.wait_for(lock, kRestartPause, [this] { return stopping_; })) break;
    std::error_code error;
    fs::remove(folder_.cluster() + "/postmaster.pid", error);
    if (const auto socket = folder_.MakeSocketFolder(); !socket.ok()) {
      spdlog::error("PostgreSQL's socket: {}", std::string(socket.status().message()));
    }
  }
  std::lock_guard lock(mutex_);
  ++ends_;
  stopped_ = true;
  changed_.notify_all();
}

bool EmbeddedPostgres::Cluster::Launch() {
  std::lock_guard lock(mutex_);
  if (stopping_) return false;
  absl::StatusOr<ChildProcess> child = StartProcess(Command(), folder_.user(), /*die_with_thread=*/true);
  if (!child.ok()) {
    last_lines_.emplace_back(child.status().message());
    spdlog::error("PostgreSQL cannot be started: {}", last_lines_.back());
    return false;
  }
  child_ = *child;
  return true;
}

void EmbeddedPostgres::Cluster::Attend() {
  std::string line;
  bool open = true;
  while (!Reap()) open = open ? ReadOutput(100, line) : (absl::SleepFor(absl::Milliseconds(20)), false);
  while (open && ReadOutput(0, line)) {
  }
  std::lock_guard lock(mutex_);
  close(child_.output);
  child_.output = -1;
}

bool EmbeddedPostgres::Cluster::Reap() {
  std::lock_guard lock(mutex_);  // so that nobody signals a pid that is no longer ours
  int wait_status = 0;
  if (waitpid(child_.pid, &wait_status, WNOHANG) == 0) return false;
  child_.pid = 0;
  return true;
}

// Appends to `line` and deals with each line that is whole. False at the end of the output, or when none came in time.
bool EmbeddedPostgres::Cluster::ReadOutput(int timeout_ms, std::string& line) {
  int output = -1;
  {
    std::lock_guard lock(mutex_);
    output = child_.output;
  }
  pollfd waiting = {.fd = output, .events = POLLIN, .revents = 0};
  if (poll(&waiting, 1, timeout_ms) <= 0) return timeout_ms > 0;
  char buffer[4096];
  const ssize_t got = read(output, buffer, sizeof buffer);
  if (got <= 0) return got < 0 && errno == EINTR;
  for (const char c : std::string_view(buffer, static_cast<size_t>(got))) {
    if (c != '\n') {
      if (line.size() < kMaxLine) line += c;
      continue;
    }
    TakeLine(line);
    line.clear();
  }
  return true;
}

void EmbeddedPostgres::Cluster::TakeLine(const std::string& line) {
  std::lock_guard lock(mutex_);
  // While it starts or stops, it refuses and ends connections with FATAL: nothing to worry about.
  const bool bad = line.find("FATAL:") != std::string::npos || line.find("PANIC:") != std::string::npos;
  spdlog::log(bad && ready_ && !stopping_ ? spdlog::level::warn : spdlog::level::debug, "postgres: {}", line);
  last_lines_.push_back(line);
  if (last_lines_.size() > kKeptLines) last_lines_.pop_front();
}

void EmbeddedPostgres::Cluster::Stop() {
  if (!supervisor_.joinable()) return;
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
    if (child_.pid > 0) kill(child_.pid, SIGINT);
    if (!changed_.wait_for(lock, absl::ToChronoSeconds(kStopPatience), [this] { return stopped_; })) {
      spdlog::warn("PostgreSQL takes longer than {} to stop; it is killed and recovers at its next start",
                   absl::FormatDuration(kStopPatience));
    }
  }
  EndProcessesIn(folder_.cluster(), folder_.user(), 0, absl::ZeroDuration());
  supervisor_.join();
  if (socket_folder_.substr(0, folder_.path().size()) != folder_.path()) rmdir(socket_folder_.c_str());
}

absl::StatusOr<std::unique_ptr<EmbeddedPostgres>> EmbeddedPostgres::Start(const EmbeddedPostgresOptions& options) {
  absl::StatusOr<DataFolder> folder = DataFolder::Open(options.data_dir, options.may_relocate);
  if (!folder.ok()) return folder.status();
  absl::StatusOr<PostgresBinaries> binaries =
      FindPostgresBinaries(options.bin_dir, FirstNumberIn<int>(folder->cluster() + "/PG_VERSION"));
  if (!binaries.ok()) return binaries.status();
  auto cluster = std::make_unique<Cluster>(options, *std::move(folder), *std::move(binaries));
  if (absl::Status status = cluster->Start(); !status.ok()) return status;
  return std::unique_ptr<EmbeddedPostgres>(new EmbeddedPostgres(std::move(cluster)));
}

EmbeddedPostgres::EmbeddedPostgres(std::unique_ptr<Cluster> cluster) : cluster_(std::move(cluster)) {}
EmbeddedPostgres::~EmbeddedPostgres() = default;

std::string EmbeddedPostgres::DatabaseUrl(const std::string& name) const { return cluster_->DatabaseUrl(name); }
const std::string& EmbeddedPostgres::data_dir() const { return cluster_->folder().path(); }
const std::string& EmbeddedPostgres::relocation_reason() const { return cluster_->folder().relocation_reason(); }
const std::string& EmbeddedPostgres::bin_dir() const { return cluster_->binaries().folder; }
int EmbeddedPostgres::pid() const { return cluster_->pid(); }
void EmbeddedPostgres::Stop() { cluster_->Stop(); }

}  // namespace tasker::store
