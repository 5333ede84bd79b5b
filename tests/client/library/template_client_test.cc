#include "client/library/template_client.h"

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/client/library/fake_registry.h"

namespace tasker::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Bounds a hang; nothing is expected to take that long.
constexpr absl::Duration kPatience = absl::Seconds(60);

void WaitUntil(const std::function<bool()>& condition) {
  const absl::Time deadline = absl::Now() + kPatience;
  while (!condition()) {
    ASSERT_LT(absl::Now(), deadline) << "it did not come true";
    absl::SleepFor(absl::Milliseconds(1));
  }
}

class TemplateClientTest : public ::testing::Test {
 protected:
  TemplateClientTest() {
    options_.server.servers = {registry_.address()};
    options_.server.timeout = kPatience;
    options_.log = [this](const std::string& line) {
      const std::lock_guard lock(mutex_);
      log_ += line + "\n";
    };
    options_.on_change = [this](const pb::Change& change) {
      const std::lock_guard lock(mutex_);
      seen_.push_back(change.revision());
    };
    options_.on_gap = [this] { ++gaps_; };
    registry_.Point("n/a:1.0.0", "1.0.0");
    registry_.Point("n/a", "1.0.0");
  }
  ~TemplateClientTest() override { registry_.Release(); }

  void Start() {
    client_.reset();  // writes its snapshot before the next reads it
    auto client = TemplateClient::Create(options_);
    ASSERT_TRUE(client.ok()) << client.status();
    client_ = *std::move(client);
  }
  void StartAndWatch() {
    Start();
    WaitUntil([this] { return client_->GetStats().watching; });
  }
  void WaitForRevision(int64_t revision) {
    WaitUntil([&] { return client_->GetStats().revision == revision; });
  }
  std::string Version(std::string_view reference) {
    const auto answer = client_->Resolve({.reference = reference});
    if (!answer.ok()) return absl::StatusCodeToString(answer.status().code());
    const std::string& exact = answer->response->reference();
    return exact.substr(exact.rfind(':') + 1);
  }
  std::vector<int64_t> seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  std::string log() {
    const std::lock_guard lock(mutex_);
    return log_;
  }

  FakeRegistry registry_;
  TemplateClientOptions options_;
  std::mutex mutex_;
  std::string log_;
  std::vector<int64_t> seen_;
  std::atomic<int> gaps_{0};
  std::unique_ptr<TemplateClient> client_;  // last, so that it ends first
};

TEST_F(TemplateClientTest, AsksOnceForAnExactVersion) {
  StartAndWatch();
  const auto first = client_->Resolve({.reference = "n/a:1.0.0", .environment = "production"});
  const auto second = client_->Resolve({.reference = "n/a:1.0.0", .environment = "production"});
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->response, second->response) << "a hit copies nothing";
  EXPECT_EQ(first->response->environment(), "production");
  EXPECT_EQ(second->age, absl::ZeroDuration());
  EXPECT_EQ(registry_.resolutions(), 1);
}

TEST_F(TemplateClientTest, AsksOnceForTheHandlerOfAStep) {
  StartAndWatch();
  for (int i = 0; i < 2; ++i) {
    const auto answer = client_->ResolveHandler({.reference = "n/a:1.0.0", .environment = "", .step = "s"});
    ASSERT_TRUE(answer.ok());
    EXPECT_EQ(answer->response->step_name(), "s");
  }
  EXPECT_EQ(registry_.resolutions(), 1);
}

TEST_F(TemplateClientTest, AnswersASelectorFromMemoryUntilAChangeOfThatTemplate) {
  registry_.Point("n/b", "3.0.0");
  StartAndWatch();
  EXPECT_EQ(Version("n/a"), "1.0.0");
  EXPECT_EQ(Version("n/a"), "1.0.0");
  EXPECT_EQ(Version("n/b"), "3.0.0");
  EXPECT_EQ(registry_.resolutions(), 2);
  WaitForRevision(registry_.Promote("n/a", "2.0.0"));
  EXPECT_EQ(Version("n/a"), "2.0.0");
  EXPECT_EQ(Version("n/b"), "3.0.0");
  EXPECT_EQ(registry_.resolutions(), 3);
  EXPECT_EQ(registry_.last_min_revision(), 1) << "a server that lags behind must not answer";
}

