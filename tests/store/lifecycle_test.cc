#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "tests/store/versions.h"
#include "tests/support/postgres_fixture.h"

namespace tasker::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::Time kNoDeadline = absl::InfiniteFuture();
using Outcome = LifecycleOutcome;

class LifecycleTest : public testing::Test {
 protected:
  void Register(const std::vector<NewVersion>& batch) {
    const auto result = store_.Register(batch, kNobody, kNoDeadline);
    ASSERT_TRUE(result.ok()) << result.status();
  }
  LifecycleResult Get(const absl::StatusOr<LifecycleResult>& result) {
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? *result : LifecycleResult{};
  }
  LifecycleResult Set(const std::string& channel, tmpl::Version version,
                      const std::optional<std::string>& expected = std::nullopt) {
    return Get(store_.SetChannel("a", "b", channel, version, expected, {"me", "here"}, kNoDeadline));
  }
  LifecycleResult Delete(const std::string& channel, const std::optional<std::string>& expected = std::nullopt) {
    return Get(store_.DeleteChannel("a", "b", channel, expected, {"me", "here"}, kNoDeadline));
  }
  LifecycleResult SetState(const std::string& reference, VersionState state, const std::string& message = "",
                           const std::string& replacement = "") {
    return Get(
        store_.SetState(*tmpl::ParseReference(reference), state, message, replacement, {"me", "here"}, kNoDeadline));
  }
  LifecycleResult Purge(const std::string& reference, const std::string& message = "") {
    return Get(store_.Purge(*tmpl::ParseReference(reference), message, {"me", "here"}, kNoDeadline));
  }
  int64_t Revision() { return store_.CheckHealth(kNoDeadline)->revision; }
  std::vector<std::string> Sql(const std::string& sql) { return test::RunSql(*pool_, sql); }
  std::string LastChange() {
    return Sql("SELECT concat_ws(' ', revision, kind, namespace, name, version, actor, peer, detail::text) "
               "FROM tasker.changes ORDER BY revision DESC, ordinal DESC LIMIT 1")
        .front();
  }

  std::shared_ptr<ConnectionPool> pool_ = test::TestCluster::Get().NewMigratedPool();
  Store store_{pool_};
};

TEST_F(LifecycleTest, SetsAndMovesChannels) {
  Register({MakeVersion("a", "b", "1.0.0"), MakeVersion("a", "b", "2.0.0")});
  const LifecycleResult first = Set("stable", {1, 0, 0});
  EXPECT_EQ(first.outcome, Outcome::kChanged);
  EXPECT_EQ(first.old_version, "");
  EXPECT_EQ(first.revision, 2);
  EXPECT_EQ(LastChange(), R"(2 SET_CHANNEL a b 1.0.0 me here {"channel": "stable"})");
  const LifecycleResult second = Set("stable", {2, 0, 0});
  EXPECT_EQ(second.old_version, "1.0.0");
  EXPECT_EQ(LastChange(), R"(3 SET_CHANNEL a b 2.0.0 me here {"channel": "stable", "old_version": "1.0.0"})");
  EXPECT_EQ((*store_.LoadByChannel("a", "b", "stable", kNoDeadline))->summary.version, "2.0.0");
  EXPECT_THAT((*store_.LoadVersion("a", "b", {2, 0, 0}, kNoDeadline))->channels, ElementsAre("stable"));
  EXPECT_THAT((*store_.LoadVersion("a", "b", {1, 0, 0}, kNoDeadline))->channels, IsEmpty());
}

TEST_F(LifecycleTest, SettingAChannelAgainChangesNothing) {
  Register({MakeVersion("a", "b", "1.0.0")});
  Set("stable", {1, 0, 0});
  const LifecycleResult again = Set("stable", {1, 0, 0});
  EXPECT_EQ(again.outcome, Outcome::kUnchanged);
  EXPECT_EQ(again.revision, 2);
  EXPECT_EQ(Revision(), 2);
}

TEST_F(LifecycleTest, MovesAChannelOnlyFromWhereItIsExpected) {
  Register({MakeVersion("a", "b", "1.0.0"), MakeVersion("a", "b", "2.0.0")});
  EXPECT_EQ(Set("stable", {1, 0, 0}, "1.0.0").outcome, Outcome::kChannelMoved) << "there is none";
  EXPECT_EQ(Set("stable", {1, 0, 0}, "").outcome, Outcome::kChanged);
  const LifecycleResult exists = Set("stable", {2, 0, 0}, "");
  EXPECT_EQ(exists.outcome, Outcome::kChannelMoved);
  EXPECT_EQ(exists.old_version, "1.0.0");
  EXPECT_EQ(Set("stable", {2, 0, 0}, "2.0.0").outcome, Outcome::kChannelMoved);
  EXPECT_EQ(Set("stable", {2, 0, 0}, "1.0.0").outcome, Outcome::kChanged);
  EXPECT_EQ(Revision(), 3);
}

