#include <fmt/format.h>

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "lib/store/list_query.h"
#include "lib/store/rows.h"
#include "lib/store/store.h"

namespace tasker::store {
namespace {

std::vector<std::string> StateWords(const std::vector<VersionState>& states) {
  if (states.empty()) return {"ACTIVE", "DEPRECATED"};
  std::set<std::string> words;
  for (const VersionState state : states) words.emplace(StateWord(state));
  return {words.begin(), words.end()};
}

// A condition that an index answers, and how its statements are called.
struct Term {
  std::string_view subject;
  std::string value;  // the parameter
};

// ListTemplates as it is asked for: the conditions of its filter as SQL. Every parameter is bound once.
class TemplateQuery {
 public:
  TemplateQuery(const TemplateFilter& filter, const ListRequest& request, Sql& sql);

  // What the statement depends on beside its parameters.
  const std::string& name() const { return name_; }
  // The page's rows of tasker.templates, in order: namespace, name, latest_named_task_uuid, version_count.
  std::string Rows() const;

 private:
  // On the list's part that is left. A namespace is such a part, and a prefix in a namespace.
  std::string IsLeft(std::string_view alias) const {
    // A row of columns bounds a scan from below only: PostgreSQL reads on to where its first column changes.
    return to_.empty() ? fmt::format("({0}.namespace, {0}.name) >= ({1}, {2})", alias, from_namespace_, from_name_)
                       : fmt::format("{0}.namespace = {1} AND {0}.name >= {2} AND {0}.name < {3}", alias,
                                     from_namespace_, from_name_, to_);
  }
  // On a row `t` of tasker.templates: its state.
  std::string IsWanted() const { return fmt::format("t.state = ANY ({})", states_); }
  // On a row `t` of tasker.templates: all the filter asks for beside, but for the first terms, which hold already.
  std::string Fits(std::optional<size_t> known_term = std::nullopt) const;
  static std::string Names(std::string_view alias, const Term& term) {
    // The first 200 characters are what the index holds.
    return fmt::format("{0}.subject = '{1}' AND left({0}.term, 200) = left({2}, 200) AND {0}.term = {2}", alias,
                       term.subject, term.value);
  }

  std::string ByState() const;
  std::string ByNamespace() const;
  std::string ByTerm(size_t term) const;
  std::string ByFewest() const;