TEST_F(TemplateClientTest, RemembersThatThereIsNoneUntilItIsRegistered) {
  StartAndWatch();
  EXPECT_EQ(Version("n/new"), "NOT_FOUND");
  EXPECT_EQ(Version("n/new"), "NOT_FOUND");
  EXPECT_EQ(registry_.resolutions(), 1);
  registry_.Point("n/new", "1.0.0");
  WaitForRevision(registry_.Change(pb::CHANGE_KIND_REGISTER, "n", "new", "1.0.0"));
  EXPECT_EQ(Version("n/new"), "1.0.0");
}

TEST_F(TemplateClientTest, RemembersARefusalOfAStepUntilAChangeOfItsTemplate) {
  const HandlerQuery query = {.reference = "n/a", .environment = "", .step = "absent"};
  StartAndWatch();
  registry_.Fail(1, grpc::StatusCode::FAILED_PRECONDITION);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(client_->ResolveHandler(query).status().code(), absl::StatusCode::kFailedPrecondition);
  }
  EXPECT_EQ(registry_.resolutions(), 1);
  WaitForRevision(registry_.Promote("n/b", "1.0.0"));
  EXPECT_EQ(client_->ResolveHandler(query).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(registry_.resolutions(), 1) << "it was another template's change";
  WaitForRevision(registry_.Promote("n/a", "2.0.0"));
  EXPECT_TRUE(client_->ResolveHandler(query).ok());
}

TEST_F(TemplateClientTest, HoldsNoMoreThanItsBytes) {
  options_.cache_bytes = 20'000;
  StartAndWatch();
  for (int i = 0; i < 100; ++i) {
    registry_.Point(fmt::format("n/t{}:1.0.0", i), "1.0.0");
    EXPECT_EQ(Version(fmt::format("n/t{}:1.0.0", i)), "1.0.0");
    EXPECT_EQ(Version("n/a:1.0.0"), "1.0.0");
    EXPECT_LE(client_->GetStats().bytes, options_.cache_bytes);
  }
  EXPECT_EQ(registry_.resolutions(), 101) << "what is used stays";
  EXPECT_EQ(Version("n/t0:1.0.0"), "1.0.0");
  EXPECT_EQ(registry_.resolutions(), 102) << "what is not used goes first";
}

TEST_F(TemplateClientTest, ForgetsANoticeOnItsChange) {
  StartAndWatch();
  EXPECT_EQ(Version("n/a:1.0.0"), "1.0.0");
  registry_.Deprecate("old");
  WaitForRevision(registry_.Change(pb::CHANGE_KIND_DEPRECATE, "n", "a", "1.0.0"));
  EXPECT_EQ(client_->Resolve({.reference = "n/a:1.0.0"})->response->state_notice().message(), "old");
  EXPECT_EQ(Version("n/a:1.0.0"), "1.0.0");
  EXPECT_EQ(registry_.resolutions(), 2);
}

TEST_F(TemplateClientTest, RefusesAMalformedReferenceWithoutACall) {
  Start();
  EXPECT_EQ(Version("no reference"), "INVALID_ARGUMENT");
  EXPECT_EQ(registry_.resolutions(), 0);
}

TEST_F(TemplateClientTest, LetsOneOfManyThreadsAsk) {
  StartAndWatch();
  registry_.Hold();
  std::vector<std::future<std::string>> answers;
  for (int i = 0; i < 8; ++i) answers.push_back(std::async(std::launch::async, [this] { return Version("n/a"); }));
  WaitUntil([this] { return registry_.waiting() == 1; });
  registry_.Release();
  for (auto& answer : answers) EXPECT_EQ(answer.get(), "1.0.0");
  EXPECT_EQ(registry_.resolutions(), 1);
}

TEST_F(TemplateClientTest, DoesNotKeepAnAnswerThatAChangeOvertook) {
  StartAndWatch();
  registry_.Hold();
  auto early = std::async(std::launch::async, [this] { return Version("n/a"); });
  WaitUntil([this] { return registry_.waiting() == 1; });
  WaitForRevision(registry_.Promote("n/a", "2.0.0"));
  auto late = std::async(std::launch::async, [this] { return Version("n/a"); });
  WaitUntil([this] { return registry_.waiting() == 2; });
  registry_.Release();
  EXPECT_EQ(early.get(), "1.0.0");
  EXPECT_EQ(late.get(), "2.0.0");
  EXPECT_EQ(Version("n/a"), "2.0.0");
  EXPECT_EQ(registry_.resolutions(), 2);
}