TEST_F(LifecycleTest, AChannelNeedsAVersionThatIsNotYanked) {
  Register({MakeVersion("a", "b", "1.0.0")});
  EXPECT_EQ(Set("stable", {1, 0, 1}).outcome, Outcome::kNoVersion);
  SetState("a/b:1.0.0", VersionState::kYanked, "bad");
  const LifecycleResult yanked = Set("stable", {1, 0, 0});
  EXPECT_EQ(yanked.outcome, Outcome::kYanked);
  EXPECT_EQ(yanked.message, "bad");
  EXPECT_EQ(Revision(), 2);
}

TEST_F(LifecycleTest, DeletesChannelsAndKeepsTheirHistory) {
  Register({MakeVersion("a", "b", "1.0.0")});
  EXPECT_EQ(Delete("stable").outcome, Outcome::kNoChannel);
  Set("stable", {1, 0, 0});
  const LifecycleResult moved = Delete("stable", "2.0.0");
  EXPECT_EQ(moved.outcome, Outcome::kChannelMoved);
  EXPECT_EQ(moved.old_version, "1.0.0");
  const LifecycleResult deleted = Delete("stable", "1.0.0");
  EXPECT_EQ(deleted.outcome, Outcome::kChanged);
  EXPECT_EQ(deleted.old_version, "1.0.0");
  EXPECT_EQ(deleted.revision, 3);
  EXPECT_EQ(LastChange(), R"(3 DELETE_CHANNEL a b  me here {"channel": "stable", "old_version": "1.0.0"})");
  EXPECT_EQ(*store_.LoadByChannel("a", "b", "stable", kNoDeadline), std::nullopt);
  EXPECT_THAT(Sql("SELECT version FROM tasker.channel_moves ORDER BY revision"), ElementsAre("1.0.0", ""));
}

TEST_F(LifecycleTest, DeprecatesYanksAndRestores) {
  Register({MakeVersion("a", "b", "1.0.0"), MakeVersion("a", "b", "2.0.0")});
  Set("stable", {1, 0, 0});
  const LifecycleResult deprecated = SetState("a/b:1.0.0", VersionState::kDeprecated, "old", "a/b:^2");
  EXPECT_EQ(deprecated.outcome, Outcome::kChanged);
  EXPECT_EQ(deprecated.version, "1.0.0");
  EXPECT_EQ(deprecated.revision, 3);
  EXPECT_EQ(LastChange(), R"(3 DEPRECATE a b 1.0.0 me here {"message": "old", "replacement": "a/b:^2"})");
  const StateInfo state = **store_.LoadState("a", "b", {1, 0, 0}, kNoDeadline);
  EXPECT_EQ(state.state, VersionState::kDeprecated);
  EXPECT_EQ(state.message, "old");
  EXPECT_EQ(state.replacement, "a/b:^2");
  EXPECT_EQ(state.actor, "me");
  EXPECT_EQ((*store_.LoadVersion("a", "b", {1, 0, 0}, kNoDeadline))->summary.state, state);

  const LifecycleResult yanked = SetState("a/b:1.0.0", VersionState::kYanked, "bad");
  EXPECT_EQ(yanked.outcome, Outcome::kChanged);
  EXPECT_THAT(yanked.channels, ElementsAre("stable"));
  EXPECT_EQ(LastChange(), R"(4 YANK a b 1.0.0 me here {"message": "bad"})");
  EXPECT_EQ(SetState("a/b:1.0.0", VersionState::kDeprecated).outcome, Outcome::kYanked);
  EXPECT_EQ(SetState("a/b:1.0.0", VersionState::kActive).outcome, Outcome::kChanged);
  EXPECT_EQ(LastChange(), "5 RESTORE a b 1.0.0 me here {}");
  EXPECT_EQ((*store_.LoadState("a", "b", {1, 0, 0}, kNoDeadline))->state, VersionState::kActive);
}

