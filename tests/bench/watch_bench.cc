// How long a change takes from its commit to its watchers. Starts tasker-registryd, which lies beside this program,
// with a PostgreSQL of its own (fsync on), opens watches and registers templates one after the other with a pause
// between. Each watch is checked to see every revision once and in order.
//
//   build/release/bin/watch_bench                   1, 100 and 2,000 watchers; a table; about two minutes
//   build/release/bin/watch_bench --json FILE       the same as JSON, too
//   build/release/bin/watch_bench --smoke           few watchers and changes, to see that it works
//
// A delay is counted from the change's create_time, which PostgreSQL takes inside the transaction, so the commit itself
// is part of it. The watching clients share the machine with the server and PostgreSQL: so most rows have clients that
// take little of it, and the last ones ordinary clients of gRPC.
#include <absl/synchronization/mutex.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tasker/registry/v1/registry.grpc.pb.h"
#include "tests/bench/bench_main.h"
#include "tests/bench/watchers.h"
#include "tests/support/postgres_fixture.h"

namespace tasker::bench {
namespace {

namespace pb = ::tasker::registry::v1;

// A tasker-registryd that ends with this object.
class ServerProcess {
 public:
  ServerProcess() {
    const std::string program = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "tasker-registryd";
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("no pipe");
    pid_ = fork();
    if (pid_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      const int log = open((folder_.path() + "/log").c_str(), O_WRONLY | O_CREAT, 0600);
      dup2(log, STDERR_FILENO);
      const std::string data = folder_.path() + "/data";
      execl(program.c_str(), program.c_str(), "--listen", "127.0.0.1:0", "--http-listen", "", "--log-level", "warn",
            "--data-dir", data.c_str(), static_cast<char*>(nullptr));
      _exit(127);
    }
    close(ends[1]);
    std::string line;
    for (char c = 0; read(ends[0], &c, 1) == 1 && c != '\n';) line += c;
    close(ends[0]);
    const size_t at = line.find("grpc=");
    if (at == std::string::npos) throw std::runtime_error("the server did not start; it said '" + line + "'");
    address_ = line.substr(at + 5);
  }
  ~ServerProcess() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  const std::string& address() const { return address_; }

  // Processor time that it has used.
  double Seconds() const {
    std::ifstream file(fmt::format("/proc/{}/stat", pid_));
    std::string skipped;
    for (int i = 0; i < 13; ++i) file >> skipped;
    double user = 0;
    double system = 0;
    file >> user >> system;
    return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
  }

  // Memory of its own, without what lies in files.
  double Bytes() const {
    std::ifstream file(fmt::format("/proc/{}/statm", pid_));
    double size = 0;
    double resident = 0;
    double shared = 0;
    file >> size >> resident >> shared;
    return (resident - shared) * static_cast<double>(sysconf(_SC_PAGESIZE));
  }