TEST_F(TemplateClientTest, SaysTheAgeOfASelectorsAnswerWhileChangesDoNotReachIt) {
  options_.max_staleness = absl::Hours(1);
  StartAndWatch();
  EXPECT_EQ(Version("n/a"), "1.0.0");
  EXPECT_EQ(Version("n/a:1.0.0"), "1.0.0");
  registry_.RefuseWatches(true);
  WaitUntil([this] { return !client_->GetStats().watching; });
  EXPECT_GT(client_->Resolve({.reference = "n/a"})->age, absl::ZeroDuration());
  EXPECT_EQ(client_->Resolve({.reference = "n/a:1.0.0"})->age, absl::ZeroDuration());
  EXPECT_EQ(registry_.resolutions(), 2);
  registry_.RefuseWatches(false);
  WaitUntil([this] { return client_->GetStats().watching; });
  EXPECT_EQ(client_->Resolve({.reference = "n/a"})->age, absl::ZeroDuration());
  EXPECT_EQ(registry_.resolutions(), 2);
}

TEST_F(TemplateClientTest, AsksForASelectorAnewBeyondTheStalenessThatIsAllowed) {
  options_.max_staleness = absl::ZeroDuration();
  StartAndWatch();
  EXPECT_EQ(Version("n/a"), "1.0.0");
  EXPECT_EQ(Version("n/a:1.0.0"), "1.0.0");
  registry_.RefuseWatches(true);
  WaitUntil([this] { return !client_->GetStats().watching; });
  registry_.Promote("n/a", "2.0.0");
  EXPECT_EQ(Version("n/a"), "2.0.0");
  registry_.Stop();
  options_.retries = 0;
  EXPECT_EQ(Version("n/a"), "UNAVAILABLE");
  EXPECT_EQ(Version("n/a:1.0.0"), "1.0.0");
}

TEST_F(TemplateClientTest, PassesOnAndDoesNotKeepWhatIsStaleAtTheServer) {
  StartAndWatch();
  registry_.BeStale(1500);
  EXPECT_EQ(client_->Resolve({.reference = "n/a"})->age, absl::Milliseconds(1500));
  registry_.BeStale(0);
  EXPECT_EQ(client_->Resolve({.reference = "n/a"})->age, absl::ZeroDuration());
  EXPECT_EQ(registry_.resolutions(), 2);
}

TEST_F(TemplateClientTest, GoesOnFromTheLastRevisionWhenAWatchBreaks) {
  StartAndWatch();
  registry_.Promote("n/a", "2.0.0");
  WaitForRevision(1);
  EXPECT_EQ(Version("n/a"), "2.0.0");
  registry_.RefuseWatches(true);
  WaitUntil([this] { return !client_->GetStats().watching; });
  registry_.Promote("n/a", "3.0.0");
  registry_.Promote("n/b", "1.0.0");
  registry_.RefuseWatches(false);
  WaitUntil([this] { return client_->GetStats().watching; });
  EXPECT_EQ(Version("n/a"), "3.0.0");
  EXPECT_THAT(seen(), ElementsAre(1, 2, 3));
  EXPECT_EQ(gaps_, 0);
}

TEST_F(TemplateClientTest, StartsAWatchAnewThatBringsNothingForTooLong) {
  options_.longest_silence = absl::Milliseconds(300);
  StartAndWatch();
  registry_.MuteWatches();
  registry_.Promote("n/a", "2.0.0");
  WaitForRevision(1);
  EXPECT_EQ(Version("n/a"), "2.0.0");
  EXPECT_THAT(seen(), ElementsAre(1));
  EXPECT_THAT(log(), HasSubstr("nothing was heard of the watch for 300ms"));
}

