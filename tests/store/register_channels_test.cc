#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/store/versions.h"
#include "tests/support/postgres_fixture.h"

namespace tasker::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::Time kNoDeadline = absl::InfiniteFuture();

/// What registering does to channels, tombstones, domain events and the latest version.
class RegisterChannelsTest : public testing::Test {
 protected:
  RegisterResult Register(const std::vector<NewVersion>& batch, const RegisterOptions& options = kNobody) {
    absl::StatusOr<RegisterResult> result = store_.Register(batch, options, kNoDeadline);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? *result : RegisterResult{};
  }
  static NewVersion With(NewVersion version, std::vector<std::string> channels) {
    version.channels = std::move(channels);
    return version;
  }
  static NewVersion WithEvent(NewVersion version, const std::string& event, const std::string& schema) {
    DomainEvent made{event, "", schema.empty() ? "" : base::Sha256Digest(schema), schema};
    version.entries = {{.subject = Subject::kEvent, .term = event, .role = "declares", .detail = made.schema_digest}};
    version.events = {made};
    return version;
  }
  static tmpl::Reference Ref(const std::string& text) { return *tmpl::ParseReference(text); }
  void SetState(const std::string& reference, VersionState state) {
    const auto result = store_.SetState(Ref(reference), state, "why", "", {}, kNoDeadline);
    ASSERT_TRUE(result.ok() && result->outcome == LifecycleOutcome::kChanged) << result.status();
  }
  void YankAndPurge(const std::string& reference) {
    SetState(reference, VersionState::kYanked);
    const auto result = store_.Purge(Ref(reference), "broken", {}, kNoDeadline);
    ASSERT_TRUE(result.ok() && result->outcome == LifecycleOutcome::kChanged) << result.status();
  }
  std::string At(const std::string& channel) {
    const auto found = store_.LoadByChannel("a", "b", channel, kNoDeadline);
    EXPECT_TRUE(found.ok()) << found.status();
    return found.ok() && *found ? (*found)->summary.version : "";
  }
  std::vector<std::string> Sql(const std::string& sql) { return test::RunSql(*pool_, sql); }

  std::shared_ptr<ConnectionPool> pool_ = test::TestCluster::Get().NewMigratedPool();
  Store store_{pool_};
};

TEST_F(RegisterChannelsTest, MovesChannelsInTheSameRevision) {
  Register({With(MakeVersion("a", "b", "1.0.0"), {"stable"})});
  const auto result = Register({With(MakeVersion("a", "b", "1.1.0"), {"stable", "canary"})}, {.actor = "ci"});
  EXPECT_EQ(result.revision, 2);
  EXPECT_EQ(At("stable"), "1.1.0");
  EXPECT_EQ(At("canary"), "1.1.0");
  EXPECT_THAT(Sql("SELECT kind || ' ' || ordinal || ' ' || version || ' ' || detail::text FROM tasker.changes "
                  "WHERE revision = 2 ORDER BY ordinal"),
              ElementsAre("REGISTER 0 1.1.0 {}", R"(SET_CHANNEL 1 1.1.0 {"channel": "canary"})",
                          R"(SET_CHANNEL 2 1.1.0 {"channel": "stable", "old_version": "1.0.0"})"));
  EXPECT_THAT(
      Sql("SELECT version || ' ' || revision || ' ' || actor FROM tasker.channel_moves WHERE channel = 'stable' "
          "ORDER BY revision"),
      ElementsAre("1.0.0 1 ", "1.1.0 2 ci"));
}

TEST_F(RegisterChannelsTest, MovesChannelsToAVersionThatIsThereAlready) {
  Register({With(MakeVersion("a", "b", "1.0.0"), {"stable"}), MakeVersion("a", "b", "2.0.0")});
  const auto moved = Register({With(MakeVersion("a", "b", "2.0.0"), {"stable"})});
  EXPECT_EQ(moved.items[0].outcome, RegisterOutcome::kUnchanged);
  EXPECT_EQ(moved.revision, 2) << "the move alone is the change";
  EXPECT_EQ(At("stable"), "2.0.0");
}

TEST_F(RegisterChannelsTest, AMoveToWhereTheChannelPointsIsNone) {
  Register({MakeVersion("a", "b", "1.0.0")});
  Register({With(MakeVersion("a", "b", "1.0.0"), {"stable"})});
  const auto again = Register({With(MakeVersion("a", "b", "1.0.0"), {"stable"})});
  EXPECT_EQ(again.revision, 2) << "the first that holds the version and its channel";
  EXPECT_EQ(store_.CheckHealth(kNoDeadline)->revision, 2);
}

