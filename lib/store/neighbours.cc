#include <fmt/format.h>

#include <pqxx/result>
#include <pqxx/row>

#include "lib/store/connection_pool.h"
#include "lib/store/rows.h"
#include "lib/store/session.h"
#include "lib/store/store.h"

namespace tasker::store {
namespace {

// Half of the names from the wanted one on, half before it: a misspelling rarely changes the first letters.
std::string Around(std::string_view column, std::string_view table, std::string_view condition,
                   std::string_view wanted) {
  return fmt::format(
      "to_json(ARRAY(SELECT s.x FROM ("
      "(SELECT r.{0} AS x FROM tasker.{1} r WHERE {2} AND r.{0} >= {3} ORDER BY r.{0} LIMIT {4}) UNION ALL "
      "(SELECT r.{0} FROM tasker.{1} r WHERE {2} AND r.{0} < {3} ORDER BY r.{0} DESC LIMIT {4})) s ORDER BY "
      "s.x))::text",
      column, table, condition, wanted, Neighbours::kLimit / 2);
}

// $1 and $2: namespace and name; $3: the selector as written; $4 to $6: the version, or -1.
Statement NeighboursStatement() {
  constexpr std::string_view kOfTemplate = "r.namespace = $1 AND r.name = $2";
  const std::string versions = fmt::format(
      "SELECT v.version FROM tasker.named_tasks v WHERE v.namespace = $1 AND v.name = $2 AND v.state {{}} 'YANKED' "
      "ORDER BY v.major DESC, v.minor DESC, v.patch DESC LIMIT {}",
      Neighbours::kLimit);
  return {"load_neighbours",
          fmt::format("SELECT EXISTS (SELECT FROM tasker.task_namespaces n WHERE n.name = $1), "
                      "EXISTS (SELECT FROM tasker.templates t WHERE t.namespace = $1 AND t.name = $2), "
                      "{}, {}, to_json(ARRAY({}))::text, {}, EXISTS ({}), "
                      "g.version, g.message, (extract(epoch FROM g.purged_at) * 1000000)::bigint "
                      "FROM (VALUES (1)) one LEFT JOIN LATERAL (SELECT concat_ws('.', r.major, r.minor, r.patch) AS "
                      "version, r.message, r.purged_at FROM tasker.tombstones r WHERE {} AND (r.digest = $3 OR "
                      "(r.major = $4::int AND r.minor = $5::int AND r.patch = $6::int)) LIMIT 1) g ON true",
                      Around("name", "task_namespaces", "true", "$1"),
                      Around("name", "templates", "r.namespace = $1", "$2"), fmt::format(fmt::runtime(versions), "<>"),
                      Around("channel", "channels", kOfTemplate, "$3"), fmt::format(fmt::runtime(versions), "="),
                      kOfTemplate)};
}

}  // namespace

absl::StatusOr<Neighbours> Store::LoadNeighbours(const tmpl::Reference& reference, absl::Time deadline) {
  static const Statement kStatement = NeighboursStatement();
  const bool exact = reference.kind == tmpl::SelectorKind::kExact;
  const tmpl::Version version = exact ? reference.version : tmpl::Version{-1, -1, -1};
  const std::vector<std::string> parameters = {reference.namespace_name,
                                               reference.name,
                                               reference.selector,
                                               std::to_string(version.major),
                                               std::to_string(version.minor),
                                               std::to_string(version.patch)};
  Neighbours neighbours;
  const absl::Status status = pool_->Run("load neighbours", CallKind::kRead, deadline, [&](Session& session) {
    const pqxx::result rows = session.Query(kStatement, parameters);
    const pqxx::row row = rows[0];
    neighbours = {.namespace_exists = row[0].as<bool>(),
                  .template_exists = row[1].as<bool>(),
                  .namespaces = ReadStrings(row[2]),
                  .templates = ReadStrings(row[3]),
                  .versions = ReadStrings(row[4]),
                  .channels = ReadStrings(row[5]),
                  .has_yanked_versions = row[6].as<bool>(),
                  .tombstone = std::nullopt};
    if (row[9].is_null()) return;
    neighbours.tombstone = Tombstone{.version = row[7].as<std::string>(),
                                     .message = row[8].as<std::string>(),
                                     .time = absl::FromUnixMicros(row[9].as<int64_t>())};
  });
  if (!status.ok()) return status;
  return neighbours;
}

}  // namespace tasker::store