 private:
  test::TemporaryFolder folder_;
  int pid_ = 0;
  std::string address_;
};

enum class Clients { kHttp2, kGrpc };

struct Case {
  int watchers = 0;
  int connections = 0;
  Clients clients = Clients::kHttp2;
};

struct Outcome {
  long delays = 0;
  double p50_ms = 0;
  double p99_ms = 0;
  double max_ms = 0;
  double server_us = 0;   // processor time of the server for one change to one watcher
  double clients_us = 0;  // the same of this process
  double server_kib = 0;  // memory of the server for a watcher that waits
};

// Processor time that this process has used.
double OwnSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void AwaitAtLeast(const WatchProgress& progress, const std::atomic<long>& value, long wanted, const char* what) {
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  while (value < wanted) {
    if (progress.failed) throw std::runtime_error("a watch ended, or did not see every revision once and in order");
    if (absl::Now() > deadline) throw std::runtime_error(fmt::format("{}: {} of {} in a minute", what, value, wanted));
    absl::SleepFor(absl::Milliseconds(1));
  }
}

Outcome Measure(const Case& load, int changes, absl::Duration pause) {
  const ServerProcess server;
  const auto stub =
      pb::RegistryService::NewStub(grpc::CreateChannel(server.address(), grpc::InsecureChannelCredentials()));
  // Gives its revision.
  const auto add = [&](int serial) -> int64_t {
    grpc::ClientContext context;
    pb::RegisterTemplateRequest request;
    request.mutable_source()->set_yaml(fmt::format(
        "name: t{}\nnamespace_name: bench\nversion: 1.0.0\nsteps: [{{name: a, handler: {{callable: A}}}}]\n", serial));
    pb::RegisterTemplateResponse response;
    const grpc::Status status = stub->RegisterTemplate(&context, request, &response);
    if (!status.ok()) throw std::runtime_error("register: " + status.error_message());
    return response.revision();
  };
  const int64_t start = add(0);
  WatchProgress progress;
  const double memory = server.Bytes();
  const auto make = load.clients == Clients::kHttp2 ? MakeHttp2Watchers : MakeGrpcWatchers;
  const std::unique_ptr<Watchers> watchers = make(server.address(), load.watchers, load.connections, start, progress);
  AwaitAtLeast(progress, progress.begun, load.watchers, "watches that began");
  Outcome outcome;
  outcome.server_kib = (server.Bytes() - memory) / 1024 / load.watchers;
  const double server_before = server.Seconds();
  const double own_before = OwnSeconds();
  for (int i = 1; i <= changes; ++i) {
    add(i);
    AwaitAtLeast(progress, progress.changes, static_cast<long>(i) * load.watchers, "changes seen");
    absl::SleepFor(pause);
  }
  const double server_used = server.Seconds() - server_before;
  const double own_used = OwnSeconds() - own_before;
  std::vector<double> delays = watchers->Stop();
  std::sort(delays.begin(), delays.end());
  const auto at = [&](double share) {
    return delays[static_cast<size_t>(share * static_cast<double>(delays.size() - 1))] * 1000;
  };
  outcome.delays = static_cast<long>(delays.size());
  outcome.p50_ms = at(0.5);
  outcome.p99_ms = at(0.99);
  outcome.max_ms = at(1);
  outcome.server_us = server_used / static_cast<double>(delays.size()) * 1e6;
  outcome.clients_us = own_used / static_cast<double>(delays.size()) * 1e6;
  return outcome;
}

int Run(const Arguments& arguments) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;  // a connection for each watcher; the server inherits it
  setrlimit(RLIMIT_NOFILE, &files);
  std::string json;
  fmt::print("{:>9} {:>11} {:>8} {:>9} {:>9} {:>9} {:>9} {:>16} {:>17} {:>18}\n", "watchers", "connections", "clients",
             "delays", "p50 ms", "p99 ms", "max ms", "server us/delay", "clients us/delay", "server KiB/watcher");
  using enum Clients;
  const std::vector<Case> cases = arguments.smoke
                                      ? std::vector<Case>{{1, 1, kHttp2}, {10, 5, kHttp2}, {10, 5, kGrpc}}
                                      : std::vector<Case>{{1, 1, kHttp2},     {100, 100, kHttp2},  {2000, 2000, kHttp2},
                                                          {2000, 20, kHttp2}, {2000, 2000, kGrpc}, {2000, 20, kGrpc}};
  const int changes = arguments.smoke ? 3 : 60;
  const absl::Duration pause = absl::Milliseconds(arguments.smoke ? 1 : 100);
  for (const Case& load : cases) {
    const Outcome o = Measure(load, changes, pause);
    const char* const clients = load.clients == kHttp2 ? "http2" : "grpc";
    fmt::print("{:>9} {:>11} {:>8} {:>9} {:>9.2f} {:>9.2f} {:>9.2f} {:>16.1f} {:>17.1f} {:>18.1f}\n", load.watchers,
               load.connections, clients, o.delays, o.p50_ms, o.p99_ms, o.max_ms, o.server_us, o.clients_us,
               o.server_kib);
    std::fflush(stdout);
    json +=
        fmt::format(R"({}{{"watchers":{},"connections":{},"clients":"{}","delays":{},"p50_ms":{:.3f},)"
                    R"("p99_ms":{:.3f},"max_ms":{:.3f},"server_us":{:.3f},"clients_us":{:.3f},"server_kib":{:.3f}}})",
                    json.empty() ? "" : ",", load.watchers, load.connections, clients, o.delays, o.p50_ms, o.p99_ms,
                    o.max_ms, o.server_us, o.clients_us, o.server_kib);
  }
  if (!arguments.json_file.empty()) std::ofstream(arguments.json_file) << "[" << json << "]\n";
  return 0;
}

}  // namespace
}  // namespace tasker::bench

int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);  // as the server does
  return tasker::bench::BenchMain(argc, argv, tasker::bench::Run);
}