TEST_F(RegisterChannelsTest, AChannelForSeveralVersionsPointsAtTheHighest) {
  Register({With(MakeVersion("a", "b", "1.10.0"), {"stable"}), With(MakeVersion("a", "b", "1.9.0"), {"stable"})});
  EXPECT_EQ(At("stable"), "1.10.0");
}

TEST_F(RegisterChannelsTest, AConflictAnywhereMovesNothing) {
  Register({MakeVersion("a", "b", "1.0.0"), MakeVersion("a", "c", "1.0.0", "one")});
  const auto result =
      Register({With(MakeVersion("a", "b", "1.0.0"), {"stable"}), MakeVersion("a", "c", "1.0.0", "two")});
  EXPECT_TRUE(result.conflict);
  EXPECT_EQ(At("stable"), "");
}

TEST_F(RegisterChannelsTest, ADryRunMovesNothing) {
  EXPECT_EQ(Register({With(MakeVersion("a", "b", "1.0.0"), {"stable"})}, {.dry_run = true}).revision, 0);
  EXPECT_EQ(At("stable"), "");
}

TEST_F(RegisterChannelsTest, RefusesAChannelOnAYankedVersion) {
  Register({MakeVersion("a", "b", "1.0.0")});
  SetState("a/b:1.0.0", VersionState::kYanked);
  const auto result = Register({With(MakeVersion("a", "b", "1.0.0"), {"stable"}), MakeVersion("a", "new", "1.0.0")});
  EXPECT_TRUE(result.conflict);
  EXPECT_EQ(result.items[0].outcome, RegisterOutcome::kYanked);
  EXPECT_EQ(result.items[0].message, "why");
  EXPECT_EQ(result.revision, 0);
  EXPECT_EQ(Register({MakeVersion("a", "b", "1.0.0")}).items[0].outcome, RegisterOutcome::kUnchanged);
}

TEST_F(RegisterChannelsTest, APurgedVersionReturnsWithTheSameContentOnly) {
  const NewVersion first = MakeVersion("a", "b", "1.0.0", "one");
  Register({first, MakeVersion("a", "b", "2.0.0")});
  YankAndPurge("a/b:1.0.0");
  const auto other = Register({MakeVersion("a", "b", "1.0.0", "two"), MakeVersion("a", "b", "3.0.0")});
  EXPECT_TRUE(other.conflict);
  EXPECT_EQ(other.items[0].outcome, RegisterOutcome::kPurged);
  EXPECT_EQ(other.items[0].stored_digest, first.digest);
  EXPECT_EQ(other.items[0].message, "broken");
  EXPECT_EQ(Register({MakeVersion("a", "b", "1.0.0", "two")}, {.dry_run = true}).items[0].outcome,
            RegisterOutcome::kPurged);
  const auto same = Register({first});
  EXPECT_EQ(same.items[0].outcome, RegisterOutcome::kCreated);
  EXPECT_EQ(same.revision, 4);
  EXPECT_EQ(same.items[0].stored_revision, 4);
  EXPECT_THAT(Sql("SELECT 1 FROM tasker.tombstones"), IsEmpty());
}

TEST_F(RegisterChannelsTest, KeepsDomainEventsOncePerSchema) {
  Register({WithEvent(MakeVersion("a", "b", "1.0.0"), "paid", "true"),
            WithEvent(MakeVersion("a", "c", "1.0.0"), "paid", "true"),
            WithEvent(MakeVersion("a", "d", "1.0.0"), "paid", "false"),
            WithEvent(MakeVersion("z", "b", "1.0.0"), "paid", "{}")});
  EXPECT_THAT(Sql("SELECT namespace || ' ' || schema_json || ' ' || template FROM tasker.domain_events "
                  "ORDER BY namespace, template"),
              ElementsAre("a true b", "a false d", "z {} b"));
}

TEST_F(RegisterChannelsTest, TellsWhichEventsHaveAnotherSchemaInTheNamespace) {
  Register({WithEvent(MakeVersion("a", "b", "1.0.0"), "paid", "true")});
  const std::vector<NewVersion> batch = {WithEvent(MakeVersion("a", "c", "1.0.0"), "paid", "false"),
                                         WithEvent(MakeVersion("z", "c", "1.0.0"), "paid", "false"),
                                         WithEvent(MakeVersion("a", "d", "1.0.0"), "paid", ""),
                                         WithEvent(MakeVersion("a", "e", "1.0.0"), "sent", "true"),
                                         WithEvent(MakeVersion("a", "f", "1.0.0"), "sent", "false"),
                                         WithEvent(MakeVersion("a", "g", "1.0.0"), "paid", "true")};
  for (const bool dry_run : {true, false}) {
    const auto result = Register(batch, {.dry_run = dry_run});
    std::vector<std::string> found;
    for (size_t i = 0; i < result.items.size(); ++i) {
      for (const EventDifference& d : result.items[i].event_differences) {
        found.push_back(fmt::format("{} {} {} {}", i, d.event, d.template_name, d.version));
      }
    }
    EXPECT_THAT(found, ElementsAre("0 paid b 1.0.0", "4 sent e 1.0.0", "5 paid c 1.0.0")) << dry_run;
  }
}

