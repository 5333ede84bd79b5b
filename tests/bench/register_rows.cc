#include <fmt/format.h>
#include <sched.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <pqxx/pqxx>
#include <thread>

#include "lib/registry/checked_source.h"
#include "tasker/registry/v1/registry.pb.h"
#include "tests/bench/process.h"
#include "tests/bench/rows.h"
#include "tests/bench/yaml_cpp_events.h"

namespace tasker::bench {
namespace {

namespace pb = ::tasker::registry::v1;

constexpr int kSteps = 5;
constexpr int kBatch = 1000;
constexpr int kWriters = 32;
constexpr double kDelaySeconds = 0.015;

// Single-row inserts by a prepared statement, each its own transaction, on one connection.
class BareInserts {
 public:
  BareInserts(const std::string& url, std::string configuration)
      : connection_(url), configuration_(std::move(configuration)) {
    pqxx::nontransaction(connection_).exec("CREATE TABLE bare (id bigserial PRIMARY KEY, configuration jsonb)");
    connection_.prepare("insert", "INSERT INTO bare (configuration) VALUES ($1::jsonb)");
  }
  long Insert() {
    pqxx::nontransaction(connection_).exec_prepared("insert", configuration_);
    return 1;
  }

 private:
  pqxx::connection connection_;
  const std::string configuration_;
};

// Keeps this process and PostgreSQL on one core, as long as this object lives.
class OneCore {
 public:
  explicit OneCore(int postgres) : postgres_(postgres) {
    sched_getaffinity(0, sizeof(before_), &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int core = 0; core < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++core) {
      if (CPU_ISSET(core, &before_)) CPU_SET(core, &one);
    }
    Pin(one);
  }
  ~OneCore() { Pin(before_); }
  OneCore(const OneCore&) = delete;
  OneCore& operator=(const OneCore&) = delete;

 private:
  static void PinThreads(const std::string& process, const cpu_set_t& cores) {
    for (const auto& entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", process))) {
      sched_setaffinity(std::atoi(entry.path().filename().c_str()), sizeof(cores), &cores);
    }
  }
  void Pin(const cpu_set_t& cores) const {
    PinThreads("self", cores);
    std::vector<int> family = {postgres_};
    for (size_t i = 0; i < family.size(); ++i) {
      PinThreads(std::to_string(family[i]), cores);
      std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", family[i]));
      for (int child = 0; children >> child;) family.push_back(child);
    }
  }

  const int postgres_;
  cpu_set_t before_;
};

std::string RegisterBytes() {
  pb::RegisterTemplateRequest request;
  request.mutable_source()->set_yaml(TemplateYaml(fmt::format("one_{}", kPlace), "1.0.0", kSteps));
  return request.SerializeAsString();
}

std::string BatchBytes() {
  pb::RegisterTemplatesRequest request;
  for (int i = 0; i < kBatch; ++i) {
    request.add_sources()->set_yaml(TemplateYaml(fmt::format("many_{}", kPlace), "1.0.0", kSteps));
  }
  return request.SerializeAsString();
}

void OneByOne(Bench& bench, const RegistryServer& server) {
  pb::TemplateSource source;
  source.set_yaml(TemplateYaml("one", "1.0.0", kSteps));
  BareInserts bare(bench.database().url(), registry::CheckSource(source, {}).canonical);
  const LoadCall call = server.Call("RegistryService/RegisterTemplate", RegisterBytes(), 100'000'000);
  const double seconds = bench.plan().seconds;
  bench.load().Closed(call, 1, seconds / 5);
  bench.Row(
      "register, one a call, 1 client", [&] { return bench.load().Closed(call, 1, seconds).rate; },
      "prepared jsonb insert, 1 client", [&] { return RateOf([&] { return bare.Insert(); }, seconds); }, 0.35);
  bench.Row(
      "register, one a call, 32 clients", [&] { return bench.load().Closed(call, kWriters, seconds).rate; },
      "prepared jsonb insert, 1 client", [&] { return RateOf([&] { return bare.Insert(); }, seconds); }, 0);
}

void Batches(Bench& bench, const RegistryServer& server) {
  const std::string name = fmt::format("register in batches of {}, one core", kBatch);
  if (!bench.Wants(name)) return;
  const LoadCall call = server.Call("RegistryService/RegisterTemplates", BatchBytes(), 100'000'000);
  const std::string text = TemplateYaml("many_00000000", "1.0.0", kSteps);
  const double seconds = bench.plan().seconds;
  bench.load().Closed(call, 1, seconds / 5);
  const OneCore one_core(bench.database().pid());
  bench.Row(
      name, [&] { return kBatch * bench.load().Closed(call, 1, 2 * seconds).rate; }, "yaml-cpp events of the texts",
      [&] {
        return RateOf(
            [&] {
              ParseYamlCppEvents(text);
              return 1L;
            },
            seconds);
      },
      0.5);
}

// ../shared/tools/latency_proxy.py, or where TASKER_LATENCY_PROXY says.
void Distant(Bench& bench) {
  const std::string name = fmt::format("register, {} writers, database 15 ms away", kWriters);
  if (!bench.Wants(name)) return;
  const char* const given = std::getenv("TASKER_LATENCY_PROXY");
  const std::string script = given != nullptr ? given : TASKER_SOURCE_DIR "/../shared/tools/latency_proxy.py";
  const std::string python = FindProgram("python3");
  if (python.empty() || !std::filesystem::exists(script)) {
    bench.Note(fmt::format("'{}' is left out: there is no {} (TASKER_LATENCY_PROXY says where)", name, script));
    return;
  }
  const int port = FreePort();
  const Process proxy({python, script, "--listen", fmt::format("127.0.0.1:{}", port), "--to", bench.database().socket(),
                       "--delay-ms", fmt::format("{}", kDelaySeconds * 1000)});
  const std::string url = fmt::format("host=127.0.0.1 port={} user=tasker dbname=tasker", port);
  std::optional<RegistryServer> server;
  for (int attempt = 0; !server; ++attempt) {
    try {
      server.emplace(url);
    } catch (const std::runtime_error&) {  // the proxy still starts
      if (attempt == 50) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
  const LoadCall call = server->Call("RegistryService/RegisterTemplate", RegisterBytes(), 100'000'000);
  const double seconds = std::max(bench.plan().seconds * 2, 0.5);
  bench.load().Closed(call, kWriters, seconds);
  bench.Row(
      name, [&] { return bench.load().Closed(call, kWriters, seconds).rate; }, "32 / 15 ms",
      [&] { return kWriters / kDelaySeconds; }, 0.8);
}

}  // namespace

void MeasureRegistering(Bench& bench) {
  if (bench.Wants("register, one a call, 1 client") || bench.Wants("register, one a call, 32 clients") ||
      bench.Wants(fmt::format("register in batches of {}, one core", kBatch))) {
    const RegistryServer server(bench.database().url());
    OneByOne(bench, server);
    Batches(bench, server);
  }
  Distant(bench);
}

}  // namespace tasker::bench
