#include "server/server.h"

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <grpcpp/health_check_service_interface.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "lib/registry/change_feed.h"
#include "lib/registry/change_trimmer.h"
#include "lib/store/embedded_postgres.h"
#include "lib/store/migrations.h"
#include "lib/store/store.h"
#include "server/archive_streams.h"
#include "server/call.h"
#include "server/http_server.h"
#include "server/joined_resolves.h"
#include "server/listener.h"
#include "server/readiness.h"
#include "server/services.h"
#include "server/watch.h"

namespace tasker::server {
namespace {

constexpr absl::Duration kMigrationLimit = absl::Minutes(10);
constexpr absl::Duration kFeedLimit = absl::Seconds(30);
constexpr absl::Duration kTrimInterval = absl::Minutes(1);
// Registrations that wait share a connection (store/joined_calls.h), so more calls than connections can wait.
constexpr int kThreadsPerConnection = 4;
constexpr absl::Duration kHealthLimit = absl::Seconds(2);
constexpr const char* kServices[] = {"tasker.registry.v1.RegistryService", "tasker.registry.v1.ResolverService",
                                     "tasker.registry.v1.CatalogService"};

// Each works on one core while its statement's result is there, and waits for PostgreSQL in between.
size_t JoinedThreads(const Options& options) {
  return std::min(std::max(std::thread::hardware_concurrency(), 2U),
                  static_cast<unsigned>(options.database_connections));
}

absl::StatusOr<std::unique_ptr<store::EmbeddedPostgres>> StartPostgres(const Options& options) {
  store::EmbeddedPostgresOptions embedded;
  embedded.may_relocate = options.data_dir.empty();
  embedded.data_dir = options.data_dir.empty() ? kDefaultDataDir : options.data_dir;
  embedded.max_connections = options.database_connections + 16;  // room for psql and a second server's migrations
  auto postgres = store::EmbeddedPostgres::Start(embedded);
  if (!postgres.ok()) return postgres.status();
  if (!(*postgres)->relocation_reason().empty()) spdlog::warn("{}", (*postgres)->relocation_reason());
  spdlog::info("embedded PostgreSQL {} keeps its data in {}", (*postgres)->bin_dir(), (*postgres)->data_dir());
  return postgres;
}

void AddCacheReadings(const std::string& cache, const registry::CacheStats& stats, std::vector<Reading>& out) {
  const auto add = [&](const char* name, const char* help, bool is_counter, auto value) {
    out.push_back({fmt::format("tasker_registry_cache_{}", name), help, is_counter, cache, static_cast<double>(value)});
  };
  add("hits_total", "Lookups that found what they wanted.", true, stats.hits);
  add("misses_total", "Lookups that did not.", true, stats.misses);
  add("evictions_total", "Values that went to make room.", true, stats.evictions);
  add("entries", "Values in memory.", false, stats.entries);
  add("bytes", "Memory that they take, estimated.", false, stats.bytes);
}

void AddChangeReadings(const registry::ChangeFeed& feed, const WatchStats& watches, std::vector<Reading>& out) {
  out.push_back({"tasker_registry_change_revision", "The revision up to which this server knows every change.", false,
                 "", static_cast<double>(feed.revision())});
  out.push_back({"tasker_registry_change_age_seconds", "How long ago it certainly knew every change there was.", false,
                 "", absl::ToDoubleSeconds(feed.age())});
  out.push_back(
      {"tasker_registry_watches", "Running calls of WatchTemplates.", false, "", static_cast<double>(watches.open)});
  out.push_back({"tasker_registry_watch_lag_revisions", "Revisions that the slowest of them is behind.", false, "",
                 static_cast<double>(watches.lag)});
  out.push_back({"tasker_registry_watches_too_slow_total", "Watches ended because they did not keep up.", true, "",
                 static_cast<double>(watches.too_slow)});
}

}  // namespace

std::string Version() { return TASKER_VERSION; }

Database::Database() = default;
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

absl::StatusOr<Database> OpenDatabase(const Options& options) {
  Database database;
  store::PoolOptions pool_options;
  pool_options.database_url = options.database_url;
  pool_options.max_connections = options.database_connections;
  pool_options.max_call = absl::Seconds(options.max_call_seconds);
  if (options.database_url.empty()) {
    auto postgres = StartPostgres(options);
    if (!postgres.ok()) return postgres.status();
    database.postgres = *std::move(postgres);
    pool_options.database_url = database.postgres->DatabaseUrl();
  }
  auto pool = store::ConnectionPool::Create(pool_options);
  if (!pool.ok()) return pool.status();
  database.pool = *std::move(pool);
  return database;
}

// In the order in which they are made; they go in the other.
class Server::Parts {
 public:
  Parts(const Options& options, Database database, std::unique_ptr<registry::ChangeFeed> feed)
      : options_(options),
        database_(std::move(database)),
        feed_(std::move(feed)),
        store_(std::make_shared<store::Store>(database_.pool)),
        loader_(MakeLoader()),
        resolver_(loader_, options.cache_bytes / 8 * 3),
        payloads_(loader_, options.cache_bytes / 4),
        registrar_(store_, tmpl::ReadLimits(), loader_),
        lifecycle_(store_, loader_),
        archive_(database_.pool, store_, loader_, tmpl::ReadLimits()),
        catalog_(store_, loader_),
        callables_(store_, loader_),
        comparison_(loader_, tmpl::ReadLimits()),
        describer_(loader_),
        runner_(executor_, metrics_, feed_->gate(), {absl::Seconds(options.max_call_seconds)}),
        joined_(runner_, executor_, resolver_, {.max_running = JoinedThreads(options)}),
        archives_(runner_, executor_, archive_, {.max_running = std::max(1, options.database_connections / 4)}),
        watches_(*feed_, store_, executor_, runner_, {.max_watches = options.max_watches}),
        executor_({.threads = kThreadsPerConnection * options.database_connections}) {
    services_.push_back(MakeRegistryService(runner_, registrar_, lifecycle_, archives_));
    services_.push_back(MakeResolverService(runner_, resolver_, joined_, payloads_, callables_, watches_));
    services_.push_back(MakeCatalogService(runner_, catalog_, comparison_, describer_, *store_,
                                           [this](absl::Time deadline) { return Info(deadline); }));
  }

