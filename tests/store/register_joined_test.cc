#include <absl/strings/str_join.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <pqxx/result>
#include <random>
#include <set>

#include "lib/base/digest.h"
#include "lib/store/array_text.h"
#include "lib/store/register_parameters.h"
#include "lib/store/session.h"
#include "tests/store/versions.h"
#include "tests/support/postgres_fixture.h"

// Calls that register_calls makes at once answer and leave behind what the same calls do one after the other.

namespace tasker::store {
namespace {

constexpr int kGroups = 150;
constexpr size_t kParameters = 8;

using Call = std::vector<std::string>;  // the parameters of register_templates, as text

struct Answer {
  std::vector<std::string> items;  // outcome, digest, revision, message, differences, policy base
  int64_t holding_revision = 0;

  friend bool operator==(const Answer&, const Answer&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Answer& answer) {
    return out << absl::StrJoin(answer.items, "; ") << " held by " << answer.holding_revision;
  }
};
using Answers = std::map<size_t, Answer>;  // by call, from 1

class RandomCalls {
 public:
  explicit RandomCalls(unsigned seed) : random_(seed) {}

  std::vector<Call> Group() {
    std::vector<Call> calls(Below(6) + 1);
    for (Call& call : calls) call = OneCall();
    return calls;
  }

 private:
  size_t Below(size_t end) { return std::uniform_int_distribution<size_t>(0, end - 1)(random_); }
  bool OneIn(size_t n) { return Below(n) == 0; }

  Call OneCall() {
    std::vector<NewVersion> batch(OneIn(3) ? Below(3) + 1 : 1);
    for (NewVersion& version : batch) version = Version();
    const BatchTexts texts = ToBatchTexts(batch);
    return {texts.items,
            texts.configurations,
            texts.source_texts,
            texts.events,
            texts.channels,
            fmt::format("actor {}", Below(3)),
            fmt::format("10.0.0.{}", Below(3)),
            OneIn(8) ? "true" : "false"};
  }

  NewVersion Version() {
    NewVersion version = MakeVersion(fmt::format("n{}", Below(2)), fmt::format("t{}", Below(6)),
                                     fmt::format("{}.{}.0", Below(3), Below(6)), OneIn(15) ? "other" : "same");
    if (OneIn(2)) version.description = "a \"quoted\" \\ {text}";
    if (OneIn(2)) version.source_text = "name: x\n# {\"a\", NULL} \\\"";
    if (OneIn(3)) version.tags = {"x,y", "z\"{}"};
    version.entries = {{.subject = Subject::kSystem, .term = fmt::format("system {}", Below(4))},
                       {.subject = Subject::kCallable, .term = "C", .role = "step_handler", .step = "s"}};
    if (OneIn(3)) {
      const std::string schema = fmt::format(R"({{"const":{}}})", Below(2));
      version.events = {{.name = fmt::format("event {}", Below(3)),
                         .description = "d",
                         .schema_digest = base::Sha256Digest(schema),
                         .schema_json = schema}};
    }
    if (OneIn(10)) version.channels = {"stable"};
    return version;
  }

