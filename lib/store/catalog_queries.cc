#include <fmt/format.h>

#include <algorithm>
#include <pqxx/result>
#include <pqxx/row>

#include "lib/store/connection_pool.h"
#include "lib/store/page_token.h"
#include "lib/store/rows.h"
#include "lib/store/session.h"
#include "lib/store/store.h"

namespace tasker::store {
namespace {

using Parameters = std::vector<std::string>;

int PageSize(const PageOptions& page) {
  return page.size <= 0 ? PageOptions::kDefaultSize : std::min(page.size, PageOptions::kMaxSize);
}

// Collects the parameters of a statement that is put together from parts.
class Sql {
 public:
  /// "$n" of a new parameter.
  std::string Bind(std::string_view value) {
    parameters_.emplace_back(value);
    return fmt::format("${}", parameters_.size());
  }
  const Parameters& parameters() const { return parameters_; }

 private:
  Parameters parameters_;
};

// Runs `sql`, which asks for one row more than the page has; `key` gives a row's place in the order.
template <typename Row, typename ReadRow, typename Key>
absl::StatusOr<Page<Row>> LoadPage(ConnectionPool& pool, std::string_view list, const Statement& statement,
                                   const Parameters& parameters, size_t size, absl::Time deadline, ReadRow read,
                                   Key key) {
  Page<Row> page;
  const absl::Status status = pool.Run("list", CallKind::kRead, deadline, [&](Session& session) {
    page = {};
    for (const pqxx::row& row : session.Query(statement, parameters)) {
      if (page.rows.size() == size) {
        page.next_token = EncodePageToken(list, key(page.rows.back()));
        return;
      }
      page.rows.push_back(read(row));
    }
  });
  if (!status.ok()) return status;
  return page;
}

// The conditions that make template_index `alias` name `term`. The first 200 characters are what its index holds.
std::string NamesTerm(std::string_view alias, std::string_view subject, std::string_view term, Sql& sql) {
  const std::string bound = sql.Bind(term);
  return fmt::format("{0}.subject = '{1}' AND left({0}.term, 200) = left({2}, 200) AND {0}.term = {2}", alias, subject,
                     bound);
}

// One page of ListTemplates as it is asked for.
struct TemplateQuery {
  const TemplateFilter& filter;
  Parameters after;  // namespace and name of the last row given, or empty texts
  int limit = 0;
};

// The conditions on where in the list a row of `alias` is.
std::string IsInList(std::string_view alias, const TemplateQuery& query, Sql& sql) {
  std::string condition =
      fmt::format("({0}.namespace, {0}.name) > ({1}, {2})", alias, sql.Bind(query.after[0]), sql.Bind(query.after[1]));
  if (!query.filter.namespace_name.empty()) {
    condition += fmt::format(" AND {}.namespace = {}", alias, sql.Bind(query.filter.namespace_name));
  }
  if (!query.filter.name_prefix.empty()) {
    // Names are ASCII below DEL.
    condition += fmt::format(" AND {0}.name >= {1} AND {0}.name < {2}", alias, sql.Bind(query.filter.name_prefix),
                             sql.Bind(query.filter.name_prefix + "\x7f"));
  }
  return condition;
}

// Each of the following gives the page's rows of tasker.templates, read through an index that has the list's order.

std::string SelectAll(const TemplateQuery& query, Sql& sql) {
  const std::string condition = IsInList("t", query, sql);
  return fmt::format("SELECT t.* FROM tasker.templates t WHERE {} ORDER BY t.namespace, t.name LIMIT {}::int",
                     condition, sql.Bind(std::to_string(query.limit)));
}

// A prefix without a namespace begins no index: look into one namespace after the other.
std::string SelectByPrefix(const TemplateQuery& query, Sql& sql) {
  const std::string condition = IsInList("t", query, sql);
  const std::string limit = sql.Bind(std::to_string(query.limit));
  return fmt::format(
      "SELECT t.* FROM tasker.task_namespaces n CROSS JOIN LATERAL (SELECT t.* FROM tasker.templates t "
      "WHERE t.namespace = n.name AND {0} ORDER BY t.name LIMIT {1}::int) t "
      "WHERE n.name >= {2} ORDER BY n.name, t.name LIMIT {1}::int",
      condition, limit, sql.Bind(query.after[0]));
}

// By the first of `terms`; the others are looked up for each template that it finds.
std::string SelectByTerms(const std::vector<std::pair<std::string_view, std::string_view>>& terms,
                          const TemplateQuery& query, Sql& sql) {
  std::string condition = NamesTerm("d", terms[0].first, terms[0].second, sql) + " AND " + IsInList("d", query, sql);
  for (size_t i = 1; i < terms.size(); ++i) {
    condition += fmt::format(
        " AND EXISTS (SELECT FROM tasker.template_index e WHERE {} AND e.namespace = t.namespace AND e.name = t.name "
        "AND e.major = t.major AND e.minor = t.minor AND e.patch = t.patch)",
        NamesTerm("e", terms[i].first, terms[i].second, sql));
  }
  return fmt::format(
      "SELECT DISTINCT ON (d.namespace, d.name) t.* FROM tasker.template_index d JOIN tasker.templates t "
      "ON t.namespace = d.namespace AND t.name = d.name AND t.latest_named_task_uuid = d.named_task_uuid "
      "WHERE {} ORDER BY d.namespace, d.name LIMIT {}::int",
      condition, sql.Bind(std::to_string(query.limit)));
}

Statement ListTemplatesStatement(const TemplateQuery& query, Sql& sql) {
  const TemplateFilter& filter = query.filter;
  std::vector<std::pair<std::string_view, std::string_view>> terms;  // the most selective first
  if (!filter.callable.empty()) terms.emplace_back("callable", filter.callable);
  if (!filter.event.empty()) terms.emplace_back("event", filter.event);
  if (!filter.tag.empty()) terms.emplace_back("tag", filter.tag);
  if (!filter.system.empty()) terms.emplace_back("system", filter.system);

  std::string name = "list_templates";
  for (const auto& [subject, term] : terms) name += fmt::format("_{}", subject);
  if (!filter.namespace_name.empty()) name += "_namespace";
  if (!filter.name_prefix.empty()) name += "_prefix";

  const bool prefix_alone = !filter.name_prefix.empty() && filter.namespace_name.empty();
  const std::string rows = !terms.empty() ? SelectByTerms(terms, query, sql)
                           : prefix_alone ? SelectByPrefix(query, sql)
                                          : SelectAll(query, sql);
  return {std::move(name), fmt::format("SELECT {}, p.version_count FROM ({}) p "
                                       "JOIN tasker.named_tasks v ON v.named_task_uuid = p.latest_named_task_uuid "
                                       "ORDER BY p.namespace, p.name",
                                       kSummaryColumns, rows)};
}

std::string TemplateListName(const TemplateFilter& filter) {
  std::string name = "templates";
  for (const std::string* field :
       {&filter.namespace_name, &filter.name_prefix, &filter.tag, &filter.system, &filter.event, &filter.callable}) {
    name += fmt::format("\n{}:{}", field->size(), *field);
  }
  return name;
}

absl::StatusOr<Parameters> KeysOf(const PageOptions& page, std::string_view list, size_t count) {
  if (page.token.empty()) return Parameters{};
  return DecodePageToken(list, page.token, count);
}

}  // namespace

absl::StatusOr<Page<NamespaceSummary>> Store::ListNamespaces(const PageOptions& page, absl::Time deadline) {
  static const Statement kStatement = {"list_namespaces",
                                       "SELECT n.name, to_json(n.system_dependencies)::text, n.template_count, "
                                       "(extract(epoch FROM n.created_at) * 1000000)::bigint "
                                       "FROM tasker.task_namespaces n WHERE n.name > $1 ORDER BY n.name LIMIT $2::int"};
  constexpr std::string_view kList = "namespaces";
  const absl::StatusOr<Parameters> after = KeysOf(page, kList, 1);
  if (!after.ok()) return after.status();
  const int size = PageSize(page);
  return LoadPage<NamespaceSummary>(
      *pool_, kList, kStatement, {after->empty() ? "" : after->front(), std::to_string(size + 1)},
      static_cast<size_t>(size), deadline,
      [](const pqxx::row& row) {
        return NamespaceSummary{.name = row[0].as<std::string>(),
                                .system_dependencies = ReadStrings(row[1]),
                                .template_count = row[2].as<int64_t>(),
                                .create_time = absl::FromUnixMicros(row[3].as<int64_t>())};
      },
      [](const NamespaceSummary& row) { return Parameters{row.name}; });
}

absl::StatusOr<Page<TemplateSummary>> Store::ListTemplates(const TemplateFilter& filter, const PageOptions& page,
                                                           absl::Time deadline) {
  const std::string list = TemplateListName(filter);
  const absl::StatusOr<Parameters> after = KeysOf(page, list, 2);
  if (!after.ok()) return after.status();
  const int size = PageSize(page);
  const TemplateQuery query = {
      .filter = filter, .after = after->empty() ? Parameters{"", ""} : *after, .limit = size + 1};
  Sql sql;
  const Statement statement = ListTemplatesStatement(query, sql);
  return LoadPage<TemplateSummary>(
      *pool_, list, statement, sql.parameters(), static_cast<size_t>(size), deadline,
      [](const pqxx::row& row) {
        return TemplateSummary{.latest = ReadSummary(row), .version_count = row[kSummaryColumnCount].as<int64_t>()};
      },
      [](const TemplateSummary& row) {
        return Parameters{row.latest.namespace_name, row.latest.name};
      });
}

absl::StatusOr<Page<VersionSummary>> Store::ListVersions(std::string_view namespace_name, std::string_view name,
                                                         const PageOptions& page, absl::Time deadline) {
  static const Statement kStatement = {
      "list_versions", fmt::format("SELECT {} FROM tasker.named_tasks v WHERE v.namespace = $1 AND v.name = $2 "
                                   "AND (v.major, v.minor, v.patch) < ($3::bigint, $4::bigint, $5::bigint) "
                                   "ORDER BY v.major DESC, v.minor DESC, v.patch DESC LIMIT $6::int",
                                   kSummaryColumns)};
  const std::string list = fmt::format("versions\n{}\n{}", namespace_name, name);
  const absl::StatusOr<Parameters> after = KeysOf(page, list, 1);
  if (!after.ok()) return after.status();
  std::vector<std::string> below = {"2147483648", "0", "0"};  // above the highest version there can be
  if (!after->empty()) {
    const std::optional<tmpl::Version> last = tmpl::ParseVersion(after->front());
    if (!last) return absl::InvalidArgumentError("the page token does not belong to this list");
    below = {std::to_string(last->major), std::to_string(last->minor), std::to_string(last->patch)};
  }
  const int size = PageSize(page);
  return LoadPage<VersionSummary>(
      *pool_, list, kStatement,
      {std::string(namespace_name), std::string(name), below[0], below[1], below[2], std::to_string(size + 1)},
      static_cast<size_t>(size), deadline, ReadSummary,
      [](const VersionSummary& row) { return Parameters{row.version}; });
}

}  // namespace tasker::store