  ~Parts() { Drain(absl::Seconds(options_.grace_seconds)); }

  absl::Status Start(const std::vector<grpc::Service*>& beside) {
    if (absl::Status status = feed_->Start(absl::Now() + kFeedLimit); !status.ok()) return status;
    if (options_.keep_changes) trimmer_.emplace(store_, *options_.keep_changes, kTrimInterval);
    std::vector<grpc::Service*> services = beside;
    for (const auto& service : services_) services.push_back(service.get());
    absl::StatusOr<Listening> listening = Listen(options_, services);
    if (!listening.ok()) return listening.status();
    grpc_ = *std::move(listening);
    readiness_ =
        std::make_unique<Readiness>([this] { return DatabaseAnswers(); }, [this](bool ready) { ReportHealth(ready); });
    if (options_.http_listen.empty()) return absl::OkStatus();
    auto http = HttpServer::Start(
        options_.http_listen, {[this] { return metrics_.Text(Readings()); }, [this] { return readiness_->ready(); }});
    if (!http.ok()) return http.status();
    http_ = *std::move(http);
    http_address_ = http_->address();
    return absl::OkStatus();
  }

  void Drain(absl::Duration grace) {
    std::call_once(drained_, [&] {
      if (readiness_ != nullptr) readiness_->Stop();
      if (grpc_.server != nullptr) {
        if (auto* health = grpc_.server->GetHealthCheckService()) health->Shutdown();
        watches_.CloseAll();
        feed_->gate().Close();
        grpc_.server->Shutdown(absl::ToChronoTime(absl::Now() + grace));
      }
      http_.reset();
      trimmer_.reset();
      watches_.CloseAll();
      feed_->Stop();
    });
  }

  const std::string& grpc_address() const { return grpc_.address; }
  const std::string& http_address() const { return http_address_; }

 private:
  std::shared_ptr<registry::TemplateLoader> MakeLoader() {
    auto loader = std::make_shared<registry::TemplateLoader>(
        store_, options_.cache_bytes / 16 * 5,
        registry::Selections::Options{.bytes = options_.cache_bytes / 16,
                                      .age = [this] { return feed_->age(); },
                                      .max_staleness = options_.max_staleness});
    feed_->AddListener({.change = [loader](const store::ChangeRow& change) { loader->counters().Count(change); },
                        .reset = [loader] { loader->counters().CountAll(); }});
    return loader;
  }