  std::mt19937 random_;
};

constexpr const char* kColumns =
    "concat_ws(' ', r.outcome, r.stored_digest, r.stored_revision, r.message, r.event_differences, r.unchecked), "
    "coalesce(r.holding_revision, 0)";

pqxx::result Query(ConnectionPool& pool, const Statement& statement, const std::vector<std::string>& parameters) {
  pqxx::result rows;
  const absl::Status status = pool.Run("test", CallKind::kWrite, absl::InfiniteFuture(),
                                       [&](Session& session) { rows = session.Query(statement, parameters); });
  EXPECT_TRUE(status.ok()) << status;
  return rows;
}

void Add(const pqxx::row& row, Answer& answer) {
  answer.items.push_back(row[0].as<std::string>());
  answer.holding_revision = std::max(answer.holding_revision, row[1].as<int64_t>());
}

Answers AtOnce(ConnectionPool& pool, const std::vector<Call>& calls) {
  std::vector<std::string> arrays(kParameters, "{");
  for (const Call& call : calls) {
    for (size_t i = 0; i < kParameters; ++i) {
      if (arrays[i].size() > 1) arrays[i] += ',';
      AppendArrayElement(call[i], arrays[i]);
    }
  }
  for (std::string& array : arrays) array += '}';
  static const Statement statement = {
      "at_once", fmt::format("SELECT {}, r.call FROM tasker.register_calls($1::text[], $2::text[], $3::text[], "
                             "$4::text[], $5::text[], $6::text[], $7::text[], $8::text[]) r",
                             kColumns)};
  Answers answers;
  for (const pqxx::row& row : Query(pool, statement, arrays)) Add(row, answers[row[2].as<size_t>()]);
  return answers;
}

// Those that only store versions come first, as register_calls has it.
Answers OneByOne(ConnectionPool& pool, const std::vector<Call>& calls) {
  static const Statement statement = {
      "one", fmt::format("SELECT {} FROM tasker.register_templates($1::jsonb, $2::text[], $3::text[], $4::jsonb, "
                         "$5::jsonb, $6, $7, $8::boolean) r",
                         kColumns)};
  Answers answers;
  for (const bool only_stores : {true, false}) {
    for (size_t i = 0; i < calls.size(); ++i) {
      if ((calls[i][4] == "[]" && calls[i][7] == "false") != only_stores) continue;
      for (const pqxx::row& row : Query(pool, statement, calls[i])) Add(row, answers[i + 1]);
    }
  }
  return answers;
}

std::vector<std::string> Everything(ConnectionPool& pool) {
  return test::RunSql(
      pool,
      "SELECT concat_ws('|', 'change', revision, ordinal, kind, namespace, name, version, digest, actor, peer, detail) "
      "FROM tasker.changes UNION ALL "
      "SELECT concat_ws('|', 'version', namespace, name, version, description, configuration, digest, source_text, "
      "tags, actor, peer, revision, state) FROM tasker.named_tasks UNION ALL "
      "SELECT concat_ws('|', 'entry', namespace, name, major, minor, patch, revision, subject, term, role, step, "
      "environment, detail) FROM tasker.template_index UNION ALL "
      "SELECT concat_ws('|', 'template', t.namespace, t.name, t.major, t.minor, t.patch, t.version_count, t.state, "
      "t.search, v.version) FROM tasker.templates t LEFT JOIN tasker.named_tasks v "
      "ON v.named_task_uuid = t.latest_named_task_uuid UNION ALL "
      "SELECT concat_ws('|', 'namespace', name, system_dependencies, template_count) FROM tasker.task_namespaces "
      "UNION ALL SELECT concat_ws('|', 'event', namespace, name, schema_digest, template, version) "
      "FROM tasker.domain_events UNION ALL "
      "SELECT concat_ws('|', 'channel', namespace, name, channel, version, actor, revision) FROM tasker.channels "
      "UNION ALL SELECT concat_ws('|', 'head', revision) FROM tasker.change_head ORDER BY 1");
}

TEST(RegisterJoinedTest, CallsAtOnceDoWhatTheyDoOneByOne) {
  const auto at_once = test::TestCluster::Get().NewMigratedPool();
  const auto one_by_one = test::TestCluster::Get().NewMigratedPool();
  for (ConnectionPool* const pool : {at_once.get(), one_by_one.get()}) {
    test::RunSql(*pool, "INSERT INTO tasker.task_namespaces (name, version_policy) VALUES ('n1', 'WARN')");
  }
  RandomCalls random(7);
  std::set<std::string> outcomes;
  for (int group = 0; group < kGroups; ++group) {
    const std::vector<Call> calls = random.Group();
    const Answers expected = OneByOne(*one_by_one, calls);
    for (const auto& [call, answer] : AtOnce(*at_once, calls)) {
      EXPECT_EQ(answer, expected.at(call)) << "group " << group << ", call " << call;
      for (const std::string& item : answer.items) outcomes.insert(item.substr(0, item.find(' ')));
    }
    if (HasFailure()) return;
  }
  EXPECT_EQ(outcomes, (std::set<std::string>{"CREATED", "UNCHANGED", "CONFLICT", "UNCHECKED"}));
  EXPECT_EQ(Everything(*at_once), Everything(*one_by_one));
}

}  // namespace
}  // namespace tasker::store
