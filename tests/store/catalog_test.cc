#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/store/versions.h"
#include "tests/support/postgres_fixture.h"

namespace tasker::store {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr absl::Time kNoDeadline = absl::InfiniteFuture();

class CatalogTest : public testing::Test {
 protected:
  void Register(const std::vector<NewVersion>& batch) {
    const auto result = store_.Register(batch, kNobody, kNoDeadline);
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_FALSE(result->conflict);
  }

  std::vector<std::string> Versions(const std::vector<std::string>& versions) {
    std::vector<NewVersion> batch;
    for (const std::string& version : versions) batch.push_back(MakeVersion("a", "b", version));
    Register(batch);
    return versions;
  }

  std::string Highest(const tmpl::VersionRange& range) {
    const auto found = store_.LoadHighest("a", "b", range, kNoDeadline);
    EXPECT_TRUE(found.ok()) << found.status();
    return found.ok() && *found ? (*found)->summary.version : "none";
  }

  // The names of all pages of ListTemplates, `size` at a time.
  std::vector<std::string> AllTemplates(const TemplateFilter& filter, int size = 2) {
    std::vector<std::string> names;
    PageOptions page{.size = size, .token = ""};
    do {
      const auto rows = store_.ListTemplates(filter, page, kNoDeadline);
      EXPECT_TRUE(rows.ok()) << rows.status();
      if (!rows.ok()) break;
      for (const TemplateSummary& row : rows->rows) names.push_back(row.latest.namespace_name + "/" + row.latest.name);
      page.token = rows->next_token;
    } while (!page.token.empty());
    return names;
  }

  std::shared_ptr<ConnectionPool> pool_ = test::TestCluster::Get().NewMigratedPool();
  Store store_{pool_};
};

TEST_F(CatalogTest, FindsExactVersionsAndDigests) {
  const NewVersion version = MakeVersion("a", "b", "1.2.3");
  Register({version});
  EXPECT_EQ((*store_.LoadVersion("a", "b", {1, 2, 3}, kNoDeadline))->summary.version, "1.2.3");
  EXPECT_EQ(*store_.LoadVersion("a", "b", {1, 2, 4}, kNoDeadline), std::nullopt);
  EXPECT_EQ(*store_.LoadVersion("a", "c", {1, 2, 3}, kNoDeadline), std::nullopt);
  EXPECT_EQ((*store_.LoadByDigest("a", "b", version.digest, kNoDeadline))->summary.version, "1.2.3");
  EXPECT_EQ(*store_.LoadByDigest("a", "c", version.digest, kNoDeadline), std::nullopt);
  EXPECT_EQ(*store_.LoadByDigest("a", "b", "sha256:", kNoDeadline), std::nullopt);
}

TEST_F(CatalogTest, FindsSeveralVersionsAtOnceInTheOrderOfTheQuestion) {
  Versions({"1.0.0", "2.0.0"});
  Register({MakeVersion("a", "other", "1.0.0")});
  std::vector<tmpl::Reference> references;
  for (const char* text : {"a/b:2.0.0", "a/b:3.0.0", "a/other:1.0.0", "a/b:2.0.0"}) {
    references.push_back(*tmpl::ParseReference(text));
  }
  const auto found = *store_.LoadVersions(references, kNoDeadline);
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0]->summary.version, "2.0.0");
  EXPECT_EQ(found[1], std::nullopt);
  EXPECT_EQ(found[2]->summary.name, "other");
  EXPECT_EQ(found[3]->summary.version, "2.0.0");
  const auto alone = *store_.LoadVersion("a", "b", {2, 0, 0}, kNoDeadline);
  EXPECT_EQ(found[0]->configuration, alone->configuration);
  EXPECT_EQ(found[0]->summary.digest, alone->summary.digest);
  EXPECT_EQ(found[0]->summary.state, alone->summary.state);
  EXPECT_TRUE(store_.LoadVersions({}, kNoDeadline)->empty());
}

