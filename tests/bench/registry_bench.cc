// Times the registry beside what it is made of, in one run: reading beside a bare yaml-cpp event parse, registering
// beside bare inserts into the same PostgreSQL, resolving over gRPC beside an empty call in the same server.
//
//   build/release/bin/registry_bench              a table; about a minute
//   build/release/bin/registry_bench --json FILE  the same as JSON, too
//   build/release/bin/registry_bench --smoke      one short round, to see that it works
//
// Only the ratios say anything on a machine with other work. Access lines are off; client and server share the machine.
#include <fmt/format.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <pqxx/pqxx>
#include <string>

#include "lib/base/json.h"
#include "lib/registry/checked_source.h"
#include "lib/registry/payload_check.h"
#include "lib/registry/registrar.h"
#include "lib/registry/resolver.h"
#include "lib/store/embedded_postgres.h"
#include "lib/store/migrations.h"
#include "lib/store/store.h"
#include "lib/template/canonical.h"
#include "lib/template/resolve.h"
#include "server/log.h"
#include "tests/bench/grpc_load.h"
#include "tests/bench/measure.h"
#include "tests/bench/yaml_cpp_events.h"
#include "tests/support/postgres_fixture.h"

namespace tasker::bench {
namespace {

namespace pb = ::tasker::registry::v1;

struct Arguments {
  bool smoke = false;
  std::string json_file;
};

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The payment example under a new name for each call.
class Templates {
 public:
  explicit Templates(std::string text) : text_(std::move(text)) {}

  std::string Next() {
    constexpr std::string_view kName = "name: credit_card_payment";
    std::string text = text_;
    return text.replace(text.find(kName), kName.size(), fmt::format("name: payment_{}", ++count_));
  }

 private:
  const std::string text_;
  long count_ = 0;
};

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

// A cluster that keeps its promises (fsync), unlike that of the tests.
class Database {
 public:
  Database() {
    store::EmbeddedPostgresOptions options;
    options.data_dir = folder_.path() + "/data";
    postgres_ = store::EmbeddedPostgres::Start(options).value();
    pool_ = store::ConnectionPool::Create({.database_url = url()}).value();
    const absl::StatusOr<int> applied = store::MigrateUp(*pool_, absl::InfiniteFuture());
    if (!applied.ok()) throw std::runtime_error(applied.status().ToString());
  }
  std::string url() const { return postgres_->DatabaseUrl(); }
  const std::shared_ptr<store::ConnectionPool>& pool() const { return pool_; }

