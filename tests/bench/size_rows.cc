#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <stdexcept>

#include "lib/registry/checked_source.h"
#include "lib/registry/registrar.h"
#include "lib/registry/resolver.h"
#include "lib/store/migrations.h"
#include "lib/store/session.h"
#include "lib/store/store.h"
#include "tasker/registry/v1/catalog.pb.h"
#include "tasker/registry/v1/resolver.pb.h"
#include "tests/bench/process.h"
#include "tests/bench/rows.h"

namespace tasker::bench {
namespace {

namespace pb = ::tasker::registry::v1;

constexpr long kVersionsOfATemplate = 5;
constexpr long kSmallTemplates = 200;
constexpr long kLargeTemplates = 200'000;
constexpr long kTemplatesOfABatch = 200;  // with all their versions; each batch is a revision
constexpr double kMaxBytesBeyondAnswer = 400;
constexpr double kMaxResidentBytes = 80.0 * (1 << 20);

std::string Quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
  return out + "'";
}

// Fills an empty registry with templates large/t00000000, …, each in five versions, as registering them would, but for
// the names inside of the texts.
std::string FillSql(long templates) {
  pb::TemplateSource source;
  source.set_yaml(TemplateYaml("large", "1.0.0", 5));
  const registry::CheckedSource checked = registry::CheckSource(source, {});
  return fmt::format(
      "INSERT INTO tasker.task_namespaces (name, system_dependencies, template_count) "
      "VALUES ('large', '{{default}}', {0});"
      "INSERT INTO tasker.named_tasks (task_namespace_uuid, namespace, name, version, configuration, digest, "
      "source_text, step_count, revision) "
      "SELECT n.task_namespace_uuid, 'large', 't' || lpad(t::text, 8, '0'), v || '.0.0', {2}::jsonb, "
      "'sha256:' || encode(sha256((t || ':' || v)::bytea), 'hex'), {3}, 5, 1 + t / {4} "
      "FROM tasker.task_namespaces n, generate_series(0, {0} - 1) t, generate_series(1, {1}) v;"
      "INSERT INTO tasker.templates (namespace, name, latest_named_task_uuid, major, minor, patch, version_count, "
      "created_at, updated_at) SELECT namespace, name, named_task_uuid, major, minor, patch, {1}, created_at, "
      "updated_at "
      "FROM tasker.named_tasks WHERE major = {1};"
      "INSERT INTO tasker.template_index (named_task_uuid, namespace, name, major, minor, patch, revision, subject, "
      "term, role, step, environment, detail) SELECT named_task_uuid, namespace, name, major, minor, patch, revision, "
      "'callable', 'Large::' || name, 'step_handler', 'step_1', '', 'class' FROM tasker.named_tasks;"
      "INSERT INTO tasker.changes (revision, ordinal, kind, namespace, name, version, digest, created_at) "
      "SELECT revision, row_number() OVER (PARTITION BY revision) - 1, 'REGISTER', namespace, name, version, digest, "
      "created_at FROM tasker.named_tasks;"
      "UPDATE tasker.change_head SET revision = (SELECT max(revision) FROM tasker.changes);"
      "ANALYZE;",
      templates, kVersionsOfATemplate, Quoted(checked.canonical), Quoted(source.yaml()), kTemplatesOfABatch);
}

// The server program itself on a database of `templates` templates.
class Sized {
 public:
  Sized(Bench& bench, const std::string& database, long templates) : templates_(templates) {
    const auto run = [](store::ConnectionPool& pool, const std::string& sql) {
      const absl::Status status = pool.Run("fill", store::CallKind::kWrite, absl::InfiniteFuture(),
                                           [&](store::Session& session) { session.Execute(sql); });
      if (!status.ok()) throw std::runtime_error(status.ToString());
    };
    run(*bench.database().pool(), "CREATE DATABASE " + database);
    url_ = bench.database().url();
    url_.replace(url_.rfind("tasker"), 6, database);
    const auto pool = store::ConnectionPool::Create({.database_url = url_, .max_call = absl::Hours(1)}).value();
    if (const auto applied = store::MigrateUp(*pool, absl::InfiniteFuture()); !applied.ok()) {
      throw std::runtime_error(applied.status().ToString());
    }
    run(*pool, FillSql(templates));
    run(*pool, "VACUUM");
  }

