#include "lib/store/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <pqxx/result>
#include <pqxx/row>

#include "lib/store/array_text.h"
#include "lib/store/connection_pool.h"
#include "lib/store/joined_calls.h"
#include "lib/store/rows.h"
#include "lib/store/session.h"

namespace tasker::store {
namespace {

using Parameters = std::vector<std::string>;

// Of tasker.named_tasks v: what ReadResolving needs.
std::string ResolvingColumns() {
  return fmt::format("v.namespace, v.name, v.version, v.digest, v.configuration::text, {}", kStateColumns);
}

// One selector's statement for each of VersionParts.
struct LoadStatements {
  Statement all;
  Statement resolving;
};

// `condition` speaks of tasker.named_tasks v.
LoadStatements MakeLoadStatements(const std::string& name, std::string_view condition) {
  return {{name, fmt::format("SELECT {}, v.configuration::text, v.source_text, to_json(ARRAY("
                             "SELECT c.channel FROM tasker.channels c WHERE c.namespace = v.namespace AND "
                             "c.name = v.name AND c.named_task_uuid = v.named_task_uuid ORDER BY c.channel"
                             "))::text FROM tasker.named_tasks v {}",
                             kSummaryColumns, condition)},
          {name + "_resolving", fmt::format("SELECT {} FROM tasker.named_tasks v {}", ResolvingColumns(), condition)}};
}

StoredVersion ReadAll(const pqxx::row& row) {
  StoredVersion version{.summary = ReadSummary(row), .configuration = row[kSummaryColumnCount].as<std::string>()};
  if (!row[kSummaryColumnCount + 1].is_null()) version.source_text = row[kSummaryColumnCount + 1].as<std::string>();
  version.channels = ReadStrings(row[kSummaryColumnCount + 2]);
  return version;
}

StoredVersion ReadResolving(const pqxx::row& row) {
  StoredVersion version;
  version.summary.namespace_name = row[0].as<std::string>();
  version.summary.name = row[1].as<std::string>();
  version.summary.version = row[2].as<std::string>();
  version.summary.digest = row[3].as<std::string>();
  version.configuration = row[4].as<std::string>();
  version.summary.state = ReadState(row, 5);
  return version;
}

absl::StatusOr<std::optional<StoredVersion>> LoadOne(ConnectionPool& pool, const LoadStatements& statements,
                                                     VersionParts parts, const Parameters& parameters,
                                                     absl::Time deadline) {
  const bool all = parts == VersionParts::kAll;
  std::optional<StoredVersion> found;
  const absl::Status status = pool.Run("load a version", CallKind::kRead, deadline, [&](Session& session) {
    const pqxx::result rows = session.Query(all ? statements.all : statements.resolving, parameters);
    found.reset();
    if (!rows.empty()) found = all ? ReadAll(rows[0]) : ReadResolving(rows[0]);
  });
  if (!status.ok()) return status;
  return found;
}

std::string Number(int64_t number) { return std::to_string(number); }

}  // namespace

Store::Store(std::shared_ptr<ConnectionPool> pool)
    : pool_(std::move(pool)), register_calls_(std::make_unique<JoinedCalls>(pool_, RegisterFunction())) {}
Store::~Store() = default;

absl::StatusOr<std::optional<StoredVersion>> Store::LoadVersion(std::string_view namespace_name, std::string_view name,
                                                                tmpl::Version version, absl::Time deadline,
                                                                VersionParts parts) {
  static const LoadStatements kStatements = MakeLoadStatements(
      "load_version",
      "WHERE v.namespace = $1 AND v.name = $2 AND v.major = $3::int AND v.minor = $4::int AND v.patch = $5::int");
  return LoadOne(*pool_, kStatements, parts,
                 {std::string(namespace_name), std::string(name), Number(version.major), Number(version.minor),
                  Number(version.patch)},
                 deadline);
}

absl::StatusOr<std::vector<std::optional<StoredVersion>>> Store::LoadVersions(
    std::span<const tmpl::Reference> references, absl::Time deadline) {
  // With its LIMIT, the row of each is looked up by itself, however many there are.
  static const Statement kStatement = {
      "load_versions",
      fmt::format("SELECT f.*, w.nth FROM unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::int[]) WITH "
                  "ORDINALITY w (namespace, name, major, minor, patch, nth) CROSS JOIN LATERAL (SELECT {} FROM "
                  "tasker.named_tasks v WHERE v.namespace = w.namespace AND v.name = w.name AND v.major = w.major AND "
                  "v.minor = w.minor AND v.patch = w.patch LIMIT 1) f",
                  ResolvingColumns())};
  Parameters parameters(5, "{");
  for (const tmpl::Reference& reference : references) {
    const std::string parts[] = {reference.namespace_name, reference.name, Number(reference.version.major),
                                 Number(reference.version.minor), Number(reference.version.patch)};
    for (size_t i = 0; i < parameters.size(); ++i) {
      if (parameters[i].size() > 1) parameters[i] += ',';
      AppendArrayElement(parts[i], parameters[i]);
    }
  }
  for (std::string& parameter : parameters) parameter += '}';
  std::vector<std::optional<StoredVersion>> found;
  const absl::Status status = pool_->Run("load versions", CallKind::kRead, deadline, [&](Session& session) {
    found.assign(references.size(), std::nullopt);
    for (const pqxx::row& row : session.Query(kStatement, parameters)) {
      found.at(row.back().as<size_t>() - 1) = ReadResolving(row);
    }
  });
  if (!status.ok()) return status;
  return found;
}

absl::StatusOr<std::optional<StoredVersion>> Store::LoadLatest(std::string_view namespace_name, std::string_view name,
                                                               absl::Time deadline, VersionParts parts) {
  static const LoadStatements kStatements =
      MakeLoadStatements("load_latest",
                         "WHERE v.named_task_uuid = (SELECT t.latest_named_task_uuid FROM tasker.templates t "
                         "WHERE t.namespace = $1 AND t.name = $2 AND t.state <> 'YANKED')");
  return LoadOne(*pool_, kStatements, parts, {std::string(namespace_name), std::string(name)}, deadline);
}

absl::StatusOr<std::optional<StoredVersion>> Store::LoadHighest(std::string_view namespace_name, std::string_view name,
                                                                const tmpl::VersionRange& range, absl::Time deadline,
                                                                VersionParts parts) {
  static const LoadStatements kStatements = MakeLoadStatements(
      "load_highest",
      "WHERE v.namespace = $1 AND v.name = $2 AND (v.major, v.minor, v.patch) >= ($3::int, $4::int, $5::int) "
      "AND (v.major, v.minor, v.patch) < ($6::int, $7::int, $8::int) AND v.state <> 'YANKED' "
      "ORDER BY v.major DESC, v.minor DESC, v.patch DESC LIMIT 1");
  static const LoadStatements kUnbounded = MakeLoadStatements(
      "load_highest_unbounded",
      "WHERE v.namespace = $1 AND v.name = $2 AND (v.major, v.minor, v.patch) >= ($3::int, $4::int, $5::int) "
      "AND v.state <> 'YANKED' ORDER BY v.major DESC, v.minor DESC, v.patch DESC LIMIT 1");
  Parameters parameters = {std::string(namespace_name), std::string(name), Number(range.lower.major),
                           Number(range.lower.minor), Number(range.lower.patch)};
  if (!range.upper) return LoadOne(*pool_, kUnbounded, parts, parameters, deadline);
  for (const int32_t part : {range.upper->major, range.upper->minor, range.upper->patch}) {
    parameters.push_back(Number(part));
  }
  return LoadOne(*pool_, kStatements, parts, parameters, deadline);
}

absl::StatusOr<std::optional<StoredVersion>> Store::LoadByDigest(std::string_view namespace_name, std::string_view name,
                                                                 std::string_view digest, absl::Time deadline,
                                                                 VersionParts parts) {
  static const LoadStatements kStatements =
      MakeLoadStatements("load_by_digest", "WHERE v.digest = $3 AND v.namespace = $1 AND v.name = $2 LIMIT 1");
  return LoadOne(*pool_, kStatements, parts, {std::string(namespace_name), std::string(name), std::string(digest)},
                 deadline);
}

absl::StatusOr<std::optional<StoredVersion>> Store::LoadByChannel(std::string_view namespace_name,
                                                                  std::string_view name, std::string_view channel,
                                                                  absl::Time deadline, VersionParts parts) {
  static const LoadStatements kStatements =
      MakeLoadStatements("load_by_channel",
                         "WHERE v.named_task_uuid = (SELECT c.named_task_uuid FROM tasker.channels c "
                         "WHERE c.namespace = $1 AND c.name = $2 AND c.channel = $3)");
  return LoadOne(*pool_, kStatements, parts, {std::string(namespace_name), std::string(name), std::string(channel)},
                 deadline);
}

absl::StatusOr<std::optional<StateInfo>> Store::LoadState(std::string_view namespace_name, std::string_view name,
                                                          tmpl::Version version, absl::Time deadline) {
  static const Statement kStatement = {
      "load_state",
      fmt::format("SELECT {} FROM tasker.named_tasks v WHERE v.namespace = $1 AND v.name = $2 AND v.major = $3::int "
                  "AND v.minor = $4::int AND v.patch = $5::int",
                  kStateColumns)};
  std::optional<StateInfo> found;
  const absl::Status status = pool_->Run("load a state", CallKind::kRead, deadline, [&](Session& session) {
    const pqxx::result rows =
        session.Query(kStatement, {std::string(namespace_name), std::string(name), Number(version.major),
                                   Number(version.minor), Number(version.patch)});
    if (!rows.empty()) found = ReadState(rows[0], 0);
  });
  if (!status.ok()) return status;
  return found;
}

absl::StatusOr<StoreHealth> Store::CheckHealth(absl::Time deadline) {
  static const Statement kStatement = {
      "check_health", "SELECT h.revision, current_setting('server_version_num')::int FROM tasker.change_head h"};
  StoreHealth health;
  const absl::Status status = pool_->Run("check health", CallKind::kRead, deadline, [&](Session& session) {
    const pqxx::result rows = session.Query(kStatement, {});
    health = {.revision = rows[0][0].as<int64_t>(), .server_version_num = rows[0][1].as<int>()};
  });
  if (!status.ok()) return status;
  return health;
}

}  // namespace tasker::store