 private:
  test::TemporaryFolder folder_;
  std::unique_ptr<store::EmbeddedPostgres> postgres_;
  std::shared_ptr<store::ConnectionPool> pool_;
};

void MeasureMemory(const Plan& plan, const std::string& text, std::vector<Result>& results) {
  pb::TemplateSource source;
  source.set_yaml(text);
  const tmpl::TaskTemplate tmpl = *registry::CheckSource(source, {}).tmpl;
  const auto parse = [&] {
    ParseYamlCppEvents(text);
    return 1L;
  };
  results.push_back(Measure(
      plan, "read and check YAML, 5 steps",
      [&] { return registry::CheckSource(source, {}).tmpl.has_value() ? 1L : 0L; }, "yaml-cpp events", parse));
  results.push_back(Measure(
      plan, "resolve to canonical JSON, 5 steps",
      [&] { return tmpl::CanonicalText(tmpl::ResolveForEnvironment(tmpl, "production").tmpl).empty() ? 0L : 1L; },
      "yaml-cpp events", parse));
}

void MeasureRegistering(const Plan& plan, const Database& database, const std::string& text,
                        const registry::Registrar& registrar, std::vector<Result>& results) {
  Templates templates(text);
  pb::TemplateSource source;
  source.set_yaml(text);
  BareInserts bare(database.url(), registry::CheckSource(source, {}).canonical);
  const auto insert = [&] { return bare.Insert(); };
  results.push_back(Measure(
      plan, "register, one per call, 1 client",
      [&] {
        pb::RegisterTemplateRequest request;
        request.mutable_source()->set_yaml(templates.Next());
        return registrar.Register(request, {}).value().revision() > 0 ? 1L : 0L;
      },
      "prepared jsonb insert, 1 client", insert));
  results.push_back(Measure(
      plan, "register in batches of 500, templates",
      [&] {
        pb::RegisterTemplatesRequest request;
        for (int i = 0; i < 500; ++i) request.add_sources()->set_yaml(templates.Next());
        return static_cast<long>(registrar.Register(request, {}).value().registrations_size());
      },
      "prepared jsonb insert, 1 client", insert));
}

void MeasureValidating(const Plan& plan, GrpcLoad& load, long calls, std::vector<Result>& results) {
  pb::ValidateTaskInputRequest request;
  request.set_reference("payments/credit_card_payment:1.0.0");
  request.set_payload_json(R"({"card_number": "4111111111111111", "cvv": "123", "amount": 19.99, "currency": "EUR",)"
                           R"( "customer_id": 42})");
  const std::string bytes = request.SerializeAsString();
  load.ValidateP99(request, 100);
  load.EchoP99(bytes, 100);
  results.push_back(Compare(
      plan.rounds, "validate input over gRPC, 1 / p99, depth 1", [&] { return 1 / load.ValidateP99(request, calls); },
      "gRPC echo of the same, 1 / p99", [&] { return 1 / load.EchoP99(bytes, calls); }));
}

void MeasureGrpc(const Plan& plan, registry::Resolver& resolver, registry::PayloadCheck& payloads, bool smoke,
                 std::vector<Result>& results) {
  GrpcLoad load(resolver, payloads);
  const long calls = smoke ? 200 : 5000;
  for (const int depth : {1, 32}) {
    for (const char* reference : {"payments/credit_card_payment:1.0.0", "payments/credit_card_payment"}) {
      pb::ResolveTemplateRequest request;
      request.set_reference(reference);
      request.set_environment("production");
      load.Resolve(request, 10, 1);
      load.Echo(10, 1);
      const bool exact = std::strchr(reference, ':') != nullptr;
      results.push_back(Measure(
          plan, fmt::format("resolve over gRPC, {}, depth {}", exact ? "exact" : "latest", depth),
          [&] { return load.Resolve(request, exact ? calls : calls / 10, depth); },
          fmt::format("gRPC echo, depth {}", depth), [&] { return load.Echo(calls, depth); }));
    }
  }
  MeasureValidating(plan, load, calls, results);
}

int Run(const Arguments& arguments) {
  server::SetUpLog(server::LogFormat::kText, "warn");
  const Plan plan = arguments.smoke ? Plan{1, 0.02} : Plan{};
  const std::string text = ReadFile(std::string(TASKER_SOURCE_DIR) + "/examples/templates/credit_card_payment.yaml");
  std::vector<Result> results;
  MeasureMemory(plan, text, results);
  const Database database;
  const auto store = std::make_shared<store::Store>(database.pool());
  const registry::Registrar registrar(store, {});
  pb::RegisterTemplateRequest request;
  request.mutable_source()->set_yaml(text);
  registrar.Register(request, {}).value();
  const auto loader = std::make_shared<registry::TemplateLoader>(store, 64 << 20);
  registry::Resolver resolver(loader, 64 << 20);
  registry::PayloadCheck payloads(loader, 64 << 20);
  MeasureGrpc(plan, resolver, payloads, arguments.smoke, results);
  MeasureRegistering(plan, database, text, registrar, results);
  fmt::print("{}", Table(results));
  if (!arguments.json_file.empty()) std::ofstream(arguments.json_file) << Json(results) << "\n";
  return 0;
}

}  // namespace
}  // namespace tasker::bench

int main(int argc, char** argv) {
  tasker::bench::Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--smoke") {
      arguments.smoke = true;
    } else if (word == "--json" && i + 1 < argc) {
      arguments.json_file = argv[++i];
    } else {
      fmt::print(stderr, "usage: registry_bench [--smoke] [--json FILE]\n");
      return 2;
    }
  }
  try {
    return tasker::bench::Run(arguments);
  } catch (const std::exception& e) {
    fmt::print(stderr, "registry_bench: {}\n", e.what());
    return 1;
  }
}
