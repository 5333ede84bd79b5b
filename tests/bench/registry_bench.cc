// Times the registry beside what it is made of, each figure and its baseline in turn, in one run; docs/performance.md
// explains the rows.
//
//   build/release/bin/registry_bench               a table
//   build/release/bin/registry_bench --json FILE   the same as JSON, too
//   build/release/bin/registry_bench --only WORD   only the rows whose names hold the word
//   build/release/bin/registry_bench --large       also the rows about 1,000,000 versions, which it loads first
//   build/release/bin/registry_bench --smoke       one short round; fails when a ratio is below half its aim
//
// Only the ratios say anything on a machine with other work. The load generator is a process of its own (registry_load)
// on the same machine.
#include <absl/strings/numbers.h>
#include <fmt/format.h>
#include <grpcpp/support/byte_buffer.h>

#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>

#include "echo.grpc.pb.h"
#include "lib/store/migrations.h"
#include "server/log.h"
#include "tests/bench/rows.h"

namespace tasker::bench {

Database::Database() {
  store::EmbeddedPostgresOptions options;
  options.data_dir = folder_.path() + "/data";
  options.max_connections = 200;
  postgres_ = store::EmbeddedPostgres::Start(options).value();
  pool_ = store::ConnectionPool::Create({.database_url = url(), .max_call = absl::Hours(1)}).value();
  const absl::StatusOr<int> applied = store::MigrateUp(*pool_, absl::InfiniteFuture());
  if (!applied.ok()) throw std::runtime_error(applied.status().ToString());
}

std::string Database::socket() const {
  std::string folder = url().substr(url().find("host=") + 5);
  folder = folder.substr(0, folder.find(" port="));
  if (folder.front() == '\'') folder = folder.substr(1, folder.size() - 2);
  return folder + "/.s.PGSQL.5432";
}

class RegistryServer::Echoer final
    : public EchoService::WithCallbackMethod_Echo<EchoService::WithRawCallbackMethod_Give<EchoService::Service>> {
 public:
  grpc::ServerUnaryReactor* Give(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                 grpc::ByteBuffer* response) override {
    static const std::string kBytes(1 << 20, 'x');
    grpc::Slice digits;
    size_t size = 0;
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    if (!request->DumpToSingleSlice(&digits).ok() ||
        !absl::SimpleAtoi(std::string(digits.begin(), digits.end()), &size) || size > kBytes.size()) {
      reactor->Finish({grpc::StatusCode::INVALID_ARGUMENT, "no size"});
      return reactor;
    }
    const grpc::Slice slice(kBytes.data(), size, grpc::Slice::STATIC_SLICE);
    *response = grpc::ByteBuffer(&slice, 1);
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context, const EchoRequest* request,
                                 EchoResponse* response) override {
    response->GetReflection()->MutableUnknownFields(response)->MergeFrom(
        request->GetReflection()->GetUnknownFields(*request));
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

RegistryServer::RegistryServer(const std::string& database_url, uint64_t cache_bytes)
    : echo_(std::make_unique<Echoer>()) {
  server::Options options;
  options.listen = "127.0.0.1:0";
  options.http_listen = "";
  options.database_url = database_url;
  options.cache_bytes = cache_bytes;
  auto server = server::Server::Start(options, {echo_.get()});
  if (!server.ok()) throw std::runtime_error(server.status().ToString());
  server_ = *std::move(server);
}

RegistryServer::~RegistryServer() = default;

void Bench::Row(const std::string& name, const Figure& figure, const std::string& baseline,
                const Figure& baseline_figure, double aim) {
  if (!Wants(name)) return;
  Result result = Compare(plan_.rounds, name, figure, baseline, baseline_figure, aim);
  // One short round may meet something else that the machine does.
  for (int again = 0; arguments_.smoke && result.ratio < aim / 2 && again < 3; ++again) {
    result = Compare(plan_.rounds, name, figure, baseline, baseline_figure, aim);
  }
  results_.push_back(std::move(result));
  fmt::print(stderr, "{}", Table({results_.back()}).substr(Table({}).size()));
}

void Bench::Row(const std::string& name, const LoadCall& call, const std::string& baseline,
                const LoadCall& baseline_call, int depth, double aim) {
  if (!Wants(name)) return;
  load_.Closed(baseline_call, depth, plan_.seconds / 5);
  load_.Closed(call, depth, plan_.seconds / 5);
  Row(
      name, [&] { return load_.Closed(call, depth, plan_.seconds).rate; }, baseline,
      [&] { return load_.Closed(baseline_call, depth, plan_.seconds).rate; }, aim);
}

void Bench::Note(const std::string& line) {
  notes_.push_back(line);
  fmt::print(stderr, "{}\n", line);
}

std::string TemplateYaml(const std::string& name, const std::string& version, int steps) {
  std::string text = fmt::format(
      "name: {}\nnamespace_name: bench\nversion: {}\n"
      "task_handler: {{callable: \"Bench::TaskHandler\", initialization: {{timeout_ms: 30000}}}}\nsteps:\n",
      name, version);
  for (int step = 1; step <= steps; ++step) {
    text += fmt::format(
        "  - name: step_{0}\n    description: \"Step {0} of the template that the benchmark resolves: it does what "
        "every step "
        "of a workflow does, and says so\"\n"
        "    handler: {{callable: \"Bench::Step{0}Handler\", initialization: {{threshold: 0.5}}}}\n"
        "    timeout_seconds: 30\n",
        step);
    if (step > 1) text += fmt::format("    depends_on: [step_{}]\n", step - 1);
  }
  return text + "environments: {production: {task_handler: {initialization: {timeout_ms: 5000}}}}\n";
}

namespace {

int Run(const Arguments& arguments) {
  server::SetUpLog(server::LogFormat::kText, "warn");
  Bench bench(arguments);
  MeasureTemplates(bench);
  MeasureResolving(bench);
  MeasureRegistering(bench);
  MeasureSizes(bench);
  fmt::print("{}", Table(bench.results()));
  for (const std::string& line : bench.notes()) fmt::print("{}\n", line);
  if (!arguments.json_file.empty()) std::ofstream(arguments.json_file) << Json(bench.results()) << "\n";
  return arguments.smoke && AnyBelowHalf(bench.results()) ? 1 : 0;
}

}  // namespace
}  // namespace tasker::bench

int main(int argc, char** argv) { return tasker::bench::BenchMain(argc, argv, tasker::bench::Run, /*has_rows=*/true); }