TEST_F(LifecycleTest, TheSameStateAgainChangesNothing) {
  Register({MakeVersion("a", "b", "1.0.0")});
  const LifecycleResult active = SetState("a/b:1.0.0", VersionState::kActive);
  EXPECT_EQ(active.outcome, Outcome::kUnchanged);
  EXPECT_EQ(active.revision, 1);
  SetState("a/b:1.0.0", VersionState::kYanked, "bad");
  const LifecycleResult again = SetState("a/b:1.0.0", VersionState::kYanked, "bad");
  EXPECT_EQ(again.outcome, Outcome::kUnchanged);
  EXPECT_EQ(again.revision, 2);
  EXPECT_EQ(SetState("a/b:1.0.0", VersionState::kYanked, "worse").outcome, Outcome::kChanged);
  EXPECT_EQ(Revision(), 3);
}

TEST_F(LifecycleTest, FindsAVersionByItsDigest) {
  const NewVersion version = MakeVersion("a", "b", "1.0.0");
  Register({version});
  EXPECT_EQ(SetState("a/b@" + version.digest, VersionState::kYanked).version, "1.0.0");
  EXPECT_EQ(SetState("a/c@" + version.digest, VersionState::kYanked).outcome, Outcome::kNoVersion);
  EXPECT_EQ(SetState("a/b:1.0.1", VersionState::kYanked).outcome, Outcome::kNoVersion);
  EXPECT_EQ(Purge("a/b@" + version.digest).outcome, Outcome::kChanged);
}

TEST_F(LifecycleTest, YankedVersionsAreVisibleToExactVersionsAndDigestsOnly) {
  const NewVersion high = MakeVersion("a", "b", "1.1.0");
  Register({MakeVersion("a", "b", "1.0.0"), high});
  SetState("a/b:1.1.0", VersionState::kYanked, "bad");
  const auto version = [](const auto& found) { return *found ? (*found)->summary.version : ""; };
  const tmpl::VersionRange range{{1, 0, 0}, tmpl::Version{2, 0, 0}};
  EXPECT_EQ(version(store_.LoadLatest("a", "b", kNoDeadline)), "1.0.0");
  EXPECT_EQ(version(store_.LoadHighest("a", "b", range, kNoDeadline)), "1.0.0");
  EXPECT_EQ(version(store_.LoadHighest("a", "b", {{1, 0, 0}, std::nullopt}, kNoDeadline)), "1.0.0");
  EXPECT_EQ(version(store_.LoadVersion("a", "b", {1, 1, 0}, kNoDeadline)), "1.1.0");
  EXPECT_EQ(version(store_.LoadByDigest("a", "b", high.digest, kNoDeadline)), "1.1.0");
  SetState("a/b:1.0.0", VersionState::kYanked, "bad");
  EXPECT_EQ(version(store_.LoadLatest("a", "b", kNoDeadline)), "");
}

TEST_F(LifecycleTest, PurgesOnlyYankedVersionsThatNoChannelPointsAt) {
  Register({MakeVersion("a", "b", "1.0.0"), MakeVersion("a", "b", "2.0.0")});
  Set("stable", {1, 0, 0});
  EXPECT_EQ(Purge("a/b:1.0.1").outcome, Outcome::kNoVersion);
  EXPECT_EQ(Purge("a/b:1.0.0").outcome, Outcome::kNotYanked);
  SetState("a/b:1.0.0", VersionState::kDeprecated);
  EXPECT_EQ(Purge("a/b:1.0.0").outcome, Outcome::kNotYanked);
  SetState("a/b:1.0.0", VersionState::kYanked, "bad");
  const LifecycleResult refused = Purge("a/b:1.0.0");
  EXPECT_EQ(refused.outcome, Outcome::kChannels);
  EXPECT_THAT(refused.channels, ElementsAre("stable"));
  Set("stable", {2, 0, 0});
  const LifecycleResult purged = Purge("a/b:1.0.0", "leaked a secret");
  EXPECT_EQ(purged.outcome, Outcome::kChanged);
  EXPECT_EQ(purged.version, "1.0.0");
  EXPECT_EQ(purged.digest, MakeVersion("a", "b", "1.0.0").digest);
  EXPECT_EQ(LastChange(), R"(6 PURGE a b 1.0.0 me here {"message": "leaked a secret"})");
  EXPECT_EQ(*store_.LoadVersion("a", "b", {1, 0, 0}, kNoDeadline), std::nullopt);
  const Neighbours near = *store_.LoadNeighbours(*tmpl::ParseReference("a/b:1.0.0"), kNoDeadline);
  ASSERT_TRUE(near.tombstone);
  EXPECT_EQ(near.tombstone->version, "1.0.0");
  EXPECT_EQ(near.tombstone->message, "leaked a secret");
  EXPECT_THAT(near.channels, ElementsAre("stable"));
  EXPECT_EQ(store_.LoadNeighbours(*tmpl::ParseReference("a/b:1.0.1"), kNoDeadline)->tombstone, std::nullopt);
  EXPECT_EQ(Purge("a/b:1.0.0").outcome, Outcome::kNoVersion);
}

