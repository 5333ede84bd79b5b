// Watches over real sockets and a real PostgreSQL.
#include "server/watch.h"

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "lib/registry/change_feed.h"
#include "lib/store/store.h"
#include "server/joined_resolves.h"
#include "server/listener.h"
#include "server/services.h"
#include "tasker/registry/v1/resolver.grpc.pb.h"
#include "tests/support/postgres_fixture.h"

namespace tasker::server {
namespace {

namespace pb = ::tasker::registry::v1;

constexpr absl::Duration kPatience = absl::Seconds(60);

google::rpc::ErrorInfo InfoOf(const grpc::Status& status) {
  google::rpc::Status details;
  google::rpc::ErrorInfo info;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_TRUE(details.details_size() > 0 && details.details(0).UnpackTo(&info)) << status.error_message();
  return info;
}

// A server with nothing but watches.
class WatchServer {
 public:
  WatchServer(const std::shared_ptr<store::ConnectionPool>& pool, const registry::ChangeFeed::Options& feed_options,
              const WatchHub::Options& hub_options)
      : store_(std::make_shared<store::Store>(pool)),
        loader_(std::make_shared<registry::TemplateLoader>(store_, 1 << 20)),
        feed_(registry::ChangeFeed::Create(*pool, feed_options).value()),
        hub_(*feed_, store_, executor_, runner_, hub_options) {
    EXPECT_TRUE(feed_->Start(absl::Now() + kPatience).ok());
    Options options;
    options.listen = "127.0.0.1:0";
    listening_ = Listen(options, {service_.get()}).value();
  }
  ~WatchServer() {
    hub_.CloseAll();
    listening_.server->Shutdown();
    feed_->Stop();
  }

  std::unique_ptr<pb::ResolverService::Stub> Connect() const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return pb::ResolverService::NewStub(
        grpc::CreateCustomChannel(listening_.address, grpc::InsecureChannelCredentials(), arguments));
  }
  WatchHub& hub() { return hub_; }
  registry::ChangeFeed& feed() { return *feed_; }

 private:
  const std::shared_ptr<store::Store> store_;
  const std::shared_ptr<registry::TemplateLoader> loader_;
  registry::Resolver resolver_{loader_, 1 << 20};
  registry::PayloadCheck payloads_{loader_, 1 << 20};
  const registry::CallableChecker callables_{store_, loader_};
  Metrics metrics_;
  const std::unique_ptr<registry::ChangeFeed> feed_;
  CallRunner runner_{executor_, metrics_, feed_->gate(), {}};
  JoinedResolves joined_{runner_, executor_, resolver_, {}};
  WatchHub hub_;
  Executor executor_{{.threads = 4}};
  const std::unique_ptr<grpc::Service> service_ =
      MakeResolverService(runner_, resolver_, joined_, payloads_, callables_, hub_);
  Listening listening_;
};

// One watch of a client.
class Watch {
 public:
  Watch(const WatchServer& server, const pb::WatchTemplatesRequest& request) : stub_(server.Connect()) {
    context_.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
    reader_ = stub_->WatchTemplates(&context_, request);
  }
  Watch(const WatchServer& server, std::optional<int64_t> from) : Watch(server, From(from)) {}
  ~Watch() { Finish(); }

  static pb::WatchTemplatesRequest From(std::optional<int64_t> from) {
    pb::WatchTemplatesRequest request;
    if (from) request.set_from_revision(*from);
    return request;
  }

  // The next message; none when the watch has ended.
  std::optional<pb::WatchTemplatesResponse> Next() {
    pb::WatchTemplatesResponse message;
    if (reader_->Read(&message)) return message;
    return std::nullopt;
  }

  // The next message that is no bookmark; an empty one when the watch has ended.
  pb::WatchTemplatesResponse NextChanges() {
    while (auto message = Next()) {
      if (!message->changes().empty()) return *std::move(message);
    }
    ADD_FAILURE() << "the watch has ended";
    pb::WatchTemplatesResponse none;
    none.add_changes();
    return none;
  }