TEST_F(CatalogTest, ForResolvingEverySelectorFindsTheSameVersion) {
  Versions({"1.0.0", "1.2.0"});
  const StoredVersion all = **store_.LoadLatest("a", "b", kNoDeadline);
  constexpr auto kResolving = VersionParts::kResolving;
  for (const StoredVersion& found : {
           **store_.LoadVersion("a", "b", {1, 2, 0}, kNoDeadline, kResolving),
           **store_.LoadLatest("a", "b", kNoDeadline, kResolving),
           **store_.LoadHighest("a", "b", {{1, 0, 0}, tmpl::Version{2, 0, 0}}, kNoDeadline, kResolving),
           **store_.LoadHighest("a", "b", {{1, 0, 0}, std::nullopt}, kNoDeadline, kResolving),
           **store_.LoadByDigest("a", "b", all.summary.digest, kNoDeadline, kResolving),
       }) {
    EXPECT_EQ(found.summary.namespace_name, "a");
    EXPECT_EQ(found.summary.name, "b");
    EXPECT_EQ(found.summary.version, "1.2.0");
    EXPECT_EQ(found.summary.digest, all.summary.digest);
    EXPECT_EQ(found.summary.state, all.summary.state);
    EXPECT_EQ(found.configuration, all.configuration);
  }
}

TEST_F(CatalogTest, HighestIsByNumbersNotByTextOrTime) {
  Versions({"1.10.0", "1.9.0", "2.0.0", "0.1.0", "1.9.12", "1.2.3"});
  EXPECT_EQ((*store_.LoadLatest("a", "b", kNoDeadline))->summary.version, "2.0.0");
  EXPECT_EQ(*store_.LoadLatest("a", "unknown", kNoDeadline), std::nullopt);
  EXPECT_EQ(Highest({{1, 0, 0}, tmpl::Version{2, 0, 0}}), "1.10.0");
  EXPECT_EQ(Highest({{1, 9, 0}, tmpl::Version{1, 10, 0}}), "1.9.12");
  EXPECT_EQ(Highest({{1, 2, 3}, tmpl::Version{1, 2, 4}}), "1.2.3");
  EXPECT_EQ(Highest({{0, 0, 0}, std::nullopt}), "2.0.0");
  EXPECT_EQ(Highest({{2, 0, 1}, std::nullopt}), "none");
  EXPECT_EQ(Highest({{1, 3, 0}, tmpl::Version{1, 9, 0}}), "none");
}

TEST_F(CatalogTest, ALowerVersionRegisteredLaterDoesNotBecomeTheLatest) {
  Versions({"2.0.0"});
  Versions({"1.0.0"});
  EXPECT_EQ((*store_.LoadLatest("a", "b", kNoDeadline))->summary.version, "2.0.0");
  EXPECT_EQ(store_.ListTemplates({}, {}, kNoDeadline)->rows[0].version_count, 2);
}

TEST_F(CatalogTest, ListsVersionsHighestFirstInPages) {
  Versions({"1.0.0", "2.0.0", "10.0.0", "1.10.0", "1.9.9", "2147483647.0.0"});
  std::vector<std::string> versions;
  PageOptions page{.size = 2, .token = ""};
  do {
    const auto rows = store_.ListVersions("a", "b", {}, page, kNoDeadline);
    ASSERT_TRUE(rows.ok()) << rows.status();
    EXPECT_THAT(rows->rows, SizeIs(2));
    for (const VersionSummary& row : rows->rows) versions.push_back(row.version);
    page.token = rows->next_token;
  } while (!page.token.empty());
  EXPECT_THAT(versions, ElementsAre("2147483647.0.0", "10.0.0", "2.0.0", "1.10.0", "1.9.9", "1.0.0"));
  EXPECT_THAT(store_.ListVersions("a", "unknown", {}, {}, kNoDeadline)->rows, IsEmpty());
}

