#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

#include "lib/base/digest.h"
#include "lib/store/list_query.h"
#include "lib/store/rows.h"
#include "lib/store/store.h"

namespace tasker::store {
namespace {

// A row's place in the list: term, namespace, name, version, environment, step, role. Of the term only the first 200
// characters, which is what the indexes hold; the digest tells apart what begins with the same.
struct Place {
  std::string term_head;
  std::string namespace_name;
  std::string name;
  std::string version;
  std::string environment;
  std::string step;
  std::string role;
  std::string term_digest;
};
constexpr size_t kPlaceKeys = 8;

// The first 200 characters, as PostgreSQL's left(term, 200).
std::string Head(std::string_view term) {
  size_t characters = 0;
  size_t bytes = 0;
  for (; bytes < term.size(); ++bytes) {
    if ((static_cast<unsigned char>(term[bytes]) & 0xC0) != 0x80 && ++characters > 200) break;
  }
  return std::string(term.substr(0, bytes));
}

Parameters KeysOf(const Usage& usage) {
  return {Head(usage.term),  usage.namespace_name, usage.name, usage.version,
          usage.environment, usage.step,           usage.role, base::Sha256Digest(usage.term)};
}

// What comes before every row of the list, or the last row given.
Place PlaceBefore(const UsageFilter& filter, const ListRequest& request) {
  if (request.after.empty()) return {Head(filter.term), filter.namespace_name, "", "0.0.0", "", "", "", ""};
  const Parameters& k = request.after;
  return {k[0], k[1], k[2], k[3], k[4], k[5], k[6], k[7]};
}

// The page's rows of template_index u with the version's state. What the filter fixes is left out of the order, so that
// the rest of it is the order of one of the indexes by term.
std::string UsageRows(const UsageFilter& filter, const Place& before, const tmpl::Version& version, int limit,
                      Sql& sql) {
  std::string found = fmt::format("u.subject = '{}'", SubjectWord(filter.subject));
  std::string order;
  std::string start;
  const auto add_key = [&](std::string_view column, const std::string& value) {
    order += (order.empty() ? "" : ", ") + std::string(column);
    start += (start.empty() ? "" : ", ") + value;
  };
  const std::string term = sql.Bind(filter.term);
  if (filter.prefix) {
    found += fmt::format(" AND left(u.term, 200) < left({0}, 200) || {1} AND starts_with(u.term, {0})", term,
                         sql.Bind(kAboveTexts));
    add_key("left(u.term, 200)", sql.Bind(before.term_head));
  } else {
    found += fmt::format(" AND left(u.term, 200) = left({0}, 200) AND u.term = {0}", term);
  }
  if (filter.namespace_name.empty()) {
    add_key("u.namespace", sql.Bind(before.namespace_name));
  } else {
    found += fmt::format(" AND u.namespace = {}", sql.Bind(filter.namespace_name));
  }
  add_key("u.name", sql.Bind(before.name));
  add_key("u.major", sql.Bind(int64_t{version.major}));
  add_key("u.minor", sql.Bind(int64_t{version.minor}));
  add_key("u.patch", sql.Bind(int64_t{version.patch}));
  found += fmt::format(" AND ({}) >= ({})", order, start);
  add_key("u.environment", sql.Bind(before.environment));
  add_key("u.step", sql.Bind(before.step));
  add_key("u.role", sql.Bind(before.role));
  add_key("'sha256:' || encode(sha256(convert_to(u.term, 'UTF8')), 'hex')", sql.Bind(before.term_digest));
  const std::string state =
      filter.all_versions
          ? "SELECT v.state FROM tasker.named_tasks v WHERE v.named_task_uuid = u.named_task_uuid LIMIT 1"
          : "SELECT t.state FROM tasker.templates t WHERE t.namespace = u.namespace AND t.name = u.name AND "
            "t.latest_named_task_uuid = u.named_task_uuid LIMIT 1";
  return fmt::format(
      "SELECT u.namespace, u.name, u.major, u.minor, u.patch, s.state, u.term, u.role, u.step, u.environment, "
      "octet_length(u.term) AS weight FROM tasker.template_index u CROSS JOIN LATERAL ({}) s WHERE {} AND ({}) > ({}) "
      "AND s.state <> 'YANKED' ORDER BY {} LIMIT {}",
      state, found, order, start, order, sql.Bind(int64_t{limit}));
}

Usage ReadUsage(const pqxx::row& row) {
  return {.namespace_name = row["namespace"].as<std::string>(),
          .name = row["name"].as<std::string>(),
          .version = fmt::format("{}.{}.{}", row["major"].c_str(), row["minor"].c_str(), row["patch"].c_str()),
          .state = StateOf(row["state"].as<std::string>()),
          .term = row["term"].as<std::string>(),
          .role = row["role"].as<std::string>(),
          .step = row["step"].as<std::string>(),
          .environment = row["environment"].as<std::string>()};
}

}  // namespace

absl::StatusOr<Page<Usage>> Store::FindUsages(const UsageFilter& filter, const PageOptions& page, absl::Time deadline) {
  const std::string_view subject = SubjectWord(filter.subject);
  const std::string_view all = filter.all_versions ? "_all" : "";
  const absl::StatusOr<ListRequest> request = ReadPageOptions(
      ListName("usages", {subject, filter.term, filter.prefix ? "prefix" : "", all, filter.namespace_name}), page,
      kPlaceKeys);
  if (!request.ok()) return request.status();
  const Place before = PlaceBefore(filter, *request);
  const std::optional<tmpl::Version> version = tmpl::ParseVersion(before.version);
  if (!version) return absl::InvalidArgumentError("the page token does not belong to this list");
  Sql sql;
  const std::string rows = UsageRows(filter, before, *version, request->limit(), sql);
  const Statement statement = PageStatement(fmt::format("usages_{}{}{}{}", subject, filter.prefix ? "_prefix" : "", all,
                                                        filter.namespace_name.empty() ? "" : "_namespace"),
                                            rows);
  return LoadPage<Usage>(*pool_, *request, statement, sql.parameters(), deadline, ReadUsage, KeysOf);
}

}  // namespace tasker::store