TEST_F(LifecycleTest, APurgeTakesWhatOnlyThatVersionNamed) {
  const auto made = [](const std::string& name, const std::string& version, std::vector<std::string> systems,
                       const std::vector<DomainEvent>& events) {
    NewVersion v = MakeVersion("a", name, version);
    for (const std::string& s : systems) v.entries.push_back({.subject = Subject::kSystem, .term = s, .role = "step"});
    for (const DomainEvent& e : events) {
      v.entries.push_back({.subject = Subject::kEvent, .term = e.name, .role = "declares", .detail = e.schema_digest});
    }
    v.events = events;
    v.tags = {"t"};
    return v;
  };
  const DomainEvent shared{"shared", "", base::Sha256Digest("true"), "true"};
  const DomainEvent own{"own", "", base::Sha256Digest("true"), "true"};
  Register({made("b", "1.0.0", {"bank", "mail"}, {shared, own})});
  Register({made("b", "2.0.0", {"bank"}, {}), made("c", "1.0.0", {"bank"}, {shared})});
  SetState("a/b:1.0.0", VersionState::kYanked);
  ASSERT_EQ(Purge("a/b:1.0.0").outcome, Outcome::kChanged);
  EXPECT_THAT(Sql("SELECT system_dependencies::text FROM tasker.task_namespaces"), ElementsAre("{bank}"));
  EXPECT_THAT(Sql("SELECT name || ' ' || template || ' ' || version FROM tasker.domain_events"),
              ElementsAre("shared c 1.0.0"));
  EXPECT_THAT(Sql("SELECT version_count FROM tasker.templates WHERE name = 'b'"), ElementsAre("1"));
  EXPECT_THAT(Sql("SELECT 1 FROM tasker.template_index d WHERE NOT EXISTS (SELECT FROM tasker.named_tasks v WHERE "
                  "v.named_task_uuid = d.named_task_uuid)"),
              IsEmpty());
  SetState("a/b:2.0.0", VersionState::kYanked);
  ASSERT_EQ(Purge("a/b:2.0.0").outcome, Outcome::kChanged);
  EXPECT_THAT(Sql("SELECT name FROM tasker.templates"), ElementsAre("c"));
  EXPECT_THAT(Sql("SELECT template_count FROM tasker.task_namespaces"), ElementsAre("1"));
  SetState("a/c:1.0.0", VersionState::kYanked);
  ASSERT_EQ(Purge("a/c:1.0.0").outcome, Outcome::kChanged);
  EXPECT_THAT(Sql("SELECT 1 FROM tasker.domain_events UNION ALL SELECT 1 FROM tasker.template_index"), IsEmpty());
  EXPECT_THAT(Sql("SELECT template_count || ' ' || system_dependencies::text FROM tasker.task_namespaces"),
              ElementsAre("0 {}"));
}

TEST_F(LifecycleTest, SetsVersionPolicies) {
  const auto set = [&](const std::string& name, VersionPolicy policy) {
    return Get(store_.SetVersionPolicy(name, policy, {"me", "here"}, kNoDeadline));
  };
  const LifecycleResult made = set("new", VersionPolicy::kWarn);
  EXPECT_EQ(made.outcome, Outcome::kChanged);
  EXPECT_EQ(made.old_policy, VersionPolicy::kNone);
  EXPECT_EQ(made.revision, 1);
  EXPECT_EQ(LastChange(), R"(1 SET_VERSION_POLICY new   me here {"version_policy": "WARN"})");
  Register({MakeVersion("a", "b", "1.0.0")});
  EXPECT_EQ(set("a", VersionPolicy::kNone).outcome, Outcome::kUnchanged);
  EXPECT_EQ(set("a", VersionPolicy::kNone).revision, 0) << "nobody ever set one";
  const LifecycleResult changed = set("new", VersionPolicy::kEnforce);
  EXPECT_EQ(changed.old_policy, VersionPolicy::kWarn);
  EXPECT_EQ(changed.revision, 3);
  const LifecycleResult again = set("new", VersionPolicy::kEnforce);
  EXPECT_EQ(again.outcome, Outcome::kUnchanged);
  EXPECT_EQ(again.revision, 3);
}