TEST_F(CatalogTest, ListsTemplatesByEachFilterAndTheirCombinations) {
  NewVersion pay = MakeVersion("money", "pay", "1.0.0");
  pay.tags = {"critical", "eu"};
  pay.entries = {{.subject = Subject::kSystem, .term = "stripe", .role = "primary"},
                 {.subject = Subject::kCallable, .term = "Pay", .role = "step_handler", .step = "one"},
                 {.subject = Subject::kCallable, .term = "Pay", .role = "step_handler", .step = "two"},
                 {.subject = Subject::kEvent, .term = "paid", .role = "publishes", .step = "two"}};
  NewVersion payout = MakeVersion("money", "payout", "1.0.0");
  payout.tags = {"critical"};
  payout.entries = {{.subject = Subject::kSystem, .term = "stripe", .role = "primary"}};
  NewVersion mail = MakeVersion("post", "mail", "1.0.0");
  mail.tags = {"eu"};
  mail.entries = {{.subject = Subject::kCallable, .term = "Pay", .role = "task_handler"}};
  Register({pay, payout, mail});

  EXPECT_THAT(AllTemplates({}), ElementsAre("money/pay", "money/payout", "post/mail"));
  EXPECT_THAT(AllTemplates({.namespace_name = "money"}), ElementsAre("money/pay", "money/payout"));
  EXPECT_THAT(AllTemplates({.name_prefix = "pay"}), ElementsAre("money/pay", "money/payout"));
  EXPECT_THAT(AllTemplates({.name_prefix = "payo"}), ElementsAre("money/payout"));
  EXPECT_THAT(AllTemplates({.tag = "critical"}, 1), ElementsAre("money/pay", "money/payout"));
  EXPECT_THAT(AllTemplates({.system = "stripe"}), ElementsAre("money/pay", "money/payout"));
  EXPECT_THAT(AllTemplates({.event = "paid"}), ElementsAre("money/pay"));
  EXPECT_THAT(AllTemplates({.callable = "Pay"}, 1), ElementsAre("money/pay", "post/mail"));
  EXPECT_THAT(AllTemplates({.tag = "eu", .callable = "Pay"}, 1), ElementsAre("money/pay", "post/mail"));
  EXPECT_THAT(AllTemplates({.namespace_name = "post", .name_prefix = "m", .tag = "eu", .callable = "Pay"}),
              ElementsAre("post/mail"));
  EXPECT_THAT(AllTemplates({.tag = "critical", .system = "stripe", .event = "paid", .callable = "Pay"}),
              ElementsAre("money/pay"));
  EXPECT_THAT(AllTemplates({.tag = "Pay"}), IsEmpty());
  EXPECT_THAT(AllTemplates({.namespace_name = "unknown"}), IsEmpty());
}

TEST_F(CatalogTest, FiltersLookAtTheLatestVersionOnly) {
  NewVersion old = MakeVersion("a", "b", "1.0.0");
  old.tags = {"old"};
  NewVersion current = MakeVersion("a", "b", "2.0.0");
  current.tags = {"new"};
  Register({current});
  Register({old});
  EXPECT_THAT(AllTemplates({.tag = "old"}), IsEmpty());
  EXPECT_THAT(AllTemplates({.tag = "new"}), ElementsAre("a/b"));
}

TEST_F(CatalogTest, PagesNeitherRepeatNorSkipWhileTemplatesCome) {
  std::vector<NewVersion> batch;
  for (int n = 0; n < 30; ++n) batch.push_back(MakeVersion("a", fmt::format("t{:02}", n), "1.0.0"));
  Register(batch);
  std::vector<std::string> names;
  PageOptions page{.size = 7, .token = ""};
  do {
    const auto rows = store_.ListTemplates({}, page, kNoDeadline);
    ASSERT_TRUE(rows.ok());
    for (const TemplateSummary& row : rows->rows) names.push_back(row.latest.name);
    page.token = rows->next_token;
    // Before and behind the page's end.
    Register({MakeVersion("a", fmt::format("s{}", names.size()), "1.0.0"),
              MakeVersion("a", fmt::format("z{}", names.size()), "1.0.0")});
  } while (!page.token.empty() && names.size() < 100);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
  for (const NewVersion& version : batch) EXPECT_THAT(names, Contains(version.name));
}

TEST_F(CatalogTest, BoundsThePageSize) {
  std::vector<NewVersion> batch;
  for (int n = 0; n < 60; ++n) batch.push_back(MakeVersion("a", fmt::format("t{:02}", n), "1.0.0"));
  Register(batch);
  EXPECT_THAT(store_.ListTemplates({}, {.size = 0, .token = ""}, kNoDeadline)->rows, SizeIs(50));
  EXPECT_THAT(store_.ListTemplates({}, {.size = -1, .token = ""}, kNoDeadline)->rows, SizeIs(50));
  EXPECT_THAT(store_.ListTemplates({}, {.size = 1 << 30, .token = ""}, kNoDeadline)->rows, SizeIs(60));
}

