#include <fmt/format.h>

#include <cstddef>
#include <pqxx/result>
#include <pqxx/row>
#include <utility>

#include "lib/store/archive.h"
#include "lib/store/connection_pool.h"
#include "lib/store/rows.h"
#include "lib/store/session.h"

namespace tasker::store {
namespace {

using Parameters = std::vector<std::string>;

constexpr int kPageRows = 500;
constexpr int kPageBytes = 4 << 20;  // of texts; one more text may come on top

// Names are ASCII below DEL.
constexpr char kAfterNames[] = "\x7f";

// Every statement below takes these first: the bounds of namespaces and of names.
Parameters Bounds(const ArchiveFilter& filter) {
  return {filter.namespace_name, filter.namespace_name.empty() ? kAfterNames : filter.namespace_name,
          filter.name_prefix, filter.name_prefix + kAfterNames};
}

constexpr std::string_view kInBounds =
    "{0}.namespace >= $1 AND {0}.namespace <= $2 AND {0}.name >= $3 AND {0}.name < $4";

std::string InBounds(std::string_view alias) { return fmt::format(fmt::runtime(kInBounds), alias); }

absl::Time TimeOf(const pqxx::field& microseconds) { return absl::FromUnixMicros(microseconds.as<int64_t>()); }

// Reads one list after the other inside the transaction of `session`.
class Export {
 public:
  Export(Session& session, const ArchiveFilter& filter, const ArchiveSink& sink)
      : session_(session), bounds_(Bounds(filter)), sink_(sink) {}

  absl::Status Run() {
    absl::Status status = Namespaces();
    if (status.ok()) status = Versions();
    if (status.ok()) status = Tombstones();
    if (status.ok()) status = Channels();
    return status;
  }

 private:
  // Gives all rows of a list to the sink, page by page; each page goes on after `key` of the row before.
  template <typename Read, typename Key>
  absl::Status Pages(const Statement& statement, Parameters after, Read read, Key key) {
    for (;;) {
      Parameters parameters = bounds_;
      parameters.insert(parameters.end(), after.begin(), after.end());
      const pqxx::result rows = session_.Query(statement, parameters);
      if (rows.empty()) return absl::OkStatus();
      for (const pqxx::row& row : rows) {
        if (absl::Status status = sink_(read(row)); !status.ok()) return status;
      }
      after = key(rows[rows.size() - 1]);
    }
  }

  absl::Status Namespaces() {
    // With a prefix, those that have such a template, or had.
    static const Statement kStatement = {
        "export_namespaces",
        fmt::format("SELECT n.name, coalesce(n.description, ''), n.version_policy, "
                    "(extract(epoch FROM n.created_at) * 1000000)::bigint FROM tasker.task_namespaces n "
                    "WHERE n.name >= $1 AND n.name <= $2 AND n.name > $5 AND ($3 = '' "
                    "OR EXISTS (SELECT FROM tasker.templates t WHERE t.namespace = n.name AND {}) "
                    "OR EXISTS (SELECT FROM tasker.tombstones t WHERE t.namespace = n.name AND {})) "
                    "ORDER BY n.name LIMIT {}",
                    "t.name >= $3 AND t.name < $4", "t.name >= $3 AND t.name < $4", kPageRows)};
    return Pages(
        kStatement, {""},
        [](const pqxx::row& row) {
          return ArchivedNamespace{.name = row[0].as<std::string>(),
                                   .description = row[1].as<std::string>(),
                                   .version_policy = row[2].as<std::string>(),
                                   .create_time = TimeOf(row[3])};
        },
        [](const pqxx::row& row) { return Parameters{row[0].as<std::string>()}; });
  }

