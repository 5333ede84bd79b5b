#include <fmt/format.h>

#include <string>
#include <utility>

#include "lib/store/list_query.h"
#include "lib/store/rows.h"
#include "lib/store/store.h"

namespace tasker::store {
namespace {

absl::Time ReadTime(const pqxx::field& microseconds) { return absl::FromUnixMicros(microseconds.as<int64_t>()); }

Channel ReadChannel(const pqxx::row& row) {
  return {.namespace_name = row["namespace"].as<std::string>(),
          .name = row["name"].as<std::string>(),
          .channel = row["channel"].as<std::string>(),
          .version = row["version"].as<std::string>(),
          .digest = row["digest"].as<std::string>(),
          .state = StateOf(row["state"].as<std::string>()),
          .actor = row["actor"].as<std::string>(),
          .revision = row["revision"].as<int64_t>(),
          .update_time = ReadTime(row["micros"])};
}

NamespaceEvent ReadEvent(const pqxx::row& row) {
  return {.namespace_name = row["namespace"].as<std::string>(),
          .name = row["name"].as<std::string>(),
          .description = row["description"].as<std::string>(),
          .schema_digest = row["schema_digest"].as<std::string>(),
          .schema_json = row["schema_json"].as<std::string>(),
          .template_name = row["template"].as<std::string>(),
          .version = row["version"].as<std::string>(),
          .create_time = ReadTime(row["micros"])};
}

// The keys of a page's events, in order.
std::string EventKeys(std::string_view space, std::string_view prefix, const ListRequest& request, Sql& sql) {
  const bool first = request.after.empty();
  const std::string from_space = sql.Bind(first ? space : std::string_view(request.after[0]));
  const std::string from_name =
      sql.Bind(first ? (space.empty() ? std::string_view() : prefix) : std::string_view(request.after[1]));
  const std::string from_digest = sql.Bind(first ? "" : JustAbove(request.after[2]));
  const std::string limit = sql.Bind(int64_t{request.limit()});
  constexpr std::string_view kKeys = "SELECT e.namespace, e.name, e.schema_digest FROM tasker.domain_events e";
  constexpr std::string_view kOrder = "ORDER BY e.namespace, e.name, e.schema_digest LIMIT";
  const std::string above = std::string(prefix) + std::string(kAboveTexts);
  if (!space.empty()) {
    return fmt::format("{} WHERE e.namespace = {} AND (e.name, e.schema_digest) >= ({}, {}) AND e.name < {} {} {}",
                       kKeys, from_space, from_name, from_digest, sql.Bind(above), kOrder, limit);
  }
  const std::string from =
      fmt::format("(e.namespace, e.name, e.schema_digest) >= ({}, {}, {})", from_space, from_name, from_digest);
  if (prefix.empty()) return fmt::format("{} WHERE {} {} {}", kKeys, from, kOrder, limit);
  // A prefix alone begins no key: few events are read and sorted, many are found in one namespace after the other.
  const std::string begins = fmt::format("e.name >= {} AND e.name < {}", sql.Bind(prefix), sql.Bind(above));
  const std::string begins_anywhere =
      fmt::format("left(e.name, 100) >= left({0}, 100) AND left(e.name, 100) < left({0}, 100) || {1} AND {2}",
                  sql.Bind(prefix), sql.Bind(kAboveTexts), begins);
  return fmt::format(
      "WITH few AS MATERIALIZED ({0} WHERE {7} LIMIT {2}) SELECT * FROM ((SELECT * FROM few e WHERE (SELECT count(*) "
      "FROM few) < {2} AND {3} {4} {5}) UNION ALL (SELECT o.* FROM (SELECT e.* FROM tasker.task_namespaces n CROSS "
      "JOIN "
      "LATERAL ({0} WHERE e.namespace = n.name AND {1} AND {3} ORDER BY e.name, e.schema_digest LIMIT {5}) e "
      "WHERE n.name >= {6} ORDER BY n.name, e.name, e.schema_digest LIMIT {5}) o WHERE (SELECT count(*) FROM few) = "
      "{2})) e {4} {5}",
      kKeys, begins, kFewRows + 1, from, kOrder, limit, from_space, begins_anywhere);
}

}  // namespace

absl::StatusOr<Page<NamespaceSummary>> Store::ListNamespaces(std::string_view name_prefix, const PageOptions& page,
                                                             absl::Time deadline) {
  static const Statement kStatement = PageStatement(
      "list_namespaces",
      "SELECT n.name, coalesce(n.description, '') AS description, s.systems, n.template_count, n.version_policy, "
      "(extract(epoch FROM n.created_at) * 1000000)::bigint AS micros, octet_length(s.systems) AS weight "
      "FROM tasker.task_namespaces n CROSS JOIN LATERAL (SELECT to_json(n.system_dependencies)::text AS systems) s "
      "WHERE n.name >= $1 AND n.name < $2 ORDER BY n.name LIMIT $3::bigint");
  const absl::StatusOr<ListRequest> request = ReadPageOptions(ListName("namespaces", {name_prefix}), page, 1);
  if (!request.ok()) return request.status();
  const std::string from = request->after.empty() ? std::string(name_prefix) : JustAbove(request->after[0]);
  return LoadPage<NamespaceSummary>(
      *pool_, *request, kStatement,
      {from, std::string(name_prefix) + std::string(kAboveNames), std::to_string(request->limit())}, deadline,
      [](const pqxx::row& row) {
        return NamespaceSummary{.name = row["name"].as<std::string>(),
                                .description = row["description"].as<std::string>(),
                                .system_dependencies = ReadStrings(row["systems"]),
                                .template_count = row["template_count"].as<int64_t>(),
                                .version_policy = PolicyOf(row["version_policy"].as<std::string>()),
                                .create_time = ReadTime(row["micros"])};
      },
      [](const NamespaceSummary& row) { return Parameters{row.name}; });
}

absl::StatusOr<Page<Channel>> Store::ListChannels(const ChannelFilter& filter, const PageOptions& page,
                                                  absl::Time deadline) {
  const absl::StatusOr<ListRequest> request =
      ReadPageOptions(ListName("channels", {filter.namespace_name, filter.name, filter.channel}), page, 3);
  if (!request.ok()) return request.status();
  Parameters from = {filter.namespace_name, filter.name, ""};
  if (!request->after.empty()) {
    from = request->after;
    std::string& last = from[filter.channel.empty() ? 2 : 1];  // of the keys that the filter leaves open
    last = JustAbove(last);
  }
  Sql sql;
  std::string name = "list_channels";
  std::string condition;  // what the filter fixes, and from where on the rest is left
  std::string rest;
  std::string start;
  const auto add_key = [&](std::string_view column, std::string_view fixed, const std::string& first) {
    if (fixed.empty()) {
      rest += fmt::format("{}c.{}", rest.empty() ? "" : ", ", column);
      start += (start.empty() ? "" : ", ") + sql.Bind(first);
    } else {
      condition += fmt::format("c.{} = {} AND ", column, sql.Bind(fixed));
      name += fmt::format("_{}", column);
    }
  };
  add_key("namespace", filter.namespace_name, from[0]);
  add_key("name", filter.name, from[1]);
  add_key("channel", filter.channel, from[2]);
  condition += rest.empty() ? "true" : fmt::format("({}) >= ({})", rest, start);
  const Statement statement = PageStatement(
      name,
      fmt::format("SELECT c.*, v.digest, v.state, (extract(epoch FROM c.updated_at) * 1000000)::bigint AS micros, "
                  "0 AS weight FROM tasker.channels c JOIN tasker.named_tasks v ON v.named_task_uuid = "
                  "c.named_task_uuid WHERE {} ORDER BY c.namespace, c.name, c.channel LIMIT {}",
                  condition, sql.Bind(int64_t{request->limit()})));
  return LoadPage<Channel>(*pool_, *request, statement, sql.parameters(), deadline, ReadChannel,
                           [](const Channel& row) {
                             return Parameters{row.namespace_name, row.name, row.channel};
                           });
}

absl::StatusOr<Page<ChannelMove>> Store::ListChannelMoves(std::string_view namespace_name, std::string_view name,
                                                          std::string_view channel, const PageOptions& page,
                                                          absl::Time deadline) {
  static const Statement kStatement = PageStatement(
      "list_channel_moves",
      "SELECT m.version, m.actor, m.revision, (extract(epoch FROM m.created_at) * 1000000)::bigint AS micros, "
      "0 AS weight FROM tasker.channel_moves m WHERE m.namespace = $1 AND m.name = $2 AND m.channel = $3 "
      "AND m.revision < $4::bigint ORDER BY m.revision DESC LIMIT $5::bigint");
  const absl::StatusOr<ListRequest> request =
      ReadPageOptions(ListName("channel moves", {namespace_name, name, channel}), page, 1);
  if (!request.ok()) return request.status();
  const std::string before = request->after.empty() ? std::to_string(INT64_MAX) : request->after[0];
  return LoadPage<ChannelMove>(
      *pool_, *request, kStatement,
      {std::string(namespace_name), std::string(name), std::string(channel), before, std::to_string(request->limit())},
      deadline,
      [](const pqxx::row& row) {
        return ChannelMove{.version = row["version"].as<std::string>(),
                           .actor = row["actor"].as<std::string>(),
                           .revision = row["revision"].as<int64_t>(),
                           .create_time = ReadTime(row["micros"])};
      },
      [](const ChannelMove& row) { return Parameters{std::to_string(row.revision)}; });
}

absl::StatusOr<Page<NamespaceEvent>> Store::ListDomainEvents(std::string_view namespace_name,
                                                             std::string_view name_prefix, const PageOptions& page,
                                                             absl::Time deadline) {
  const absl::StatusOr<ListRequest> request =
      ReadPageOptions(ListName("domain events", {namespace_name, name_prefix}), page, 3);
  if (!request.ok()) return request.status();
  Sql sql;
  const std::string keys = EventKeys(namespace_name, name_prefix, *request, sql);
  const Statement statement = PageStatement(
      fmt::format("list_domain_events{}", !namespace_name.empty() ? "_namespace"
                                          : name_prefix.empty()   ? ""
                                                                  : "_prefix"),
      fmt::format("SELECT d.*, (extract(epoch FROM d.created_at) * 1000000)::bigint AS micros, "
                  "octet_length(d.schema_json) + octet_length(d.description) AS weight FROM ({}) k CROSS JOIN LATERAL "
                  "(SELECT e.* FROM tasker.domain_events e WHERE e.namespace = k.namespace AND e.name = k.name AND "
                  "e.schema_digest = k.schema_digest LIMIT 1) d ORDER BY k.namespace, k.name, k.schema_digest",
                  keys));
  return LoadPage<NamespaceEvent>(*pool_, *request, statement, sql.parameters(), deadline, ReadEvent,
                                  [](const NamespaceEvent& row) {
                                    return Parameters{row.namespace_name, row.name, row.schema_digest};
                                  });
}

}  // namespace tasker::store
