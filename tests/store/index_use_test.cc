#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <pqxx/result>
#include <pqxx/row>
#include <string>
#include <vector>

#include "lib/store/archive.h"
#include "lib/store/session.h"
#include "tests/store/versions.h"
#include "tests/support/large_catalog.h"
#include "tests/support/postgres_fixture.h"

namespace tasker::store {
namespace {

constexpr absl::Time kNoDeadline = absl::InfiniteFuture();

// A call that reads, as the program makes it: a page of a list, or all there is. Gives the next page's token.
struct Case {
  std::string name;
  std::function<std::string(Store&, const PageOptions&)> read;
};

// `list` reads one page.
template <typename List>
Case Pages(std::string name, List list) {
  return {std::move(name), [list](Store& store, const PageOptions& page) {
            const auto rows = list(store, page);
            EXPECT_TRUE(rows.ok()) << rows.status();
            return rows.ok() ? rows->next_token : "";
          }};
}

Case Templates(std::string name, TemplateFilter filter) {
  return Pages("templates " + std::move(name),
               [filter](Store& s, const PageOptions& page) { return s.ListTemplates(filter, page, kNoDeadline); });
}

Case Usages(std::string name, UsageFilter filter) {
  return Pages("usages " + std::move(name),
               [filter](Store& s, const PageOptions& page) { return s.FindUsages(filter, page, kNoDeadline); });
}

Case Channels(std::string name, ChannelFilter filter) {
  return Pages("channels " + std::move(name),
               [filter](Store& s, const PageOptions& page) { return s.ListChannels(filter, page, kNoDeadline); });
}

Case Events(std::string name, std::string space, std::string prefix) {
  return Pages("events " + std::move(name), [space, prefix](Store& s, const PageOptions& page) {
    return s.ListDomainEvents(space, prefix, page, kNoDeadline);
  });
}

Case Versions(std::string name, std::vector<VersionState> states) {
  return Pages("versions " + std::move(name), [states](Store& s, const PageOptions& page) {
    return s.ListVersions("ns9", "t199", states, page, kNoDeadline);
  });
}

Case Namespaces(std::string name, std::string prefix) {
  return Pages("namespaces " + std::move(name),
               [prefix](Store& s, const PageOptions& page) { return s.ListNamespaces(prefix, page, kNoDeadline); });
}

Case Changes(std::string name, ChangeFilter filter) {
  return {"changes " + std::move(name), [filter](Store& s, const PageOptions& page) {
            const auto changes = s.ListChanges(filter, page, kNoDeadline);
            EXPECT_TRUE(changes.ok()) << changes.status();
            return changes.ok() ? changes->page.next_token : "";
          }};
}

Case Once(std::string name, std::function<bool(Store&)> find) {
  return {name, [name, find](Store& store, const PageOptions&) {
            EXPECT_TRUE(find(store)) << name;
            return std::string();
          }};
}

std::vector<Case> Selectors() {
  return {
      Once("exact",
           [](Store& s) {
             return s.LoadVersion("ns5", "t101", {1, 1, 0}, kNoDeadline)->has_value();
           }),
      Once("several",
           [](Store& s) {
             const tmpl::Reference references[] = {*tmpl::ParseReference("ns5/t101:1.1.0"),
                                                   *tmpl::ParseReference("big/t100:1.0.0")};
             return s.LoadVersions(references, kNoDeadline)->front().has_value();
           }),
      Once("exact for resolving",
           [](Store& s) {
             return s.LoadVersion("ns5", "t101", {1, 1, 0}, kNoDeadline, VersionParts::kResolving)->has_value();
           }),
      Once("latest", [](Store& s) { return s.LoadLatest("ns5", "t101", kNoDeadline)->has_value(); }),
      Once("channel", [](Store& s) { return s.LoadByChannel("big", "t100", "stable", kNoDeadline)->has_value(); }),
      Once("range",
           [](Store& s) {
             return s.LoadHighest("ns5", "t101", {{1, 0, 0}, tmpl::Version{1, 2, 0}}, kNoDeadline)->has_value() &&
                    s.LoadHighest("ns5", "t101", {{1, 0, 0}, std::nullopt}, kNoDeadline)->has_value();
           }),
      Once("digest",
           [](Store& s) {
             const std::string digest = (*s.LoadLatest("ns5", "t101", kNoDeadline))->summary.digest;
             return s.LoadByDigest("ns5", "t101", digest, kNoDeadline)->has_value();
           }),
      Once("neighbours",
           [](Store& s) {
             return s.LoadNeighbours(*tmpl::ParseReference("big/t3:9.9.9"), kNoDeadline)->namespace_exists;
           }),
      Once("configurations",
           [](Store& s) {
             const std::string uuid = (*s.LoadLatest("ns5", "t101", kNoDeadline))->summary.named_task_uuid;
             return !s.LoadConfigurations({&uuid, 1}, kNoDeadline)->front().empty();
           }),
  };
}

std::vector<Case> Lists() {
  using enum VersionState;
  return {
      Namespaces("", ""),
      Namespaces("by prefix", "ns7"),
      Templates("", {}),
      Templates("of a namespace", {.namespace_name = "big"}),
      Templates("by prefix", {.name_prefix = "t77"}),
      Templates("by rare prefix", {.name_prefix = "t9999"}),
      Templates("by common prefix", {.name_prefix = "t"}),
      Templates("by prefix in a namespace", {.namespace_name = "big", .name_prefix = "t"}),
      Templates("by common tag", {.tag = "common"}),
      Templates("by rare tag", {.tag = "group7"}),
      Templates("by system", {.system = "system3"}),
      Templates("by rare system", {.system = "rare"}),
      Templates("by event", {.event = "event.t77"}),
      Templates("by callable", {.callable = "Shared::Step"}),
      Templates("by common tag and rare system", {.tag = "common", .system = "rare"}),
      Templates("by common tag and system", {.tag = "even", .system = "system4"}),
      Templates("by all terms",
                {.tag = "common", .system = "default", .event = "order.paid", .callable = "Shared::Step"}),
      Templates("by all", {.name_prefix = "t",
                           .tag = "common",
                           .system = "default",
                           .event = "event.t77",
                           .callable = "Shared::Step",
                           .text = "settles"}),
      Templates("by rare word", {.text = "word77"}),
      Templates("by common word", {.text = "settles"}),
      Templates("by the beginning of a common word", {.text = "se"}),
      Templates("by unknown word", {.text = "nobody"}),
      Templates("by common word and rare tag", {.tag = "group7", .text = "settles"}),
      Templates("by rare word and common tag", {.tag = "common", .text = "word77"}),
      Templates("deprecated", {.states = {kDeprecated}}),
      Templates("yanked", {.states = {kYanked}}),
      Versions("", {}),
      Versions("yanked", {kYanked}),
      Channels("", {}),
      Channels("of a namespace", {.namespace_name = "big"}),
      Channels("of a template", {.namespace_name = "big", .name = "t110"}),
      Channels("by name", {.channel = "canary"}),
      Channels("by name in a namespace", {.namespace_name = "big", .channel = "canary"}),
      Pages("channel moves",
            [](Store& s, const PageOptions& page) {
              return s.ListChannelMoves("big", "t110", "canary", page, kNoDeadline);
            }),
      Changes("", {}),
      Changes("of a template, latest first", {.namespace_name = "big", .name = "t110", .newest_first = true}),
      Changes("of a kind", {.kinds = {"REGISTER", "PURGE"}}),
      Events("", "", ""),
      Events("of a namespace", "big", ""),
      Events("by rare prefix", "", "event.t777"),
      Events("by common prefix", "", "event"),
      Events("by prefix in a namespace", "big", "event"),
  };
}

std::vector<Case> UsageQueries() {
  using enum Subject;
  return {
      Usages("rare callable", {.subject = kCallable, .term = "Tasks::T77"}),
      Usages("common callable", {.subject = kCallable, .term = "Shared::Step"}),
      Usages("common callable, all versions", {.subject = kCallable, .term = "Shared::Step", .all_versions = true}),
      Usages("common callable in a namespace", {.subject = kCallable, .term = "Shared::Step", .namespace_name = "big"}),
      Usages("callable prefix", {.subject = kCallable, .term = "Tasks::", .prefix = true}),
      Usages("callable prefix, all versions",
             {.subject = kCallable, .term = "Tasks::", .prefix = true, .all_versions = true}),
      Usages("callable prefix in a namespace",
             {.subject = kCallable, .term = "Tasks::", .prefix = true, .namespace_name = "big"}),
      Usages("event", {.subject = kEvent, .term = "event.t77"}),
      Usages("common event", {.subject = kEvent, .term = "order.paid"}),
      Usages("event prefix", {.subject = kEvent, .term = "event.", .prefix = true}),
      Usages("common system", {.subject = kSystem, .term = "default"}),
      Usages("rare system", {.subject = kSystem, .term = "rare", .all_versions = true}),
      Usages("system prefix", {.subject = kSystem, .term = "sys", .prefix = true}),
  };
}

// Of 100,000 versions. What a call reads is what PostgreSQL itself says, of the statements as they are.
class IndexUseTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    url_ = test::TestCluster::Get().NewMigratedDatabase();
    admin_ = test::OpenPool(url_, 1);
    test::FillCatalog(*admin_, 10'000);
  }
  static void TearDownTestSuite() { admin_.reset(); }

