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

// The template's latest version t, found by the template's row; with term filters, by the first of them, through an
// index in the order of the list.
Statement ListTemplatesStatement(const TemplateFilter& filter, const Parameters& after, int limit, Sql& sql) {
  // The most selective first.
  std::vector<std::pair<std::string_view, std::string_view>> terms;
  if (!filter.callable.empty()) terms.emplace_back("callable", filter.callable);
  if (!filter.event.empty()) terms.emplace_back("event", filter.event);
  if (!filter.tag.empty()) terms.emplace_back("tag", filter.tag);
  if (!filter.system.empty()) terms.emplace_back("system", filter.system);

  std::string name = "list_templates";
  std::string_view from = "tasker.templates t";
  std::string_view order = "t";
  std::string where;
  const auto restrict = [&where](const std::string& condition) {
    where += where.empty() ? " WHERE " : " AND ";
    where += condition;
  };
  for (size_t i = 0; i < terms.size(); ++i) {
    const auto& [subject, term] = terms[i];
    name += fmt::format("_{}", subject);
    if (i == 0) {
      order = "d";
      from =
          "tasker.template_index d JOIN tasker.templates t ON t.namespace = d.namespace AND t.name = d.name "
          "AND t.latest_named_task_uuid = d.named_task_uuid";
      restrict(NamesTerm("d", subject, term, sql));
    } else {
      restrict(
          fmt::format("EXISTS (SELECT FROM tasker.template_index e WHERE {} AND e.namespace = t.namespace "
                      "AND e.name = t.name AND e.major = t.major AND e.minor = t.minor AND e.patch = t.patch)",
                      NamesTerm("e", subject, term, sql)));
    }
  }
  if (!after.empty()) {
    name += "_after";
    restrict(fmt::format("({0}.namespace, {0}.name) > ({1}, {2})", order, sql.Bind(after[0]), sql.Bind(after[1])));
  }
  if (!filter.namespace_name.empty()) {
    name += "_namespace";
    restrict(fmt::format("{}.namespace = {}", order, sql.Bind(filter.namespace_name)));
  }
  if (!filter.name_prefix.empty()) {
    name += "_prefix";
    // Names are ASCII below DEL.
    restrict(fmt::format("{0}.name >= {1} AND {0}.name < {2}", order, sql.Bind(filter.name_prefix),
                         sql.Bind(filter.name_prefix + "\x7f")));
  }
  return {std::move(name),
          fmt::format("SELECT {}, p.version_count FROM (SELECT DISTINCT ON ({}.namespace, {}.name) "
                      "t.namespace, t.name, t.latest_named_task_uuid, t.version_count FROM {}{} "
                      "ORDER BY {}.namespace, {}.name LIMIT {}::int) p "
                      "JOIN tasker.named_tasks v ON v.named_task_uuid = p.latest_named_task_uuid "
                      "ORDER BY p.namespace, p.name",
                      kSummaryColumns, order, order, from, where, order, order, sql.Bind(std::to_string(limit)))};
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
  Sql sql;
  const Statement statement = ListTemplatesStatement(filter, *after, size + 1, sql);
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