  bool DatabaseAnswers() { return store_->CheckHealth(absl::Now() + kHealthLimit).ok(); }

  void ReportHealth(bool serving) {
    auto* health = grpc_.server->GetHealthCheckService();
    health->SetServingStatus(serving);
    for (const char* service : kServices) health->SetServingStatus(service, serving);
  }

  absl::StatusOr<registry::pb::GetServerInfoResponse> Info(absl::Time deadline) {
    const absl::StatusOr<store::ChangeLogRange> log = store_->LoadChangeLogRange(deadline);
    if (!log.ok()) return log.status();
    registry::pb::GetServerInfoResponse info;
    info.set_version(Version());
    info.set_schema_version(store::EmbeddedMigrations().back().number);
    info.set_revision(log->newest);
    info.set_oldest_revision(log->trimmed);
    info.set_max_template_bytes(static_cast<int64_t>(tmpl::ReadLimits().text_bytes));
    info.set_max_batch_templates(registry::kMaxBatchTemplates);
    return info;
  }

  std::vector<Reading> Readings() const {
    std::vector<Reading> readings;
    AddCacheReadings("answers", resolver_.Stats(), readings);
    AddCacheReadings("schemas", payloads_.Stats(), readings);
    AddCacheReadings("selections", loader_->selections().Stats(), readings);
    AddCacheReadings("templates", loader_->Stats(), readings);
    AddChangeReadings(*feed_, watches_.Stats(), readings);
    readings.push_back({"tasker_registry_database_connections", "Open connections to PostgreSQL.", false, "",
                        static_cast<double>(database_.pool->size())});
    readings.push_back(
        {"tasker_registry_ready", "1 when the database answers.", false, "", readiness_->ready() ? 1.0 : 0.0});
    return readings;
  }

  const Options options_;
  Database database_;
  const std::unique_ptr<registry::ChangeFeed> feed_;
  const std::shared_ptr<store::Store> store_;
  const std::shared_ptr<registry::TemplateLoader> loader_;
  registry::Resolver resolver_;
  registry::PayloadCheck payloads_;
  const registry::Registrar registrar_;
  const registry::Lifecycle lifecycle_;
  const registry::Archive archive_;
  registry::Catalog catalog_;
  const registry::CallableChecker callables_;
  const registry::Comparison comparison_;
  registry::Describer describer_;
  Metrics metrics_;
  CallRunner runner_;
  JoinedResolves joined_;
  ArchiveStreams archives_;
  WatchHub watches_;
  Executor executor_;  // its last tasks use what stands above
  std::optional<registry::ChangeTrimmer> trimmer_;
  std::vector<std::unique_ptr<grpc::Service>> services_;
  Listening grpc_;
  std::unique_ptr<Readiness> readiness_;
  std::unique_ptr<HttpServer> http_;
  std::string http_address_;
  std::once_flag drained_;
};

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Options& options,
                                                      const std::vector<grpc::Service*>& beside) {
  absl::StatusOr<Database> database = OpenDatabase(options);
  if (!database.ok()) return database.status();
  const absl::StatusOr<int> applied = store::MigrateUp(*database->pool, absl::Now() + kMigrationLimit);
  if (!applied.ok()) return applied.status();
  if (*applied > 0) spdlog::info("applied {} migrations", *applied);
  auto feed = registry::ChangeFeed::Create(*database->pool, {});
  if (!feed.ok()) return feed.status();
  auto parts = std::make_unique<Parts>(options, *std::move(database), *std::move(feed));
  if (absl::Status status = parts->Start(beside); !status.ok()) return status;
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Server::~Server() = default;

const std::string& Server::grpc_address() const { return parts_->grpc_address(); }
const std::string& Server::http_address() const { return parts_->http_address(); }

std::string Server::ReadyLine() const {
  std::string line = fmt::format("ready grpc={}", grpc_address());
  if (!http_address().empty()) line += fmt::format(" http={}", http_address());
  return line;
}

void Server::Drain(absl::Duration grace) { parts_->Drain(grace); }

}  // namespace tasker::server
