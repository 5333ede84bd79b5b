#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <pqxx/result>
#include <pqxx/row>

#include "lib/store/connection_pool.h"
#include "lib/store/page_token.h"
#include "lib/store/session.h"
#include "lib/store/store.h"

namespace tasker::store {
namespace {

constexpr std::string_view kColumns =
    "c.revision, c.ordinal, c.kind, c.namespace, c.name, c.version, c.digest, c.actor, c.peer, c.source_revision, "
    "c.source_uri, c.detail::text, (extract(epoch FROM c.created_at) * 1000000)::bigint";
// Every statement below puts change_trim's revision before kColumns, and gives a row without the rest when it finds no
// change: so that both are seen at the same moment.
constexpr int kFirstColumn = 1;
constexpr std::string_view kTrim = "(SELECT r.revision FROM tasker.change_trim r LIMIT 1) t";

constexpr int kTrimLimit = 10'000;

std::string Number(int64_t number) { return std::to_string(number); }

// False for the row that stands for no change.
bool ReadChange(const pqxx::row& row, std::vector<ChangeRow>& out) {
  const auto text = [&](int column) { return row[kFirstColumn + column].as<std::string>(); };
  if (row[kFirstColumn].is_null()) return false;
  out.push_back({.revision = row[kFirstColumn].as<int64_t>(),
                 .ordinal = row[kFirstColumn + 1].as<int32_t>(),
                 .kind = text(2),
                 .namespace_name = text(3),
                 .name = text(4),
                 .version = text(5),
                 .digest = text(6),
                 .actor = text(7),
                 .peer = text(8),
                 .source_revision = text(9),
                 .source_uri = text(10),
                 .detail = text(11),
                 .time = absl::FromUnixMicros(row[kFirstColumn + 12].as<int64_t>())});
  return true;
}

// "{A,B}" for text[]: the kinds asked for that exist.
std::string KindsParameter(const std::set<std::string>& kinds) {
  std::string out;
  for (const std::string_view kind : kChangeKinds) {
    if (!kinds.empty() && !kinds.contains(std::string(kind))) continue;
    out += out.empty() ? '{' : ',';
    out += kind;
  }
  return out.empty() ? "{}" : out + "}";
}

// $1, $2: the place in the order from which the page goes on; $3: the other end; $4: how many; then what is bound here.
Statement ListStatement(const ChangeFilter& filter, std::vector<std::string>& parameters) {
  const auto bind = [&](std::string value) {
    parameters.push_back(std::move(value));
    return fmt::format("${}", parameters.size());
  };
  std::string name = "list_changes";
  std::string condition = filter.newest_first
                              ? "(c.revision, c.ordinal) < ($1::bigint, $2::int) AND c.revision > $3::bigint"
                              : "(c.revision, c.ordinal) > ($1::bigint, $2::int) AND c.revision <= $3::bigint";
  if (filter.newest_first) name += "_back";
  if (!filter.namespace_name.empty()) {
    name += "_namespace";
    condition += " AND c.namespace = " + bind(filter.namespace_name);
  }
  if (!filter.name.empty()) {
    name += "_template";
    condition += " AND c.name = " + bind(filter.name);
  }
  // The indexes have the order of revisions within one kind.
  const bool by_kind = !filter.namespace_name.empty() || !filter.kinds.empty();
  if (by_kind) condition += " AND c.kind = k.kind";
  const std::string_view way = filter.newest_first ? "DESC" : "ASC";
  std::string rows =
      fmt::format("SELECT c.* FROM tasker.changes c WHERE {0} ORDER BY c.revision {1}, c.ordinal {1} LIMIT $4::int",
                  condition, way);
  if (by_kind) {
    name += "_kind";
    rows = fmt::format("SELECT c.* FROM unnest({}::text[]) AS k (kind) CROSS JOIN LATERAL ({}) c",
                       bind(KindsParameter(filter.kinds)), rows);
  }
  return {std::move(name), fmt::format("SELECT t.revision, {0} FROM {1} LEFT JOIN ({2}) c ON true "
                                       "ORDER BY c.revision {3}, c.ordinal {3} LIMIT $4::int",
                                       kColumns, kTrim, rows, way)};
}

std::string ListName(const ChangeFilter& filter) {
  return fmt::format("changes\n{}\n{}\n{}\n{}\n{}\n{}", filter.after, filter.up_to, filter.namespace_name, filter.name,
                     KindsParameter(filter.kinds), filter.newest_first);
}

// Both texts are numbers that a token of ours holds.
bool AreNumbers(const std::vector<std::string>& keys) {
  return std::all_of(keys.begin(), keys.end(), [](const std::string& key) {
    return !key.empty() && key.size() < 19 && key.find_first_not_of("0123456789") == std::string::npos;
  });
}

}  // namespace

absl::StatusOr<std::vector<ChangeRow>> Store::LoadChanges(int64_t after, int limit, absl::Time deadline) {
  // The last revision that the limit reaches is given whole.
  static const Statement kStatement = {
      "load_changes",
      fmt::format(
          "SELECT t.revision, {} FROM {} LEFT JOIN tasker.changes c "
          "ON c.revision > $1::bigint AND c.revision <= (SELECT max(l.revision) FROM (SELECT b.revision "
          "FROM tasker.changes b WHERE b.revision > $1::bigint ORDER BY b.revision, b.ordinal LIMIT $2::int) l) "
          "ORDER BY c.revision, c.ordinal",
          kColumns, kTrim)};
  std::vector<ChangeRow> changes;
  int64_t trimmed = 0;
  const absl::Status status = pool_->Run("load changes", CallKind::kRead, deadline, [&](Session& session) {
    changes.clear();
    for (const pqxx::row& row : session.Query(kStatement, {Number(after), Number(std::max(limit, 1))})) {
      trimmed = row[0].as<int64_t>();
      ReadChange(row, changes);
    }
  });
  if (!status.ok()) return status;
  if (after < trimmed) return absl::OutOfRangeError(fmt::format("changes up to revision {} are not kept", trimmed));
  return changes;
}

absl::StatusOr<ChangeLogRange> Store::LoadChangeLogRange(absl::Time deadline) {
  static const Statement kStatement = {"load_change_log_range",
                                       "SELECT t.revision, h.revision FROM tasker.change_trim t, tasker.change_head h"};
  ChangeLogRange range;
  const absl::Status status =
      pool_->Run("load the change log's range", CallKind::kRead, deadline, [&](Session& session) {
        const pqxx::result rows = session.Query(kStatement, {});
        range = {rows[0][0].as<int64_t>(), rows[0][1].as<int64_t>()};
      });
  if (!status.ok()) return status;
  return range;
}

absl::StatusOr<int64_t> Store::LoadRevisionBeforeLast(int changes, absl::Time deadline) {
  static const Statement kStatement = {"load_revision_before_last",
                                       "SELECT c.revision FROM tasker.changes c "
                                       "ORDER BY c.revision DESC, c.ordinal DESC OFFSET $1::int LIMIT 1"};
  int64_t revision = 0;
  const absl::Status status =
      pool_->Run("load where the last changes begin", CallKind::kRead, deadline, [&](Session& session) {
        const pqxx::result rows = session.Query(kStatement, {Number(changes)});
        revision = rows.empty() ? 0 : rows[0][0].as<int64_t>();
      });
  if (!status.ok()) return status;
  return revision;
}

absl::StatusOr<ChangeList> Store::ListChanges(const ChangeFilter& filter, const PageOptions& options,
                                              absl::Time deadline) {
  const int size = options.size <= 0 ? PageOptions::kDefaultSize : std::min(options.size, PageOptions::kMaxSize);
  const std::string list = ListName(filter);
  const int64_t end = filter.newest_first ? filter.after : filter.up_to;
  std::vector<std::string> parameters = {Number(filter.newest_first ? filter.up_to : filter.after), Number(INT32_MAX),
                                         Number(end), Number(size + 1)};
  if (!options.token.empty()) {
    const absl::StatusOr<std::vector<std::string>> keys = DecodePageToken(list, options.token, 2);
    if (!keys.ok()) return keys.status();
    if (!AreNumbers(*keys)) return absl::InvalidArgumentError("the page token is not one that this list gave");
    std::copy(keys->begin(), keys->end(), parameters.begin());
  }
  const Statement statement = ListStatement(filter, parameters);
  ChangeList found;
  const absl::Status status = pool_->Run("list changes", CallKind::kRead, deadline, [&](Session& session) {
    found = {};
    for (const pqxx::row& row : session.Query(statement, parameters)) {
      found.trimmed = row[0].as<int64_t>();
      ReadChange(row, found.page.rows);
    }
  });
  if (!status.ok()) return status;
  if (found.page.rows.size() > static_cast<size_t>(size)) {
    found.page.rows.pop_back();
    const ChangeRow& last = found.page.rows.back();
    found.page.next_token = EncodePageToken(list, {Number(last.revision), Number(last.ordinal)});
  }
  return found;
}

absl::StatusOr<int64_t> Store::TrimChanges(const ChangeRetention& retention, absl::Time deadline) {
  static const Statement kStatement = {"trim_changes",
                                       "SELECT tasker.trim_changes($1::bigint, $2::double precision, $3::int)"};
  int64_t removed = 0;
  const absl::Status status = pool_->Run("trim changes", CallKind::kIdempotentWrite, deadline, [&](Session& session) {
    removed =
        session
            .Query(kStatement, {Number(retention.revisions), fmt::format("{}", absl::ToDoubleSeconds(retention.age)),
                                Number(kTrimLimit)})[0][0]
            .as<int64_t>();
  });
  if (!status.ok()) return status;
  return removed;
}

}  // namespace tasker::store