TEST_F(RegisterChannelsTest, LatestIsTheHighestVersionThatIsNotYanked) {
  Register({MakeVersion("a", "b", "1.0.0"), MakeVersion("a", "b", "2.0.0")});
  const auto latest = [&] { return Sql("SELECT major || '.' || minor || ' ' || state FROM tasker.templates").front(); };
  SetState("a/b:2.0.0", VersionState::kYanked);
  EXPECT_EQ(latest(), "1.0 ACTIVE");
  SetState("a/b:1.0.0", VersionState::kYanked);
  EXPECT_EQ(latest(), "2.0 YANKED") << "where all are yanked, the highest";
  Register({MakeVersion("a", "b", "0.1.0")});
  EXPECT_EQ(latest(), "0.1 ACTIVE");
  Register({MakeVersion("a", "b", "0.0.9")});
  EXPECT_EQ(latest(), "0.1 ACTIVE");
}

TEST_F(RegisterChannelsTest, TheWordsOfTheLatestVersionFindIt) {
  NewVersion first = MakeVersion("pay-ments", "credit_card", "1.0.0");
  first.description = "Charges a Customer";
  NewVersion second = MakeVersion("pay-ments", "credit_card", "2.0.0");
  second.description = "Refunds somebody";
  const auto finds = [&](const std::string& word) {
    return !Sql("SELECT 1 FROM tasker.templates WHERE search @@ plainto_tsquery('simple', '" + word + "')").empty();
  };
  Register({first});
  EXPECT_TRUE(finds("customer") && finds("card"));
  EXPECT_FALSE(finds("ments"));  // the namespace has a filter of its own
  Register({second});
  EXPECT_TRUE(finds("refunds"));
  EXPECT_FALSE(finds("customer"));
  SetState("pay-ments/credit_card:2.0.0", VersionState::kYanked);
  EXPECT_TRUE(finds("customer"));
}

// As an archive's items are: with what they were, and of another kind.
TEST_F(RegisterChannelsTest, AnImportKeepsTimesAuthorsAndStates) {
  Sql("SELECT "
      "tasker.register_templates('[{\"namespace\":\"a\",\"name\":\"b\",\"version\":\"1.0.0\",\"digest\":\"sha256:" +
      std::string(64, '0') +
      "\",\"tags\":[],\"file_name\":\"\",\"source_revision\":\"\",\"source_uri\":\"\",\"entries\":[],\"kind\":"
      "\"IMPORT\",\"created_at\":\"2020-01-02T03:04:05Z\",\"actor\":\"ann\",\"peer\":\"::1\",\"state\":\"YANKED\","
      "\"state_message\":\"bad\",\"state_actor\":\"bob\",\"state_at\":\"2021-01-01T00:00:00Z\"}]', ARRAY['{}'], "
      "ARRAY['x'], '[]', '[[1,\"stable\",\"cy\",\"2022-01-01T00:00:00Z\"]]', 'me', 'here', false)");
  const auto loaded = store_.LoadByChannel("a", "b", "stable", kNoDeadline);
  ASSERT_TRUE(loaded.ok() && loaded->has_value()) << loaded.status();
  const VersionSummary& summary = (*loaded)->summary;
  EXPECT_EQ(absl::FormatTime(summary.create_time, absl::UTCTimeZone()), "2020-01-02T03:04:05+00:00");
  EXPECT_EQ(summary.actor, "ann");
  EXPECT_EQ(summary.state.state, VersionState::kYanked);
  EXPECT_EQ(summary.state.actor, "bob");
  EXPECT_THAT(Sql("SELECT kind || ' ' || actor FROM tasker.changes ORDER BY ordinal"),
              ElementsAre("IMPORT me", "SET_CHANNEL me"));
  EXPECT_THAT(Sql("SELECT actor || ' ' || extract(year FROM updated_at) FROM tasker.channels"), ElementsAre("cy 2022"));
}

}  // namespace
}  // namespace tasker::store