  // "REVISION:NAME" of changes, "REVISION" of a bookmark, joined by blanks: up to the first bookmark.
  std::string UpToBookmark() {
    std::string text;
    while (const auto message = Next()) {
      for (const pb::Change& change : message->changes())
        text += fmt::format("{}:{} ", message->revision(), change.name());
      if (message->changes().empty()) return text + std::to_string(message->revision());
    }
    return text + "ended";
  }

  const grpc::Status& Finish() {
    if (!status_) {
      context_.TryCancel();
      status_ = reader_->Finish();
    }
    return *status_;
  }
  // How it ended by itself.
  const grpc::Status& End() {
    while (Next()) {
    }
    if (!status_) status_ = reader_->Finish();
    return *status_;
  }

 private:
  const std::unique_ptr<pb::ResolverService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<pb::WatchTemplatesResponse>> reader_;
  std::optional<grpc::Status> status_;
};

class WatchTest : public testing::Test {
 protected:
  void Start(const registry::ChangeFeed::Options& feed = {}, const WatchHub::Options& hub = {}) {
    server_ = std::make_unique<WatchServer>(pool_, feed, hub);
  }

  // One revision with a change of each of `names`.
  void Add(const std::vector<std::string>& names, size_t filler_bytes = 0, const std::string& namespace_name = "a") {
    test::RunSql(*pool_, fmt::format("WITH h AS (UPDATE tasker.change_head SET revision = revision + 1 RETURNING "
                                     "revision), c AS (INSERT INTO tasker.changes (revision, ordinal, kind, namespace, "
                                     "name, source_uri, created_at) SELECT h.revision, n.nth - 1, 'REGISTER', '{}', "
                                     "n.name, repeat('u', {}), now() FROM h, unnest('{{{}}}'::text[]) WITH ORDINALITY "
                                     "AS n (name, nth)) SELECT pg_notify('tasker_changes', revision::text) FROM h",
                                     namespace_name, filler_bytes, fmt::join(names, ",")));
  }