  absl::Status Versions() {
    // The inner select walks the index that has the archive's order; a page ends where its texts get large. LIMIT 1
    // keeps the look-up of each version by index, whatever the planner makes of the page's size.
    constexpr std::string_view kOrder = "{0}.namespace, {0}.name, {0}.major, {0}.minor, {0}.patch";
    const auto order = [&](std::string_view alias) { return fmt::format(fmt::runtime(kOrder), alias); };
    static const Statement kStatement = {
        "export_versions",
        fmt::format("SELECT {}, v.source_text, CASE WHEN v.source_text IS NULL THEN v.configuration::text END "
                    "FROM (SELECT k.*, sum(k.size) OVER (ORDER BY {} ROWS UNBOUNDED PRECEDING) - k.size AS before "
                    "FROM (SELECT v.named_task_uuid, {}, "
                    "coalesce(octet_length(v.source_text), octet_length(v.configuration::text)) AS size "
                    "FROM tasker.named_tasks v WHERE {} AND ({}) > ($5, $6, $7::int, $8::int, $9::int) "
                    "ORDER BY {} LIMIT {}) k) p CROSS JOIN LATERAL (SELECT t.* FROM tasker.named_tasks t "
                    "WHERE t.named_task_uuid = p.named_task_uuid LIMIT 1) v "
                    "WHERE p.before < {} ORDER BY {}",
                    kSummaryColumns, order("k"), order("v"), InBounds("v"), order("v"), order("v"), kPageRows,
                    kPageBytes, order("p"))};
    return Pages(
        kStatement, {"", "", "-1", "-1", "-1"},
        [](const pqxx::row& row) {
          ArchivedVersion version{.summary = ReadSummary(row), .configuration = {}};
          if (!row[kSummaryColumnCount].is_null()) version.source_text = row[kSummaryColumnCount].as<std::string>();
          version.configuration = row[kSummaryColumnCount + 1].as<std::string>("");
          return version;
        },
        [](const pqxx::row& row) { return VersionKey(row[1], row[2], row[3]); });
  }

  absl::Status Tombstones() {
    static const Statement kStatement = {
        "export_tombstones",
        fmt::format("SELECT t.namespace, t.name, concat_ws('.', t.major, t.minor, t.patch), t.digest, t.message, "
                    "t.actor, (extract(epoch FROM t.purged_at) * 1000000)::bigint FROM tasker.tombstones t WHERE {} "
                    "AND (t.namespace, t.name, t.major, t.minor, t.patch) > ($5, $6, $7::int, $8::int, $9::int) "
                    "ORDER BY t.namespace, t.name, t.major, t.minor, t.patch LIMIT {}",
                    InBounds("t"), kPageRows)};
    return Pages(
        kStatement, {"", "", "-1", "-1", "-1"},
        [](const pqxx::row& row) {
          return ArchivedTombstone{.namespace_name = row[0].as<std::string>(),
                                   .name = row[1].as<std::string>(),
                                   .version = row[2].as<std::string>(),
                                   .digest = row[3].as<std::string>(),
                                   .message = row[4].as<std::string>(),
                                   .actor = row[5].as<std::string>(),
                                   .purge_time = TimeOf(row[6])};
        },
        [](const pqxx::row& row) { return VersionKey(row[0], row[1], row[2]); });
  }

  absl::Status Channels() {
    static const Statement kStatement = {
        "export_channels",
        fmt::format("SELECT c.namespace, c.name, c.channel, c.version, c.actor, "
                    "(extract(epoch FROM c.updated_at) * 1000000)::bigint FROM tasker.channels c WHERE {} "
                    "AND (c.namespace, c.name, c.channel) > ($5, $6, $7) "
                    "ORDER BY c.namespace, c.name, c.channel LIMIT {}",
                    InBounds("c"), kPageRows)};
    return Pages(
        kStatement, {"", "", ""},
        [](const pqxx::row& row) {
          return ArchivedChannel{.namespace_name = row[0].as<std::string>(),
                                 .name = row[1].as<std::string>(),
                                 .channel = row[2].as<std::string>(),
                                 .version = row[3].as<std::string>(),
                                 .actor = row[4].as<std::string>(),
                                 .update_time = TimeOf(row[5])};
        },
        [](const pqxx::row& row) {
          return Parameters{row[0].as<std::string>(), row[1].as<std::string>(), row[2].as<std::string>()};
        });
  }

  static Parameters VersionKey(const pqxx::field& namespace_name, const pqxx::field& name, const pqxx::field& version) {
    const tmpl::Version parsed = tmpl::ParseVersion(version.as<std::string>()).value_or(tmpl::Version{});
    return {namespace_name.as<std::string>(), name.as<std::string>(), std::to_string(parsed.major),
            std::to_string(parsed.minor), std::to_string(parsed.patch)};
  }

  Session& session_;
  const Parameters bounds_;
  const ArchiveSink& sink_;
};

}  // namespace

absl::Status ExportArchive(ConnectionPool& pool, const ArchiveFilter& filter, absl::Time deadline,
                           const ArchiveSink& sink) {
  return pool.RunTransaction("export an archive", deadline, [&](Session& session) {
    session.Execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");  // all pages see one moment
    return Export(session, filter, sink).Run();
  });
}

}  // namespace tasker::store