  /// Starts it anew; seconds until it is ready.
  double Start(uint64_t cache_bytes) {
    process_.reset();
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    const auto start = std::chrono::steady_clock::now();
    process_.emplace(std::vector<std::string>{ProgramFolder() + "/tasker-registryd", "serve", "--listen", "127.0.0.1:0",
                                              "--http-listen", "", "--database-url", url_, "--log-level", "warn",
                                              "--cache-bytes", std::to_string(cache_bytes)},
                     ends[1]);
    close(ends[1]);
    std::string line;
    for (char c = 0; read(ends[0], &c, 1) == 1 && c != '\n';) line += c;
    close(ends[0]);
    const size_t at = line.find("grpc=");
    if (at == std::string::npos) throw std::runtime_error("the server did not start: " + line);
    address_ = line.substr(at + 5, line.find(' ', at) - at - 5);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

  LoadCall Resolve(const std::string& selector, long spread) const {
    pb::ResolveTemplateRequest request;
    request.set_reference(fmt::format("large/t{}{}", spread == 1 ? "00000000" : kPlace, selector));
    request.set_environment("production");
    return {address_, "/tasker.registry.v1.ResolverService/ResolveTemplate", request.SerializeAsString(), spread};
  }
  LoadCall Usages() const {
    pb::FindCallableUsagesRequest request;
    request.set_callable(fmt::format("Large::t{}", kPlace));
    return {address_, "/tasker.registry.v1.CatalogService/FindCallableUsages", request.SerializeAsString(), templates_};
  }
  long templates() const { return templates_; }
  long ResidentBytes() const { return process_->ResidentBytes(); }

 private:
  const long templates_;
  std::string url_;
  std::string address_;
  std::optional<Process> process_;
};

// What the memory of answers takes beyond their bytes, by malloc's own count.
void CachedAnswer(Bench& bench) {
  const std::string name = "memory beyond a cached answer, 1 / bytes";
  if (!bench.Wants(name)) return;
  const auto store = std::make_shared<store::Store>(bench.database().pool());
  const registry::Registrar registrar(store, {});
  const int count = bench.arguments().smoke ? 500 : 5000;
  pb::RegisterTemplatesRequest batch;
  for (int i = 0; i < count; ++i) {
    batch.add_sources()->set_yaml(TemplateYaml(fmt::format("held_{:08}", i), "1.0.0", 5));
  }
  registrar.Register(batch, {}).value();
  registry::Resolver resolver(std::make_shared<registry::TemplateLoader>(store, 0), size_t{1} << 30);
  const auto resolve = [&](int i) {
    pb::ResolveTemplateRequest request;
    request.set_reference(fmt::format("bench/held_{:08}:1.0.0", i));
    return resolver.Resolve(request, absl::InfiniteFuture()).value()->size();
  };
  resolve(0);
  const size_t before = mallinfo2().uordblks;
  size_t answers = 0;
  for (int i = 1; i < count; ++i) answers += resolve(i);
  const double each = static_cast<double>(mallinfo2().uordblks - before - answers) / (count - 1);
  bench.Row(
      name, [&] { return 1 / each; }, "1 / 400", [] { return 1 / kMaxBytesBeyondAnswer; }, 1);
}

void AMillion(Bench& bench) {
  Sized small(bench, "small", kSmallTemplates);
  Sized large(bench, "large", kLargeTemplates);
  constexpr char kBeside[] = "the same at 1,000";
  bench.Row(
      "at 1,000,000: start to ready, 1 / s", [&] { return 1 / large.Start(1 << 28); }, kBeside,
      [&] { return 1 / small.Start(1 << 28); }, 1 / 1.2);
  for (const char* selector : {":3.0.0", ":latest", ":^2"}) {
    bench.Row(fmt::format("at 1,000,000: resolve {} warm, depth 32", selector),
              large.Resolve(selector, kSmallTemplates), kBeside, small.Resolve(selector, kSmallTemplates), 32, 0.9);
  }
  large.Start(0);
  small.Start(0);
  for (const char* selector : {":3.0.0", ":latest", ":^2"}) {
    bench.Row(fmt::format("at 1,000,000: resolve {} cold, depth 32", selector),
              large.Resolve(selector, large.templates()), kBeside, small.Resolve(selector, small.templates()), 32, 0.7);
  }
  bench.Row("at 1,000,000: usages of a callable, depth 32", large.Usages(), kBeside, small.Usages(), 32, 0.7);
  bench.Row(
      "at 1,000,000: memory with an empty cache, 1 / bytes",
      [&] { return 1.0 / static_cast<double>(large.ResidentBytes()); }, kBeside,
      [&] { return 1.0 / static_cast<double>(small.ResidentBytes()); }, 1 / 1.1);
  bench.Row(
      "at 1,000,000: memory with an empty cache, 1 / bytes",
      [&] { return 1.0 / static_cast<double>(large.ResidentBytes()); }, "1 / 80 MiB",
      [] { return 1 / kMaxResidentBytes; }, 1);
}

}  // namespace

void MeasureSizes(Bench& bench) {
  CachedAnswer(bench);
  if (bench.arguments().large) AMillion(bench);
}

}  // namespace tasker::bench
