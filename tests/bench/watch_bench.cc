// How long a change takes from its commit to its watchers. Starts tasker-registryd, which lies beside this program,
// with a PostgreSQL of its own (fsync on), opens watches, each over a connection of its own, and registers templates
// one after the other with a pause between.
//
//   build/release/bin/watch_bench                   1, 100 and 2,000 watchers, the last over 2,000 connections and over
//   20; a
//                                                   table; about a minute
//   build/release/bin/watch_bench --json FILE       the same as JSON, too
//   build/release/bin/watch_bench --smoke           few watchers and changes, to see that it works
//
// A delay is counted from the change's create_time, which PostgreSQL takes inside the transaction, so the commit itself
// is part of it. The watching clients share the machine with the server and PostgreSQL.
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
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "tasker/registry/v1/registry.grpc.pb.h"
#include "tasker/registry/v1/resolver.grpc.pb.h"
#include "tests/bench/bench_main.h"
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

 private:
  test::TemporaryFolder folder_;
  int pid_ = 0;
  std::string address_;
};

std::shared_ptr<grpc::Channel> OwnConnection(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

// One watch, which notes how late each change came.
class Watch final : public grpc::ClientReadReactor<pb::WatchTemplatesResponse> {
 public:
  Watch(const std::shared_ptr<grpc::Channel>& channel, std::atomic<int>& bookmarks, std::atomic<long>& changes)
      : bookmarks_(bookmarks), changes_(changes), stub_(pb::ResolverService::NewStub(channel)) {
    stub_->async()->WatchTemplates(&context_, &request_, this);
    StartRead(&response_);
    StartCall();
  }

  // Ends it and gives the delays in seconds.
  std::vector<double> Stop() {
    context_.TryCancel();
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&done_));
    return std::move(delays_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    const absl::Time now = absl::Now();
    for (const pb::Change& change : response_.changes()) {
      const absl::Time committed =
          absl::FromUnixSeconds(change.create_time().seconds()) + absl::Nanoseconds(change.create_time().nanos());
      delays_.push_back(absl::ToDoubleSeconds(now - committed));
      ++changes_;
    }
    if (response_.changes().empty()) ++bookmarks_;
    StartRead(&response_);
  }

  void OnDone(const grpc::Status&) override {
    absl::MutexLock lock(&mutex_);
    done_ = true;
  }

 private:
  std::atomic<int>& bookmarks_;
  std::atomic<long>& changes_;
  const std::unique_ptr<pb::ResolverService::Stub> stub_;
  grpc::ClientContext context_;
  pb::WatchTemplatesRequest request_;
  pb::WatchTemplatesResponse response_;
  std::vector<double> delays_;
  absl::Mutex mutex_;
  bool done_ = false;
};

struct Case {
  int watchers = 0;
  int connections = 0;
};

struct Outcome {
  long delays = 0;
  double p50_ms = 0;
  double p99_ms = 0;
  double max_ms = 0;
  double server_us = 0;  // processor time of the server for one change to one watcher
};

template <typename Value>
void AwaitAtLeast(const std::atomic<Value>& value, long wanted, const char* what) {
  const absl::Time deadline = absl::Now() + absl::Seconds(60);
  while (value < wanted) {
    if (absl::Now() > deadline) throw std::runtime_error(fmt::format("{}: {} of {} in a minute", what, value, wanted));
    absl::SleepFor(absl::Milliseconds(1));
  }
}

Outcome Measure(const ServerProcess& server, const Case& load, int changes, absl::Duration pause, int& serial) {
  std::atomic<int> bookmarks = 0;
  std::atomic<long> seen = 0;
  std::vector<std::unique_ptr<Watch>> watches;
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int i = 0; i < load.connections; ++i) channels.push_back(OwnConnection(server.address()));
  for (int i = 0; i < load.watchers; ++i) {
    watches.push_back(std::make_unique<Watch>(channels[static_cast<size_t>(i % load.connections)], bookmarks, seen));
  }
  AwaitAtLeast(bookmarks, load.watchers, "watches that began");
  const auto stub = pb::RegistryService::NewStub(OwnConnection(server.address()));
  const double before = server.Seconds();
  for (int i = 0; i < changes; ++i) {
    grpc::ClientContext context;
    pb::RegisterTemplateRequest request;
    request.mutable_source()->set_yaml(fmt::format(
        "name: t{}\nnamespace_name: bench\nversion: 1.0.0\nsteps: [{{name: a, handler: {{callable: A}}}}]\n",
        ++serial));
    pb::RegisterTemplateResponse response;
    const grpc::Status status = stub->RegisterTemplate(&context, request, &response);
    if (!status.ok()) throw std::runtime_error("register: " + status.error_message());
    AwaitAtLeast(seen, static_cast<long>(i + 1) * load.watchers, "changes seen");
    absl::SleepFor(pause);
  }
  const double used = server.Seconds() - before;
  std::vector<double> delays;
  for (const auto& watch : watches) {
    const std::vector<double> some = watch->Stop();
    delays.insert(delays.end(), some.begin(), some.end());
  }
  std::sort(delays.begin(), delays.end());
  const auto at = [&](double share) {
    return delays[static_cast<size_t>(share * static_cast<double>(delays.size() - 1))] * 1000;
  };
  return {static_cast<long>(delays.size()), at(0.5), at(0.99), at(1), used / static_cast<double>(delays.size()) * 1e6};
}

int Run(const Arguments& arguments) {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;  // a connection for each watcher; the server inherits it
  setrlimit(RLIMIT_NOFILE, &files);
  const ServerProcess server;
  int serial = 0;
  std::string json;
  fmt::print("{:>9} {:>11} {:>9} {:>9} {:>9} {:>9} {:>16}\n", "watchers", "connections", "delays", "p50 ms", "p99 ms",
             "max ms", "server us/delay");
  const std::vector<Case> cases = arguments.smoke ? std::vector<Case>{{1, 1}, {10, 5}}
                                                  : std::vector<Case>{{1, 1}, {100, 100}, {2000, 2000}, {2000, 20}};
  const int changes = arguments.smoke ? 3 : 60;
  const absl::Duration pause = absl::Milliseconds(arguments.smoke ? 1 : 100);
  for (const Case& load : cases) {
    const Outcome o = Measure(server, load, changes, pause, serial);
    fmt::print("{:>9} {:>11} {:>9} {:>9.2f} {:>9.2f} {:>9.2f} {:>16.1f}\n", load.watchers, load.connections, o.delays,
               o.p50_ms, o.p99_ms, o.max_ms, o.server_us);
    std::fflush(stdout);
    json += fmt::format(R"({}{{"watchers":{},"connections":{},"delays":{},"p50_ms":{:.3f},"p99_ms":{:.3f},)"
                        R"("max_ms":{:.3f},"server_us":{:.3f}}})",
                        json.empty() ? "" : ",", load.watchers, load.connections, o.delays, o.p50_ms, o.p99_ms,
                        o.max_ms, o.server_us);
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
