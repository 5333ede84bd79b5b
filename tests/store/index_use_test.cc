#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/store/versions.h"
#include "tests/support/postgres_fixture.h"

namespace tasker::store {
namespace {

constexpr absl::Time kNoDeadline = absl::InfiniteFuture();

// Whether a table was read as a whole is what PostgreSQL itself counted, of the statements as they are.
class IndexUseTest : public testing::Test {
 protected:
  const std::string url_ = test::TestCluster::Get().NewMigratedDatabase();

  void SetUp() override {
    for (int part = 0; part < 10; ++part) {
      std::vector<NewVersion> batch;
      for (int n = 0; n < 400; ++n) {
        const int t = (part * 400 + n) / 4;
        NewVersion version =
            MakeVersion(fmt::format("ns{}", t % 200), fmt::format("t{}", t), fmt::format("1.{}.0", n % 4));
        version.tags = {"common", fmt::format("tag{}", t % 50)};
        version.entries = {{.subject = Subject::kCallable, .term = "Shared", .role = "step_handler", .step = "s"},
                           {.subject = Subject::kSystem, .term = fmt::format("system{}", t % 9), .role = "primary"},
                           {.subject = Subject::kEvent, .term = fmt::format("event{}", t), .role = "publishes"}};
        batch.push_back(version);
      }
      Store store(test::OpenPool(url_, 1));
      const auto result = store.Register(batch, kNobody, kNoDeadline);
      ASSERT_TRUE(result.ok()) << result.status();
    }
    test::RunSql(*admin_, "VACUUM ANALYZE");
  }

  // How often a table of the schema, small ones aside, was read as a whole by `calls`.
  int64_t WholeReads(const std::function<void(Store&)>& calls) {
    const int64_t before = Count();
    {
      Store store(test::OpenPool(url_, 1));
      calls(store);
    }
    return Count() - before;
  }

 private:
  // A session counts for all to see at its latest when it ends.
  int64_t Count() {
    while (test::RunSql(*admin_,
                        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                        "AND pid <> pg_backend_pid() AND backend_type = 'client backend'")
               .front() != "0") {
      absl::SleepFor(absl::Milliseconds(5));
    }
    const auto count = test::RunSql(*admin_,
                                    "SELECT sum(seq_scan) FROM pg_stat_user_tables WHERE schemaname = 'tasker' "
                                    "AND relname NOT IN ('change_head', 'change_trim', 'schema_migrations')");
    return std::stoll(count.front());
  }

  std::shared_ptr<ConnectionPool> admin_ = test::OpenPool(url_, 1);
};

TEST_F(IndexUseTest, NoCallReadsAWholeTable) {
  // That the count is seen at all:
  EXPECT_EQ(
      WholeReads([&](Store&) { test::RunSql(*test::OpenPool(url_, 1), "SELECT count(tags) FROM tasker.named_tasks"); }),
      1);

  struct Case {
    const char* name;
    std::function<void(Store&)> call;
  };
  const auto list = [](TemplateFilter filter) {
    return [filter](Store& store) {
      PageOptions page{.size = 20};
      for (int n = 0; n < 3; ++n) {
        const auto rows = store.ListTemplates(filter, page, kNoDeadline);
        ASSERT_TRUE(rows.ok() && !rows->rows.empty()) << rows.status();
        if (rows->next_token.empty()) break;
        page.token = rows->next_token;
      }
    };
  };
  const std::vector<Case> cases = {
      {"version",
       [](Store& s) {
         ASSERT_TRUE(s.LoadVersion("ns1", "t1", {1, 1, 0}, kNoDeadline)->has_value());
       }},
      {"latest", [](Store& s) { ASSERT_TRUE(s.LoadLatest("ns1", "t1", kNoDeadline)->has_value()); }},
      {"highest",
       [](Store& s) {
         ASSERT_TRUE(s.LoadHighest("ns1", "t1", {{1, 0, 0}, tmpl::Version{1, 2, 0}}, kNoDeadline)->has_value());
         ASSERT_TRUE(s.LoadHighest("ns1", "t1", {{1, 0, 0}, std::nullopt}, kNoDeadline)->has_value());
       }},
      {"digest",
       [](Store& s) {
         const std::string digest = (*s.LoadLatest("ns1", "t1", kNoDeadline))->summary.digest;
         ASSERT_TRUE(s.LoadByDigest("ns1", "t1", digest, kNoDeadline)->has_value());
       }},
      {"namespaces", [](Store& s) { ASSERT_FALSE(s.ListNamespaces({.size = 20}, kNoDeadline)->rows.empty()); }},
      {"templates", list({})},
      {"of a namespace", list({.namespace_name = "ns5"})},
      {"by prefix", list({.name_prefix = "t77"})},
      {"by prefix in a namespace", list({.namespace_name = "ns5", .name_prefix = "t"})},
      {"by common tag", list({.tag = "common"})},
      {"by rare tag", list({.tag = "tag7"})},
      {"by system", list({.system = "system3"})},
      {"by event", list({.event = "event77"})},
      {"by callable", list({.callable = "Shared"})},
      {"by all",
       list({.name_prefix = "t", .tag = "common", .system = "system5", .event = "event77", .callable = "Shared"})},
      {"versions", [](Store& s) { ASSERT_FALSE(s.ListVersions("ns1", "t1", {.size = 2}, kNoDeadline)->rows.empty()); }},
      {"neighbours",
       [](Store& s) { ASSERT_TRUE(s.LoadNeighbours(*tmpl::ParseReference("ns1/t2:9.9.9"), kNoDeadline).ok()); }},
      {"changes", [](Store& s) { ASSERT_FALSE(s.LoadChanges(5, 100, kNoDeadline)->empty()); }},
      {"changes of a template",
       [](Store& s) {
         ASSERT_FALSE(s.ListChanges({.namespace_name = "ns1", .name = "t1"}, {}, kNoDeadline)->page.rows.empty());
       }},
      {"changes of a kind",
       [](Store& s) {
         ASSERT_FALSE(s.ListChanges({.kinds = {"REGISTER"}, .newest_first = true}, {}, kNoDeadline)->page.rows.empty());
       }},
      {"latest changes",
       [](Store& s) { ASSERT_FALSE(s.ListChanges({.newest_first = true}, {}, kNoDeadline)->page.rows.empty()); }},
      {"register",
       [](Store& s) {
         const std::vector<NewVersion> batch = {MakeVersion("ns1", "t1", "9.0.0"), MakeVersion("new", "t1", "9.0.0")};
         ASSERT_EQ(s.Register(batch, kNobody, kNoDeadline)->revision, 11);
       }},
  };
  for (const Case& c : cases) EXPECT_EQ(WholeReads(c.call), 0) << c.name;
}

}  // namespace
}  // namespace tasker::store
