#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lib/store/connection_pool.h"
#include "lib/store/embedded_postgres.h"
#include "server/server.h"
#include "tests/bench/bench_main.h"
#include "tests/bench/load.h"
#include "tests/bench/measure.h"
#include "tests/support/postgres_fixture.h"

namespace tasker::bench {

/// A PostgreSQL that keeps its promises (fsync), unlike that of the tests.
class Database {
 public:
  Database();
  std::string url() const { return postgres_->DatabaseUrl(); }
  int pid() const { return postgres_->pid(); }
  const std::shared_ptr<store::ConnectionPool>& pool() const { return pool_; }
  /// The file of its unix socket.
  std::string socket() const;

 private:
  test::TemporaryFolder folder_;
  std::unique_ptr<store::EmbeddedPostgres> postgres_;
  std::shared_ptr<store::ConnectionPool> pool_;
};

/// A whole registry server in this process, with an echo beside its services. Access lines are off.
class RegistryServer {
 public:
  explicit RegistryServer(const std::string& database_url, uint64_t cache_bytes = server::Options().cache_bytes);
  ~RegistryServer();

  LoadCall Echo() const { return {address(), "/tasker.bench.EchoService/Echo", "", 1}; }
  /// A bare answer of `bytes` bytes that are there already.
  LoadCall Give(size_t bytes) const { return {address(), "/tasker.bench.EchoService/Give", std::to_string(bytes), 1}; }
  /// `method` is "ResolverService/ResolveTemplate".
  LoadCall Call(const std::string& method, const std::string& bytes, long spread = 1) const {
    return {address(), "/tasker.registry.v1." + method, bytes, spread};
  }
  const std::string& address() const { return server_->grpc_address(); }

 private:
  class Echoer;
  std::unique_ptr<Echoer> echo_;
  std::unique_ptr<server::Server> server_;
};

/// What the rows share. Rows are measured only where `Wants` says so.
class Bench {
 public:
  explicit Bench(const Arguments& arguments)
      : arguments_(arguments), plan_(arguments.smoke ? Plan{1, 0.1} : Plan{5, 0.5}) {}

  const Arguments& arguments() const { return arguments_; }
  const Plan& plan() const { return plan_; }
  Load& load() { return load_; }
  Database& database() { return database_; }
  bool Wants(const std::string& name) const { return name.find(arguments_.only) != std::string::npos; }

  /// Figures of which more is better; see Compare.
  void Row(const std::string& name, const Figure& figure, const std::string& baseline, const Figure& baseline_figure,
           double aim);
  /// Rates of calls, `depth` at once.
  void Row(const std::string& name, const LoadCall& call, const std::string& baseline, const LoadCall& baseline_call,
           int depth, double aim);
  void Note(const std::string& line);

  const std::vector<Result>& results() const { return results_; }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  const Arguments arguments_;
  const Plan plan_;
  Load load_;
  Database database_;
  std::vector<Result> results_;
  std::vector<std::string> notes_;
};

/// A template in the namespace `bench`: 5 steps make an answer of about 1 KB, 50 one of about 11 KB.
std::string TemplateYaml(const std::string& name, const std::string& version, int steps);

void MeasureTemplates(Bench& bench);
void MeasureResolving(Bench& bench);
void MeasureRegistering(Bench& bench);
void MeasureSizes(Bench& bench);

}  // namespace tasker::bench