TEST_F(TemplateClientTest, AsksForEverythingAnewWhenChangesAreLost) {
  StartAndWatch();
  EXPECT_EQ(Version("n/a"), "1.0.0");
  EXPECT_EQ(Version("n/a:1.0.0"), "1.0.0");
  registry_.RefuseWatches(true);
  WaitUntil([this] { return !client_->GetStats().watching; });
  registry_.Promote("n/a", "2.0.0");
  registry_.Promote("n/a", "3.0.0");
  registry_.ForgetChangesBefore(2);
  registry_.RefuseWatches(false);
  WaitUntil([this] { return client_->GetStats().watching; });
  WaitUntil([this] { return gaps_ == 1; });
  EXPECT_THAT(seen(), IsEmpty());
  EXPECT_EQ(Version("n/a"), "3.0.0");
  EXPECT_EQ(Version("n/a:1.0.0"), "1.0.0");
  EXPECT_EQ(registry_.resolutions(), 4);
}

TEST_F(TemplateClientTest, ServesAnExactVersionEvenWhenItsNoticeIsUnknown) {
  options_.retries = 0;
  StartAndWatch();
  EXPECT_EQ(Version("n/a:1.0.0"), "1.0.0");
  WaitForRevision(registry_.Change(pb::CHANGE_KIND_YANK, "n", "a", "1.0.0"));
  registry_.Stop();
  EXPECT_EQ(Version("n/a:1.0.0"), "1.0.0");
}

TEST_F(TemplateClientTest, RepeatsACallThatMetUnavailable) {
  StartAndWatch();
  registry_.Fail(2, grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Version("n/a"), "1.0.0");
  EXPECT_EQ(registry_.resolutions(), 3);
}

TEST_F(TemplateClientTest, RepeatsNoCallThatMetAnotherFailureAndDoesNotRememberIt) {
  StartAndWatch();
  for (const grpc::StatusCode code :
       {grpc::StatusCode::CANCELLED, grpc::StatusCode::UNKNOWN, grpc::StatusCode::INVALID_ARGUMENT,
        grpc::StatusCode::DEADLINE_EXCEEDED, grpc::StatusCode::PERMISSION_DENIED, grpc::StatusCode::RESOURCE_EXHAUSTED,
        grpc::StatusCode::ABORTED, grpc::StatusCode::UNIMPLEMENTED, grpc::StatusCode::INTERNAL,
        grpc::StatusCode::DATA_LOSS, grpc::StatusCode::UNAUTHENTICATED}) {
    const std::string name = absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
    const int before = registry_.resolutions();
    registry_.Fail(1, code);
    EXPECT_EQ(Version("n/a:1.0.0"), name);
    EXPECT_EQ(registry_.resolutions(), before + 1) << name;
  }
  EXPECT_EQ(Version("n/a:1.0.0"), "1.0.0");
}

TEST_F(TemplateClientTest, AsksEachTimeForWhatIsNotRememberedAndForNoOlderRevisionThanItHasSeen) {
  StartAndWatch();
  WaitForRevision(registry_.Promote("n/a", "2.0.0"));
  const std::pair<const char*, std::function<bool()>> calls[] = {
      {"CheckCallables", [&] { return client_->CheckCallables({}).ok(); }},
      {"ValidateTaskInput", [&] { return client_->ValidateTaskInput({}).ok(); }},
      {"ValidateEventPayload", [&] { return client_->ValidateEventPayload({}).ok(); }}};
  for (const auto& [name, call] : calls) {
    SCOPED_TRACE(name);
    const int before = registry_.resolutions();
    registry_.Fail(1, grpc::StatusCode::UNAVAILABLE);
    EXPECT_TRUE(call() && call());
    EXPECT_EQ(registry_.resolutions(), before + 3) << "two calls, of which the first was repeated";
    EXPECT_EQ(registry_.last_min_revision(), 1);
  }
  pb::CheckCallablesRequest request;
  request.set_min_revision(7);
  EXPECT_TRUE(client_->CheckCallables(request).ok());
  EXPECT_EQ(registry_.last_min_revision(), 7) << "what the caller wants comes first";
}

TEST_F(TemplateClientTest, GivesUpWhenTheTimeoutIsOver) {
  options_.server.timeout = absl::Milliseconds(300);
  StartAndWatch();
  registry_.Hold();
  auto other = std::async(std::launch::async, [this] { return Version("n/a"); });
  EXPECT_EQ(Version("n/a"), "DEADLINE_EXCEEDED");
  EXPECT_EQ(other.get(), "DEADLINE_EXCEEDED");
}