  static const std::string& url() { return url_; }

  struct Reads {
    int64_t whole_tables = 0;  // how often a table of the schema was read as a whole
    // Entries of indexes that were read; but for the index of words, whose postings of all templates are some kB.
    int64_t rows = 0;
  };

  // Of what `call` does, on a connection of its own.
  static Reads ReadsOf(const std::function<void(Store&)>& call) {
    const Reads before = Count();
    {
      Store store(test::OpenPool(url_, 1));
      call(store);
    }
    const Reads after = Count();
    return {after.whole_tables - before.whole_tables, after.rows - before.rows};
  }

  // Of a page in the middle: behind some thousand rows, where the list has as many.
  static std::string MiddleOf(const Case& c) {
    Store store(test::OpenPool(url_, 1));
    PageOptions page{.size = PageOptions::kMaxSize};
    for (int n = 0; n < 5; ++n) {
      const std::string next = c.read(store, page);
      if (next.empty()) break;
      page.token = next;
    }
    return page.token;
  }

  // The plan of every statement that a connection has prepared for `c`, whatever their parameters.
  static std::vector<std::string> PlansOf(const Case& c) {
    const auto pool = test::OpenPool(url_, 1);
    Store store(pool);
    c.read(store, {.size = 20});
    std::vector<std::string> plans;
    const absl::Status status = pool->Run("explain", CallKind::kRead, kNoDeadline, [&](Session& session) {
      plans.clear();
      // NULLs for the parameters: a connection plans once for all values.
      for (const pqxx::row& row :
           session.Execute("SELECT format('EXPLAIN EXECUTE %I(%s)', name, array_to_string(array_fill('NULL'::text, "
                           "ARRAY[cardinality(parameter_types)]), ', ')) FROM pg_prepared_statements")) {
        std::string plan = row[0].c_str();
        for (const pqxx::row& line : session.Execute(row[0].c_str())) plan += fmt::format("\n{}", line[0].c_str());
        plans.push_back(plan);
      }
    });
    EXPECT_TRUE(status.ok()) << status;
    return plans;
  }