TEST_F(CatalogTest, ATokenOfAnotherListIsRefused) {
  Register({MakeVersion("a", "b", "1.0.0"), MakeVersion("a", "c", "1.0.0")});
  const std::string token = store_.ListTemplates({}, {.size = 1, .token = ""}, kNoDeadline)->next_token;
  ASSERT_FALSE(token.empty());
  EXPECT_TRUE(absl::IsInvalidArgument(store_.ListNamespaces("", {.size = 1, .token = token}, kNoDeadline).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      store_.ListTemplates({.namespace_name = "a"}, {.size = 1, .token = token}, kNoDeadline).status()));
  EXPECT_TRUE(
      absl::IsInvalidArgument(store_.ListVersions("a", "b", {}, {.size = 1, .token = token}, kNoDeadline).status()));
}

TEST_F(CatalogTest, NulInAFilterIsAMistakeOfTheCaller) {
  const std::string nul("a\0b", 3);
  EXPECT_TRUE(absl::IsInvalidArgument(store_.ListTemplates({.tag = nul}, {}, kNoDeadline).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(store_.LoadLatest(nul, "b", kNoDeadline).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(store_.LoadLatest("\xff", "b", kNoDeadline).status()));
}

TEST_F(CatalogTest, NeighboursAreTheNamesAround) {
  std::vector<NewVersion> batch;
  for (int n = 0; n < 500; ++n) batch.push_back(MakeVersion("payments", fmt::format("t{:03}", n), "1.0.0"));
  batch.push_back(MakeVersion("orders", "order", "1.9.0"));
  batch.push_back(MakeVersion("orders", "order", "1.10.0"));
  Register(batch);

  const Neighbours missing_template = *store_.LoadNeighbours(*tmpl::ParseReference("payments/t2500"), kNoDeadline);
  EXPECT_TRUE(missing_template.namespace_exists);
  EXPECT_FALSE(missing_template.template_exists);
  EXPECT_THAT(missing_template.templates, SizeIs(Neighbours::kLimit));
  EXPECT_THAT(missing_template.templates, Contains("t250"));
  EXPECT_THAT(missing_template.templates, Contains("t251"));
  EXPECT_THAT(missing_template.versions, IsEmpty());

  const Neighbours missing_version = *store_.LoadNeighbours(*tmpl::ParseReference("orders/order"), kNoDeadline);
  EXPECT_TRUE(missing_version.template_exists);
  EXPECT_THAT(missing_version.versions, ElementsAre("1.10.0", "1.9.0"));

  const Neighbours missing_namespace = *store_.LoadNeighbours(*tmpl::ParseReference("paymenst/t1"), kNoDeadline);
  EXPECT_FALSE(missing_namespace.namespace_exists);
  EXPECT_THAT(missing_namespace.namespaces, ElementsAre("orders", "payments"));
}

TEST_F(CatalogTest, ChangesComeInWholeRevisions) {
  Register({MakeVersion("a", "b", "1.0.0"), MakeVersion("a", "c", "1.0.0"), MakeVersion("a", "d", "1.0.0")});
  Register({MakeVersion("a", "e", "1.0.0")});
  EXPECT_THAT(*store_.LoadChanges(0, 2, kNoDeadline), SizeIs(3));
  EXPECT_THAT(*store_.LoadChanges(0, 4, kNoDeadline), SizeIs(4));
  EXPECT_THAT(*store_.LoadChanges(2, 4, kNoDeadline), IsEmpty());
}

TEST_F(CatalogTest, HealthTellsTheRevision) {
  EXPECT_EQ(store_.CheckHealth(kNoDeadline)->revision, 0);
  Versions({"1.0.0"});
  const StoreHealth health = *store_.CheckHealth(kNoDeadline);
  EXPECT_EQ(health.revision, 1);
  EXPECT_GE(health.server_version_num, 130000);
}

TEST_F(CatalogTest, AnEmptyDatabaseSaysWhichCommandToRun) {
  Store store(test::OpenPool(test::TestCluster::Get().NewDatabase()));
  const absl::Status status = store.CheckHealth(kNoDeadline).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("tasker-registryd migrate up"));
}

}  // namespace
}  // namespace tasker::store