  const std::shared_ptr<store::ConnectionPool> pool_ = test::TestCluster::Get().NewMigratedPool(8);
  std::unique_ptr<WatchServer> server_;
};

TEST_F(WatchTest, GivesTheBacklogABookmarkAndThenWhatComes) {
  Add({"x"});
  Add({"y", "z"});
  Start();
  Watch watch(*server_, 0);
  EXPECT_EQ(watch.UpToBookmark(), "1:x 2:y 2:z 2");
  Add({"w"});
  EXPECT_EQ(watch.NextChanges().changes(0).name(), "w");
}

TEST_F(WatchTest, FromNowBeginsWithABookmark) {
  Add({"x"});
  Start();
  Watch watch(*server_, std::nullopt);
  EXPECT_EQ(watch.UpToBookmark(), "1");
  Add({"y"});
  EXPECT_EQ(watch.NextChanges().revision(), 2);
}

TEST_F(WatchTest, ReadsFromTheDatabaseWhatIsNoLongerInMemory) {
  Start({.tail_changes = 2});
  std::string expected;
  for (int i = 1; i <= 250; ++i) {  // several pages
    Add({fmt::format("t{}", i)});
    if (i > 4) expected += fmt::format("{0}:t{0} ", i);
  }
  Watch(*server_, 249).UpToBookmark();  // the feed has the last one
  Watch watch(*server_, 4);
  EXPECT_EQ(watch.UpToBookmark(), expected + "250");
}

TEST_F(WatchTest, FiltersByNamespaceAndTemplate) {
  Add({"x", "y"});
  Add({"x"});
  Add({"x"}, 0, "b");
  Add({"x"});
  Start();
  pb::WatchTemplatesRequest request = Watch::From(0);
  request.add_namespaces("b");
  request.add_references("a/y");
  EXPECT_EQ(Watch(*server_, request).UpToBookmark(), "1:y 3:x 4");
}

TEST_F(WatchTest, ALargeRevisionComesInParts) {
  std::vector<std::string> names;
  for (int i = 0; i < 2500; ++i) names.push_back(fmt::format("t{}", i));
  Add(names);
  Start();
  Watch watch(*server_, 0);
  int next = 0;
  for (const bool continued : {true, true, false}) {
    const auto message = watch.Next();
    ASSERT_TRUE(message);
    EXPECT_EQ(message->revision(), 1);
    EXPECT_EQ(message->continued(), continued);
    for (const pb::Change& change : message->changes()) EXPECT_EQ(change.name(), names[static_cast<size_t>(next++)]);
  }
  EXPECT_EQ(next, 2500);
}

TEST_F(WatchTest, BookmarksComeAgainAndAgain) {
  Add({"x"});
  Start({}, {.bookmark_interval = absl::Milliseconds(10)});
  Watch watch(*server_, std::nullopt);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(watch.UpToBookmark(), "1");
}

TEST_F(WatchTest, AWatcherThatDoesNotReadIsEndedAndToldWhereToResume) {
  Start({.tail_changes = 20});
  Watch idle(*server_, std::nullopt);
  Watch busy(*server_, std::nullopt);
  EXPECT_EQ(busy.UpToBookmark(), "0");
  int64_t last = 0;
  const absl::Time end = absl::Now() + kPatience;
  while (server_->hub().Stats().too_slow == 0 && absl::Now() < end) {
    Add({"x"}, 100'000);
    EXPECT_EQ(busy.NextChanges().revision(), ++last);  // who reads is not disturbed
  }
  EXPECT_EQ(server_->hub().Stats().too_slow, 1u);
  int64_t received = 0;
  while (const auto message = idle.Next()) {
    if (message->changes().empty()) continue;
    EXPECT_EQ(message->revision(), ++received);
  }
  const grpc::Status status = idle.End();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
  EXPECT_EQ(InfoOf(status).metadata().at("resume_revision"), std::to_string(received));
  EXPECT_THAT(status.error_message(), testing::HasSubstr(fmt::format("resume from revision {}", received)));
  Watch again(*server_, received);
  EXPECT_EQ(again.NextChanges().revision(), received + 1);
}

// More than are sent to in one run, on each of the hub's threads.
TEST_F(WatchTest, EachOfManyWatchersSeesEveryRevisionInOrderBesideSomeThatTakeNothing) {
  Start();
  pb::WatchTemplatesRequest request;
  request.add_namespaces("b");
  std::vector<std::unique_ptr<Watch>> idle;
  std::vector<std::unique_ptr<Watch>> busy;
  for (int i = 0; i < 10; ++i) idle.push_back(std::make_unique<Watch>(*server_, std::nullopt));
  for (int i = 0; i < 150; ++i) busy.push_back(std::make_unique<Watch>(*server_, request));
  for (const auto& watch : busy) EXPECT_EQ(watch->UpToBookmark(), "0");
  for (int i = 0; i < 3; ++i) Add({"x"}, 100'000);
  for (int64_t revision = 4; revision <= 8; ++revision) {
    Add({"x"}, 0, "b");
    for (const auto& watch : busy) EXPECT_EQ(watch->NextChanges().revision(), revision);
  }
}

TEST_F(WatchTest, AWatcherThatStandsStillInItsBacklogIsEnded) {
  for (int i = 0; i < 60; ++i) Add({"x"}, 100'000);
  Start({.tail_changes = 2}, {.stall_limit = absl::Milliseconds(100)});
  Watch idle(*server_, 0);
  const absl::Time end = absl::Now() + kPatience;
  while (server_->hub().Stats().too_slow == 0 && absl::Now() < end) absl::SleepFor(absl::Milliseconds(10));
  EXPECT_EQ(idle.End().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(WatchTest, ARevisionThatIsNotKeptOrNotThereIsOutOfRange) {
  for (int i = 0; i < 5; ++i) Add({"x"});
  test::RunSql(*pool_, "SELECT tasker.trim_changes(2, 0, 100)");
  Start();
  for (const int64_t from : {2, 6}) {
    const grpc::Status status = Watch(*server_, from).End();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::OUT_OF_RANGE) << from;
    EXPECT_EQ(InfoOf(status).metadata().at("oldest_revision"), "3");
    EXPECT_EQ(InfoOf(status).metadata().at("newest_revision"), "5");
  }
  EXPECT_EQ(Watch(*server_, 3).UpToBookmark(), "4:x 5:x 5");
  EXPECT_EQ(Watch(*server_, 0).UpToBookmark(), "4:x 5:x 5");
  EXPECT_EQ(Watch(*server_, -1).End().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

// Another server has written it, and this one has not heard yet.
TEST_F(WatchTest, ARevisionThatIsInTheDatabaseButNotHereYetIsNotOutOfRange) {
  Start({.poll_interval = absl::Hours(1)});
  Watch first(*server_, std::nullopt);
  EXPECT_EQ(first.UpToBookmark(), "0");
  test::RunSql(
      *pool_,
      "BEGIN; UPDATE tasker.change_head SET revision = 1; INSERT INTO tasker.changes (revision, ordinal, kind, "
      "namespace, name, created_at) VALUES (1, 0, 'REGISTER', 'a', 'x', now()); COMMIT");
  Watch second(*server_, 1);
  Add({"y"});  // rings
  EXPECT_EQ(second.NextChanges().changes(0).name(), "y");
  EXPECT_EQ(first.NextChanges().changes(0).name(), "x");
}

TEST_F(WatchTest, ClosingEndsEveryWatchAtOnceAndRefusesNewOnes) {
  Add({"x"});
  Start();
  Watch watch(*server_, std::nullopt);
  EXPECT_EQ(watch.UpToBookmark(), "1");
  server_->hub().CloseAll();
  EXPECT_EQ(watch.End().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(InfoOf(watch.End()).metadata().at("resume_revision"), "1");
  EXPECT_EQ(Watch(*server_, std::nullopt).End().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(WatchTest, ClosingDoesNotWaitForAClientThatDoesNotRead) {
  for (int i = 0; i < 60; ++i) Add({"x"}, 100'000);
  Start();
  Watch idle(*server_, 0);
  const absl::Time end = absl::Now() + kPatience;
  while (server_->hub().Stats().lag == 0 && absl::Now() < end) absl::SleepFor(absl::Milliseconds(1));
  server_.reset();
}

TEST_F(WatchTest, TakesABoundedNumberOfWatches) {
  Start({}, {.max_watches = 2});
  Watch first(*server_, std::nullopt);
  EXPECT_EQ(first.UpToBookmark(), "0");
  {
    Watch second(*server_, std::nullopt);
    EXPECT_EQ(second.UpToBookmark(), "0");
    Watch third(*server_, std::nullopt);
    EXPECT_EQ(third.End().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_EQ(InfoOf(third.End()).reason(), "TOO_MANY_WATCHES");
  }
  const absl::Time end = absl::Now() + kPatience;
  while (server_->hub().Stats().open > 1 && absl::Now() < end) absl::SleepFor(absl::Milliseconds(1));
  EXPECT_EQ(Watch(*server_, std::nullopt).UpToBookmark(), "0");
}

TEST_F(WatchTest, ALogThatWasMissedEndsWatches) {
  Start({.poll_interval = absl::Milliseconds(20)});
  Watch watch(*server_, std::nullopt);
  EXPECT_EQ(watch.UpToBookmark(), "0");
  test::RunSql(*pool_,
               "BEGIN; UPDATE tasker.change_head SET revision = 9; UPDATE tasker.change_trim SET revision = 9; COMMIT");
  EXPECT_EQ(watch.End().error_code(), grpc::StatusCode::OUT_OF_RANGE);
}

TEST_F(WatchTest, EveryWatcherSeesEveryRevisionOnceWhereverItBegins) {
  constexpr int kRevisions = 150;
  constexpr int kWatchers = 12;
  Start({.tail_changes = 30});
  std::vector<std::thread> watchers;
  for (int i = 0; i < kWatchers; ++i) {
    watchers.emplace_back([this, i] {
      int64_t seen = 0;
      // Each comes back several times, some far behind.
      while (seen < kRevisions) {
        Watch watch(*server_, seen);
        for (int64_t stop = seen + 20 + i; seen < kRevisions && seen < stop;) {
          const auto message = watch.Next();
          if (!message) break;
          if (message->changes().empty()) {
            ASSERT_EQ(message->revision(), seen);
          } else {
            ASSERT_EQ(message->revision(), ++seen);
          }
        }
      }
    });
  }
  for (int i = 0; i < kRevisions; ++i) Add({"x"});
  for (std::thread& watcher : watchers) watcher.join();
}

}  // namespace
}  // namespace tasker::server