TEST_F(TemplateClientTest, GivesUpAfterTheRetries) {
  options_.retries = 2;
  StartAndWatch();
  registry_.Fail(100, grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Version("n/a"), "UNAVAILABLE");
  EXPECT_EQ(registry_.resolutions(), 3);
}

TEST_F(TemplateClientTest, LeavesAServerOutThatCannotBeReached) {
  FakeRegistry other;
  other.Point("n/a", "1.0.0");
  other.Point("n/b", "1.0.0");
  options_.server.servers.push_back(other.address());
  options_.retries = 1;
  registry_.Stop();
  StartAndWatch();
  EXPECT_EQ(Version("n/a"), "1.0.0");
  EXPECT_EQ(Version("n/b"), "1.0.0");
  EXPECT_EQ(other.watches(), 1);
}

TEST_F(TemplateClientTest, AsksSeveralServersInTurn) {
  FakeRegistry other;
  options_.server.servers.push_back(other.address());
  Start();
  for (int i = 0; i < 100; ++i) Version(fmt::format("n/absent_{}", i));
  EXPECT_GT(registry_.resolutions(), 0);
  EXPECT_GT(other.resolutions(), 0);
}

TEST_F(TemplateClientTest, AsksTheAddressesOfOneNameInTurn) {
  FakeRegistry other;
  options_.server.servers = {"ipv4:" + registry_.address() + "," + other.address()};
  Start();
  // The first call may come before the second address is connected.
  WaitUntil([&] {
    Version(fmt::format("n/absent_{}", registry_.resolutions() + other.resolutions()));
    return registry_.resolutions() > 0 && other.resolutions() > 0;
  });
}

TEST_F(TemplateClientTest, EndsWhileItsWatchIsSilentOrItsServerAway) {
  StartAndWatch();
  client_.reset();
  registry_.Stop();
  Start();
  client_.reset();
}

TEST_F(TemplateClientTest, NeverGivesAnAnswerFromBeforeAChangeThatItHasTold) {
  StartAndWatch();
  std::atomic<int64_t> told{0};
  options_.on_change = [&](const pb::Change& change) { told = std::stoi(change.version()); };
  registry_.Point("n/a", "0.0.0");
  StartAndWatch();
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        const int64_t at_least = told;
        const int64_t got = std::stoi(Version("n/a"));
        EXPECT_GE(got, at_least);
      }
    });
  }
  for (int i = 1; i <= 200; ++i) {
    registry_.Promote("n/a", fmt::format("{}.0.0", i));
    if (i % 50 == 0) registry_.BreakWatches();
    absl::SleepFor(absl::Microseconds(200));
  }
  WaitUntil([&] { return told == 200; });
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Version("n/a"), "200.0.0");
}