TEST_F(LifecycleTest, RefusesWhatPostgresCannotHold) {
  Register({MakeVersion("a", "b", "1.0.0")});
  const auto code = [&](const std::string& message) {
    return store_.SetState(*tmpl::ParseReference("a/b:1.0.0"), VersionState::kYanked, message, "", {}, kNoDeadline)
        .status()
        .code();
  };
  EXPECT_EQ(code(std::string("a\0b", 3)), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code("\xff"), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store_.SetVersionPolicy("no/name", VersionPolicy::kWarn, {}, kNoDeadline).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Revision(), 1);
}

// Runs `work(n)` for n below `count`, all at once.
template <typename Work>
void InParallel(int count, Work work) {
  std::vector<std::thread> threads;
  for (int n = 0; n < count; ++n) threads.emplace_back(work, n);
  for (std::thread& thread : threads) thread.join();
}

TEST_F(LifecycleTest, OneOfManyCompareAndSwapsWins) {
  constexpr int kWriters = 8;
  std::vector<NewVersion> versions;
  for (int n = 0; n <= kWriters; ++n) versions.push_back(MakeVersion("a", "b", fmt::format("1.0.{}", n)));
  Register(versions);
  for (int round = 0; round < 20; ++round) {
    const std::string channel = fmt::format("c{}", round);
    Set(channel, {1, 0, kWriters});
    std::atomic<int> winners = 0;
    InParallel(kWriters, [&](int n) {
      const LifecycleResult result = Set(channel, {1, 0, n}, fmt::format("1.0.{}", kWriters));
      if (result.outcome == Outcome::kChanged) ++winners;
    });
    EXPECT_EQ(winners, 1);
  }
}

// All writers on the same three versions: each is served, nothing deadlocks, and what must agree does.
TEST_F(LifecycleTest, MixedWritersNeverDeadlockAndKeepTheCounts) {
  constexpr int kWriters = 8;
  std::atomic<int> failures = 0;
  InParallel(kWriters, [&](int n) {
    std::minstd_rand random(static_cast<unsigned>(n + 1));
    const auto dice = [&](int sides) { return static_cast<int>(random() % static_cast<unsigned>(sides)); };
    for (int round = 0; round < 60; ++round) {
      const tmpl::Version version{1, 0, dice(3)};
      const std::string name = dice(2) == 0 ? "b" : "c";
      const tmpl::Reference reference = *tmpl::ParseReference("a/" + name + ":" + version.ToString());
      absl::Status status;
      switch (dice(6)) {
        case 0: {
          std::vector<NewVersion> batch = {MakeVersion("a", "b", version.ToString()),
                                           MakeVersion("a", "c", version.ToString())};
          if (dice(2) == 0) std::swap(batch[0], batch[1]);
          batch[0].channels = {"stable"};
          status = store_.Register(batch, kNobody, kNoDeadline).status();
          break;
        }
        case 1:
          status = store_.SetChannel("a", name, "stable", version, std::nullopt, {}, kNoDeadline).status();
          break;
        case 2:
          status = store_.DeleteChannel("a", name, "stable", std::nullopt, {}, kNoDeadline).status();
          break;
        case 3:
          status = store_.Purge(reference, "", {}, kNoDeadline).status();
          break;
        case 4:
          status = store_.SetState(reference, VersionState::kActive, "", "", {}, kNoDeadline).status();
          break;
        default:
          status = store_.SetState(reference, VersionState::kYanked, "", "", {}, kNoDeadline).status();
      }
      if (!status.ok()) ++failures;
    }
  });
  EXPECT_EQ(failures, 0);
  EXPECT_THAT(Sql("SELECT t.name FROM tasker.templates t WHERE t.version_count <> (SELECT count(*) FROM "
                  "tasker.named_tasks v WHERE v.namespace = t.namespace AND v.name = t.name) "
                  "OR t.latest_named_task_uuid <> (SELECT v.named_task_uuid FROM tasker.named_tasks v WHERE "
                  "v.namespace = t.namespace AND v.name = t.name ORDER BY v.state = 'YANKED', v.major DESC, "
                  "v.minor DESC, v.patch DESC LIMIT 1)"),
              IsEmpty());
  EXPECT_THAT(Sql("SELECT 1 FROM tasker.channels c WHERE NOT EXISTS (SELECT FROM tasker.named_tasks v WHERE "
                  "v.named_task_uuid = c.named_task_uuid AND v.version = c.version)"),
              IsEmpty());
  EXPECT_THAT(Sql("SELECT 1 FROM tasker.tombstones g JOIN tasker.named_tasks v USING (namespace, name, major, minor, "
                  "patch)"),
              IsEmpty());
  EXPECT_EQ(Sql("SELECT count(DISTINCT revision) FROM tasker.changes").front(), std::to_string(Revision()));
}

}  // namespace
}  // namespace tasker::store