  std::string name_ = "list_templates";
  std::string from_namespace_;
  std::string from_name_;
  std::string to_;  // above the names of one namespace; empty: of all namespaces
  std::string states_;
  std::string limit_;
  std::string text_;            // the query; empty: none
  std::string text_parameter_;  // what it is made of
  std::string prefix_;          // of names in any namespace, as "a AND b" on t.name; empty: none
  std::vector<Term> terms_;
};

TemplateQuery::TemplateQuery(const TemplateFilter& filter, const ListRequest& request, Sql& sql) {
  const std::string& space = filter.namespace_name;
  const std::string& prefix = filter.name_prefix;
  const bool prefix_anywhere = space.empty() && !prefix.empty();
  const std::string first_namespace = request.after.empty() ? space : request.after[0];
  const std::string first_name = request.after.empty() ? (prefix_anywhere ? "" : prefix) : JustAbove(request.after[1]);
  from_namespace_ = sql.Bind(first_namespace);
  from_name_ = sql.Bind(first_name);
  if (!space.empty()) to_ = sql.Bind(prefix + std::string(kAboveNames));
  states_ = sql.BindWords(StateWords(filter.states));
  limit_ = sql.Bind(int64_t{request.limit()});
  const auto add = [&](std::string_view subject, const std::string& term) {
    if (term.empty()) return;
    terms_.push_back({subject, sql.Bind(term)});
    name_ += fmt::format("_{}", subject);
  };
  add("callable", filter.callable);
  add("event", filter.event);
  add("tag", filter.tag);
  add("system", filter.system);
  if (!filter.text.empty()) {
    text_ = "(SELECT w.query FROM words w)";
    text_parameter_ = sql.Bind(filter.text);
    name_ += "_text";
  }
  if (prefix_anywhere) {
    prefix_ =
        fmt::format("t.name >= {} AND t.name < {}", sql.Bind(prefix), sql.Bind(prefix + std::string(kAboveNames)));
    name_ += "_prefix";
  }
  if (!space.empty()) name_ += "_namespace";  // it binds one parameter more
}

std::string TemplateQuery::Fits(std::optional<size_t> known_term) const {
  std::string conditions = "true";
  for (size_t i = 0; i < terms_.size(); ++i) {
    if (i == known_term) continue;
    // A subquery rather than EXISTS, which would be joined, and then look at every version.
    conditions += fmt::format(
        " AND (SELECT true FROM tasker.template_index e WHERE {} AND e.namespace = t.namespace AND e.name = t.name "
        "AND e.major = t.major AND e.minor = t.minor AND e.patch = t.patch LIMIT 1)",
        Names("e", terms_[i]));
  }
  if (!text_.empty()) conditions += " AND t.search @@ " + text_;
  if (!prefix_.empty()) conditions += " AND " + prefix_;
  return conditions;
}

// Through the list itself. One state after the other: so those of other states are not even passed over.
std::string TemplateQuery::ByState() const {
  return fmt::format(
      "SELECT f.* FROM unnest({}) s (state) CROSS JOIN LATERAL (SELECT t.namespace, t.name, t.latest_named_task_uuid, "
      "t.version_count FROM tasker.templates t WHERE t.state = s.state AND {} AND {} ORDER BY t.namespace, t.name "
      "LIMIT {}) f ORDER BY f.namespace, f.name LIMIT {}",
      states_, IsLeft("t"), Fits(), limit_, limit_);
}

// Through the names that begin so in one namespace after the other.
std::string TemplateQuery::ByNamespace() const {
  return fmt::format(
      "SELECT f.* FROM tasker.task_namespaces n CROSS JOIN LATERAL (SELECT t.namespace, t.name, "
      "t.latest_named_task_uuid, t.version_count FROM tasker.templates t WHERE t.namespace = n.name AND {} AND {} AND "
      "{} "
      "ORDER BY t.name LIMIT {}) f WHERE n.name >= {} ORDER BY n.name, f.name LIMIT {}",
      IsLeft("t"), IsWanted(), Fits(), limit_, from_namespace_, limit_);
}

// Through the rows of one term.
std::string TemplateQuery::ByTerm(size_t term) const {
  return fmt::format(
      "SELECT DISTINCT ON (d.namespace, d.name) f.* FROM tasker.template_index d CROSS JOIN LATERAL (SELECT "
      "t.namespace, t.name, t.latest_named_task_uuid, t.version_count FROM tasker.templates t WHERE t.namespace = "
      "d.namespace AND t.name = d.name AND t.latest_named_task_uuid = d.named_task_uuid AND {} AND {} LIMIT 1) f "
      "WHERE {} AND {} ORDER BY d.namespace, d.name LIMIT {}",
      IsWanted(), Fits(term), Names("d", terms_[term]), IsLeft("d"), limit_);
}

// Through the rows of the condition that fewest fulfil, where these are few; else in the order of the list, along the
// term that is rarest in it from here on: whose first rows reach furthest.
std::string TemplateQuery::ByFewest() const {
  std::vector<std::string> searches;
  for (const Term& term : terms_) {
    searches.push_back(fmt::format(
        "SELECT d.namespace, d.name FROM tasker.template_index d WHERE {} AND {} ORDER BY d.namespace, d.name",
        Names("d", term), IsLeft("d")));
  }
  constexpr std::string_view kTemplates = "SELECT t.namespace, t.name FROM tasker.templates t WHERE ";
  if (!text_.empty()) searches.push_back(fmt::format("{}t.search @@ {}", kTemplates, text_));
  if (!prefix_.empty()) searches.push_back(fmt::format("{}{}", kTemplates, prefix_));

  std::string with;
  if (!text_.empty()) {
    with = fmt::format("words AS MATERIALIZED (SELECT tasker.search_query({}) AS query), ", text_parameter_);
  }
  std::string counts;
  std::string few;
  for (size_t i = 0; i < searches.size(); ++i) {
    with += fmt::format("s{} AS MATERIALIZED ({} LIMIT {}), ", i, searches[i], kFewRows + 1);
    const std::string reach =
        i < terms_.size() ? fmt::format("(SELECT max(ARRAY[s.namespace, s.name]) FROM s{} s)", i) : "NULL";
    counts += fmt::format("{}({}, (SELECT count(*) FROM s{}), {})", i == 0 ? "" : ", ", i, i, reach);
    few += fmt::format("{}SELECT s.namespace, s.name FROM s{} s WHERE (SELECT c.nth FROM choice c) = {}",
                       i == 0 ? "" : " UNION ", i, i);
  }
  std::string in_order;
  for (size_t i = 0; i < terms_.size(); ++i) {
    in_order += fmt::format(" UNION ALL (SELECT o.* FROM ({}) o WHERE (SELECT c.nth FROM choice c) = {})", ByTerm(i),
                            -1 - static_cast<int>(i));
  }
  if (terms_.empty()) {
    in_order = fmt::format(" UNION ALL (SELECT o.* FROM ({}) o WHERE (SELECT c.nth FROM choice c) < 0)",
                           prefix_.empty() ? ByState() : ByNamespace());
  }
  return fmt::format(
      "WITH {}choice AS MATERIALIZED (SELECT CASE WHEN v.found <= {} THEN v.nth ELSE -1 - v.nth END AS nth "
      "FROM (VALUES {}) v (nth, found, reach) ORDER BY v.found, v.reach DESC NULLS LAST LIMIT 1) "
      "SELECT * FROM ((SELECT f.* FROM ({}) s CROSS JOIN LATERAL (SELECT t.namespace, t.name, "
      "t.latest_named_task_uuid, "
      "t.version_count FROM tasker.templates t WHERE t.namespace = s.namespace AND t.name = s.name AND {} AND {} AND "
      "{} "
      "LIMIT 1) f ORDER BY f.namespace, f.name LIMIT {}){}) u "
      "ORDER BY u.namespace, u.name LIMIT {}",
      with, kFewRows, counts, few, IsLeft("t"), IsWanted(), Fits(), limit_, in_order, limit_);
}

std::string TemplateQuery::Rows() const {
  if (terms_.size() + (text_.empty() ? 0 : 1) + (prefix_.empty() ? 0 : 1) > 1 || !text_.empty() || !prefix_.empty()) {
    return ByFewest();
  }
  return terms_.empty() ? ByState() : ByTerm(0);
}

// kSummaryColumns, the channels that point at v, and what the summary weighs.
constexpr std::string_view kChannels =
    "to_json(ARRAY(SELECT c.channel FROM tasker.channels c WHERE c.namespace = v.namespace AND c.name = v.name AND "
    "c.named_task_uuid = v.named_task_uuid ORDER BY c.channel))::text AS channels";
constexpr std::string_view kWeight =
    "coalesce(octet_length(v.description), 0) + octet_length(to_json(v.tags)::text) AS weight";

VersionSummary ReadListedVersion(const pqxx::row& row) {
  VersionSummary summary = ReadSummary(row);
  summary.channels = ReadStrings(row["channels"]);
  return summary;
}

std::string TemplateListName(const TemplateFilter& filter) {
  std::string states;
  for (const std::string& word : StateWords(filter.states)) states += word + ",";
  return ListName("templates", {filter.namespace_name, filter.name_prefix, filter.tag, filter.system, filter.event,
                                filter.callable, filter.text, states});
}

}  // namespace

absl::StatusOr<Page<TemplateSummary>> Store::ListTemplates(const TemplateFilter& filter, const PageOptions& page,
                                                           absl::Time deadline) {
  const absl::StatusOr<ListRequest> request = ReadPageOptions(TemplateListName(filter), page, 2);
  if (!request.ok()) return request.status();
  Sql sql;
  const TemplateQuery query(filter, *request, sql);
  const Statement statement = PageStatement(
      query.name(), fmt::format("SELECT {}, {}, q.version_count, {} FROM ({}) q JOIN tasker.named_tasks v ON "
                                "v.named_task_uuid = q.latest_named_task_uuid ORDER BY q.namespace, q.name",
                                kSummaryColumns, kChannels, kWeight, query.Rows()));
  return LoadPage<TemplateSummary>(
      *pool_, *request, statement, sql.parameters(), deadline,
      [](const pqxx::row& row) {
        return TemplateSummary{.latest = ReadListedVersion(row), .version_count = row["version_count"].as<int64_t>()};
      },
      [](const TemplateSummary& row) {
        return Parameters{row.latest.namespace_name, row.latest.name};
      });
}

absl::StatusOr<Page<VersionSummary>> Store::ListVersions(std::string_view namespace_name, std::string_view name,
                                                         const std::vector<VersionState>& states,
                                                         const PageOptions& page, absl::Time deadline) {
  static const Statement kStatement = PageStatement(
      "list_versions",
      fmt::format(
          "SELECT {}, {}, {} FROM tasker.named_tasks v WHERE v.namespace = $1 AND v.name = $2 "
          "AND (v.major, v.minor, v.patch) < ($3::bigint, $4::bigint, $5::bigint) AND v.state = ANY ($6::text[]) "
          "ORDER BY v.major DESC, v.minor DESC, v.patch DESC LIMIT $7::bigint",
          kSummaryColumns, kChannels, kWeight));
  std::string words;
  for (const std::string& word : StateWords(states)) words += (words.empty() ? "" : ",") + word;
  const absl::StatusOr<ListRequest> request =
      ReadPageOptions(ListName("versions", {namespace_name, name, words}), page, 1);
  if (!request.ok()) return request.status();
  Parameters below = {"2147483648", "0", "0"};  // above the highest version there can be
  if (!request->after.empty()) {
    const std::optional<tmpl::Version> last = tmpl::ParseVersion(request->after.front());
    if (!last) return absl::InvalidArgumentError("the page token does not belong to this list");
    below = {std::to_string(last->major), std::to_string(last->minor), std::to_string(last->patch)};
  }
  return LoadPage<VersionSummary>(*pool_, *request, kStatement,
                                  {std::string(namespace_name), std::string(name), below[0], below[1], below[2],
                                   "{" + words + "}", std::to_string(request->limit())},
                                  deadline, ReadListedVersion,
                                  [](const VersionSummary& row) { return Parameters{row.version}; });
}

absl::StatusOr<std::vector<std::string>> Store::LoadConfigurations(std::span<const std::string> named_task_uuids,
                                                                   absl::Time deadline) {
  static const Statement kStatement = {
      "load_configurations",
      "SELECT (SELECT v.configuration::text FROM tasker.named_tasks v WHERE v.named_task_uuid = u.uuid) "
      "FROM unnest($1::uuid[]) WITH ORDINALITY u (uuid, nth) ORDER BY u.nth"};
  const std::string uuids = fmt::format("{{{}}}", fmt::join(named_task_uuids, ","));
  std::vector<std::string> configurations;
  const absl::Status status = pool_->Run("load configurations", CallKind::kRead, deadline, [&](Session& session) {
    configurations.clear();
    for (const pqxx::row& row : session.Query(kStatement, {uuids})) configurations.emplace_back(row[0].c_str());
  });
  if (!status.ok()) return status;
  return configurations;
}

}  // namespace tasker::store