class FolderTest : public TemplateClientTest {
 protected:
  FolderTest() {
    std::string folder = (std::filesystem::temp_directory_path() / "tasker-client-XXXXXX").string();
    folder_ = ::mkdtemp(folder.data());
  }
  ~FolderTest() override {
    client_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::filesystem::path folder_;
};

TEST_F(FolderTest, SendsTheTokenThatItsFileHoldsNow) {
  const std::string file = folder_ / "token";
  const auto write = [&](const char* text) { std::ofstream(file) << text; };
  write("first\n");
  options_.server.token_file = file;
  StartAndWatch();
  EXPECT_EQ(Version("n/a"), "1.0.0");
  EXPECT_EQ(registry_.authorization(), "Bearer first");
  EXPECT_EQ(registry_.watch_authorization(), "Bearer first");
  write("second\n");
  EXPECT_EQ(Version("n/b"), "NOT_FOUND");
  EXPECT_EQ(registry_.authorization(), "Bearer second");
  registry_.BreakWatches();
  WaitUntil([this] { return registry_.watch_authorization() == "Bearer second"; });
  write("");
  EXPECT_EQ(Version("n/c"), "NOT_FOUND");
  EXPECT_EQ(registry_.authorization(), "Bearer second") << "the last one, while a new one is written";
}

class SnapshotTest : public FolderTest {
 protected:
  SnapshotTest() {
    options_.snapshot_path = (folder_ / "answers").string();
    options_.retries = 0;
  }
  void FillAndStop() {
    StartAndWatch();
    EXPECT_EQ(Version("n/a"), "1.0.0");
    EXPECT_EQ(Version("n/a:1.0.0"), "1.0.0");
    client_.reset();
  }
};

TEST_F(SnapshotTest, LetsAWorkerStartWhileTheRegistryIsAway) {
  FillAndStop();
  registry_.Stop();
  Start();
  const auto exact = client_->Resolve({.reference = "n/a:1.0.0"});
  const auto selected = client_->Resolve({.reference = "n/a"});
  ASSERT_TRUE(exact.ok()) << exact.status();
  ASSERT_TRUE(selected.ok()) << selected.status();
  EXPECT_EQ(exact->age, absl::ZeroDuration());
  EXPECT_GT(selected->age, absl::ZeroDuration());
  EXPECT_EQ(Version("n/b"), "UNAVAILABLE");
}

TEST_F(SnapshotTest, IsCorrectedByTheChangesSinceIt) {
  FillAndStop();
  registry_.Promote("n/a", "2.0.0");
  registry_.Deprecate("old");
  registry_.Change(pb::CHANGE_KIND_DEPRECATE, "n", "a", "1.0.0");
  StartAndWatch();
  EXPECT_THAT(seen(), ElementsAre(1, 2));
  EXPECT_EQ(Version("n/a"), "2.0.0");
  EXPECT_EQ(client_->Resolve({.reference = "n/a:1.0.0"})->response->state_notice().message(), "old");
}

TEST_F(SnapshotTest, AsksForASelectorWhereTheRegistryIsThere) {
  FillAndStop();
  registry_.Point("n/a", "2.0.0");
  registry_.RefuseWatches(true);
  Start();
  EXPECT_EQ(Version("n/a"), "2.0.0");
}

TEST_F(SnapshotTest, IsLeftAloneWhereItCannotBeUsed) {
  FillAndStop();
  std::ifstream file(options_.snapshot_path, std::ios::binary);
  const std::string good((std::istreambuf_iterator<char>(file)), {});
  std::string flipped = good;
  flipped[good.size() / 2] = static_cast<char>(flipped[good.size() / 2] ^ 1);
  registry_.Stop();
  for (const auto& [name, bytes] : std::vector<std::pair<std::string, std::string>>{
           {"empty", ""},
           {"cut", good.substr(0, good.size() / 2)},
           {"cut in its head", good.substr(0, 40)},
           {"a bit flipped", flipped},
           {"longer", good + "x"},
           {"foreign",
            "\x7F"
            "ELF and so on"},
           {"of a later format", "tasker client snapshot 2" + good.substr(24)}}) {
    SCOPED_TRACE(name);
    log_.clear();
    std::ofstream(options_.snapshot_path, std::ios::binary | std::ios::trunc) << bytes;
    Start();
    EXPECT_EQ(Version("n/a:1.0.0"), "UNAVAILABLE");
    EXPECT_THAT(log(), HasSubstr("is not used"));
    client_.reset();
  }
}

TEST_F(SnapshotTest, OfAnotherRegistryIsNotUsed) {
  FillAndStop();
  options_.server.servers = {"127.0.0.1:1"};
  Start();
  EXPECT_EQ(Version("n/a:1.0.0"), "UNAVAILABLE");
  EXPECT_THAT(log(), HasSubstr("another registry"));
}

TEST_F(SnapshotTest, LeavesNothingBesideIt) {
  FillAndStop();
  FillAndStop();
  int files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_)) ++files;
  EXPECT_EQ(files, 1);
  EXPECT_EQ(std::filesystem::status(options_.snapshot_path).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(SnapshotTest, ThatCannotBeWrittenIsSaidInTheLog) {
  options_.snapshot_path = (folder_ / "absent" / "answers").string();
  FillAndStop();
  EXPECT_THAT(log(), HasSubstr("no snapshot is kept"));
}

TEST(TemplateClientCreateTest, RefusesOptionsThatContradictEachOther) {
  TemplateClientOptions options;
  options.server.servers = {};
  EXPECT_EQ(TemplateClient::Create(options).status().code(), absl::StatusCode::kInvalidArgument);
  options.server.servers = {"localhost"};
  options.server.token_file = "/nonexistent";
  EXPECT_EQ(TemplateClient::Create(options).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tasker::client