  // A session counts for all to see at its latest when it ends.
  static Reads Count() {
    while (test::RunSql(*admin_,
                        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                        "AND pid <> pg_backend_pid() AND backend_type = 'client backend'")
               .front() != "0") {
      absl::SleepFor(absl::Milliseconds(5));
    }
    const auto number = [](const std::string& sql) { return std::stoll(test::RunSql(*admin_, sql).front()); };
    constexpr char kTables[] =
        "FROM pg_stat_user_tables WHERE schemaname = 'tasker' AND relname NOT IN ('change_head', "
        "'change_trim', 'schema_migrations')";
    return {number(fmt::format("SELECT sum(seq_scan) {}", kTables)),
            number("SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE schemaname = 'tasker' AND indexrelname <> "
                   "'templates_search'")};
  }

 private:
  inline static std::string url_;
  inline static std::shared_ptr<ConnectionPool> admin_;
};

TEST_F(IndexUseTest, EveryPlanReadsThroughIndexes) {
  for (const std::vector<Case>& cases : {Selectors(), Lists(), UsageQueries()}) {
    for (const Case& c : cases) {
      const std::vector<std::string> plans = PlansOf(c);
      EXPECT_FALSE(plans.empty()) << c.name;
      for (const std::string& plan : plans) {
        // But for the tables of one row.
        EXPECT_THAT(plan, testing::Not(testing::ContainsRegex("Seq Scan on [^c]"))) << c.name;
        EXPECT_THAT(plan, testing::Not(testing::ContainsRegex("Seq Scan on chann"))) << c.name;
        EXPECT_THAT(plan, testing::Not(testing::ContainsRegex("Seq Scan on changes"))) << c.name;
        EXPECT_THAT(plan, testing::ContainsRegex("Index (Only )?Scan")) << c.name;
      }
    }
  }
}

TEST_F(IndexUseTest, NoCallReadsAWholeTableOrMoreThanItsPagesNeed) {
  // That the count is seen at all:
  EXPECT_EQ(ReadsOf([&](Store&) {
              test::RunSql(*test::OpenPool(url(), 1), "SELECT count(tags) FROM tasker.named_tasks");
            }).whole_tables,
            1);
  for (const std::vector<Case>& cases : {Selectors(), Lists(), UsageQueries()}) {
    for (const Case& c : cases) {
      for (const std::string& token : {std::string(), MiddleOf(c)}) {
        const Reads reads = ReadsOf([&](Store& store) { c.read(store, {.size = 20, .token = token}); });
        EXPECT_EQ(reads.whole_tables, 0) << c.name << (token.empty() ? "" : ", in the middle");
        // A page of 20 templates passes over the nine other versions of each.
        EXPECT_LE(reads.rows, 8000) << c.name << (token.empty() ? "" : ", in the middle");
      }
    }
  }
}

TEST_F(IndexUseTest, AnExportReadsWhatItGives) {
  int versions = 0;
  const Reads reads = ReadsOf([&](Store&) {
    const absl::Status status =
        ExportArchive(*test::OpenPool(url(), 1), {.namespace_name = "big"}, kNoDeadline, [&](const ArchiveRow& row) {
          versions += std::holds_alternative<ArchivedVersion>(row);
          return absl::OkStatus();
        });
    EXPECT_TRUE(status.ok()) << status;
  });
  EXPECT_GT(versions, 10'000);
  EXPECT_EQ(reads.whole_tables, 0);
  EXPECT_LE(reads.rows, 4 * versions);  // twice for the page, and once for the version
}

TEST_F(IndexUseTest, RegisteringReadsNoWholeTable) {
  EXPECT_EQ(
      ReadsOf([&](Store& s) {
        const std::vector<NewVersion> batch = {MakeVersion("ns5", "t101", "9.0.0"), MakeVersion("new", "t1", "9.0.0")};
        ASSERT_TRUE(s.Register(batch, kNobody, kNoDeadline).ok());
        ASSERT_TRUE(s.LoadChanges(0, 100, kNoDeadline).ok());
      }).whole_tables,
      0);
}

}  // namespace
}  // namespace tasker::store
