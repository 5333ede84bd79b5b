#include "client/library/answer_cache.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tasker/registry/v1/resolver.pb.h"

namespace tasker::client {
namespace {

constexpr size_t kRoomy = size_t{64} << 20;

std::string TemplateOf(std::string_view reference) { return std::string(reference.substr(0, reference.find(':'))); }

std::shared_ptr<RememberedAnswer> MakeAnswer(const AnswerKey& key, const std::string& version) {
  auto answer = RememberedAnswer::Make(key, TemplateOf(key.reference));
  auto response = std::make_unique<pb::ResolveTemplateResponse>();
  response->set_reference(TemplateOf(key.reference) + ":" + version);
  answer->response = std::move(response);
  answer->version = version;
  return answer;
}

void Keep(AnswerCache& cache, const AnswerKey& key, const std::string& version) {
  const AnswerCache::Ticket ticket = cache.Board(key, TemplateOf(key.reference), nullptr);
  ASSERT_TRUE(ticket.leads);
  cache.Land(ticket.flight, MakeAnswer(key, version), /*keep=*/true);
}

bool HasCurrent(const AnswerCache& cache, const AnswerKey& key) {
  const AnswerHandle found = cache.Find(key);
  return found != nullptr && cache.is_current(*found);
}

AnswerKey Key(std::string_view reference, std::string_view environment = "") {
  return {AnswerKind::kTemplate, false, reference, environment, {}};
}

void Apply(AnswerCache& cache, int64_t revision, pb::ChangeKind kind, const std::string& name,
           const std::string& version) {
  google::protobuf::RepeatedPtrField<pb::Change> changes;
  pb::Change& change = *changes.Add();
  change.set_kind(kind);
  change.set_namespace_name("n");
  change.set_name(name);
  change.set_version(version);
  cache.Apply(changes, revision, /*complete=*/true);
}

TEST(AnswerCacheTest, FindsWhatItWasGivenByEveryPartOfTheKey) {
  AnswerCache cache(kRoomy);
  const AnswerKey keys[] = {
      Key("n/a:1.0.0", "x"),
      Key("n/a:1.0.0", ""),
      Key("n/a:1.0.0x", ""),
      Key("n/a:1.0.1", "x"),
      {AnswerKind::kTemplateJson, false, "n/a:1.0.0", "x", ""},
      {AnswerKind::kTemplate, true, "n/a:1.0.0", "x", ""},
      {AnswerKind::kHandler, false, "n/a:1.0.0", "x", ""},
      {AnswerKind::kHandler, false, "n/a:1.0.0", "x", "step"},
      {AnswerKind::kHandler, false, "n/a:1.0.0", "xs", "tep"},
  };
  for (const AnswerKey& key : keys) {
    EXPECT_EQ(cache.Find(key), nullptr);
    Keep(cache, key, "1.0.0");
  }
  for (const AnswerKey& key : keys) {
    const AnswerHandle found = cache.Find(key);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->asked.key(), key);
  }
}

TEST(AnswerCacheTest, FindsEachOfManyWhileItGrows) {
  AnswerCache cache(kRoomy);
  for (int i = 0; i < 2000; ++i) {
    Keep(cache, Key(fmt::format("namespace/a_template_with_a_long_name_{}:1.0.0", i), "environment"), "1.0.0");
    for (int j = 0; j <= i; j += 97) {
      ASSERT_NE(cache.Find(Key(fmt::format("namespace/a_template_with_a_long_name_{}:1.0.0", j), "environment")),
                nullptr);
    }
  }
  EXPECT_EQ(cache.GetCounts().entries, 2000);
}

TEST(AnswerCacheTest, HoldsNoMoreThanItsBytesAndLetsTheUnusedGoFirst) {
  AnswerCache cache(100'000);
  Keep(cache, Key("n/hot:1.0.0"), "1.0.0");
  for (int i = 0; i < 2000; ++i) {
    Keep(cache, Key(fmt::format("n/cold_{}:1.0.0", i)), "1.0.0");
    ASSERT_NE(cache.Find(Key("n/hot:1.0.0")), nullptr) << i;
    ASSERT_LE(cache.GetCounts().bytes, 100'000);
  }
  EXPECT_GT(cache.GetCounts().entries, 50);
  EXPECT_EQ(cache.Find(Key("n/cold_0:1.0.0")), nullptr);
}

TEST(AnswerCacheTest, HoldsNothingOfAnAnswerThatWentHoweverOftenItWasFound) {
  AnswerCache cache(kRoomy);
  Keep(cache, Key("n/a"), "1.0.0");
  std::weak_ptr<const RememberedAnswer> answer;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&cache] {
      for (int j = 0; j < 5; ++j) EXPECT_NE(cache.Find(Key("n/a")), nullptr);
    });
  }
  for (std::thread& thread : threads) thread.join();
  answer = cache.Find(Key("n/a"))->weak_from_this();
  AnswerHandle in_use;
  for (int i = 0; i < 5; ++i) in_use = cache.Find(Key("n/a"));
  Apply(cache, 1, pb::CHANGE_KIND_REGISTER, "a", "2.0.0");
  EXPECT_EQ(cache.Find(Key("n/a")), nullptr);
  EXPECT_EQ(in_use->version, "1.0.0") << "it stays valid for who has it";
  in_use.reset();
  EXPECT_TRUE(answer.expired());
}

TEST(AnswerCacheTest, KeepsNothingThatIsLargerThanTheWhole) {
  AnswerCache cache(1000);
  const AnswerKey key = Key("n/a:1.0.0");
  const AnswerCache::Ticket ticket = cache.Board(key, "n/a", nullptr);
  auto answer = MakeAnswer(key, "1.0.0");
  answer->refusal = absl::NotFoundError(std::string(5000, 'x'));
  cache.Land(ticket.flight, answer, /*keep=*/true);
  EXPECT_EQ(cache.Find(key), nullptr);
  EXPECT_EQ(cache.GetCounts().bytes, 0);
  EXPECT_EQ(*ticket.flight->result.get(), answer);
}

TEST(AnswerCacheTest, ForgetsWhatAChangeConcernsAndNothingElse) {
  struct Case {
    const char* name;
    pb::ChangeKind kind;
    bool exact_stays;  // of the version that the change names
  };
  for (const Case& c : {Case{"register", pb::CHANGE_KIND_REGISTER, true},
                        {"import", pb::CHANGE_KIND_IMPORT, true},
                        {"channel", pb::CHANGE_KIND_SET_CHANNEL, true},
                        {"deleted channel", pb::CHANGE_KIND_DELETE_CHANNEL, true},
                        {"deprecate", pb::CHANGE_KIND_DEPRECATE, false},
                        {"yank", pb::CHANGE_KIND_YANK, false},
                        {"restore", pb::CHANGE_KIND_RESTORE, false},
                        {"purge", pb::CHANGE_KIND_PURGE, false},
                        {"of a later version of the API", static_cast<pb::ChangeKind>(99), false}}) {
    SCOPED_TRACE(c.name);
    AnswerCache cache(kRoomy);
    cache.Reset(1);
    for (const char* const reference : {"n/a", "n/a:stable", "n/a:1.0.0", "n/a:2.0.0", "n/b", "n/ab:1.0.0"}) {
      Keep(cache, Key(reference), std::string_view(reference) == "n/a:1.0.0" ? "1.0.0" : "2.0.0");
    }
    Apply(cache, 2, c.kind, "a", "1.0.0");
    EXPECT_EQ(cache.Find(Key("n/a")), nullptr);
    EXPECT_EQ(cache.Find(Key("n/a:stable")), nullptr);
    EXPECT_EQ(HasCurrent(cache, Key("n/a:1.0.0")), c.exact_stays);
    EXPECT_EQ(cache.Find(Key("n/a:1.0.0")) == nullptr, c.kind == pb::CHANGE_KIND_PURGE);
    EXPECT_TRUE(HasCurrent(cache, Key("n/a:2.0.0")));
    EXPECT_TRUE(HasCurrent(cache, Key("n/b")));
    EXPECT_TRUE(HasCurrent(cache, Key("n/ab:1.0.0")));
  }
}

TEST(AnswerCacheTest, DoesNotKeepAnAnswerThatAChangeOvertook) {
  AnswerCache cache(kRoomy);
  cache.Reset(1);
  const AnswerKey key = Key("n/a");
  const AnswerCache::Ticket early = cache.Board(key, "n/a", nullptr);
  Apply(cache, 2, pb::CHANGE_KIND_REGISTER, "a", "2.0.0");
  const AnswerCache::Ticket late = cache.Board(key, "n/a", nullptr);
  EXPECT_TRUE(late.leads) << "who comes after the change must not wait for an answer from before it";
  EXPECT_EQ(late.flight->min_revision, 2);
  cache.Land(late.flight, MakeAnswer(key, "2.0.0"), /*keep=*/true);
  cache.Land(early.flight, MakeAnswer(key, "1.0.0"), /*keep=*/true);
  EXPECT_EQ(cache.Find(key)->version, "2.0.0");
}

TEST(AnswerCacheTest, IsNoLongerSureOfAnythingAfterAReset) {
  AnswerCache cache(kRoomy);
  cache.Reset(1);
  Keep(cache, Key("n/a"), "1.0.0");
  Keep(cache, Key("n/a:1.0.0"), "1.0.0");
  const AnswerCache::Ticket under_way = cache.Board(Key("n/b"), "n/b", nullptr);
  cache.Reset(9);
  cache.Land(under_way.flight, MakeAnswer(Key("n/b"), "1.0.0"), /*keep=*/true);
  EXPECT_FALSE(HasCurrent(cache, Key("n/a")));
  EXPECT_FALSE(HasCurrent(cache, Key("n/a:1.0.0")));
  EXPECT_NE(cache.Find(Key("n/a:1.0.0")), nullptr) << "the content of an exact version stays right";
  EXPECT_EQ(cache.Find(Key("n/b")), nullptr);
  EXPECT_EQ(cache.GetCounts().revision, 9);
}

TEST(AnswerCacheTest, GoesOnFromTheLastRevisionThatIsComplete) {
  AnswerCache cache(kRoomy);
  EXPECT_FALSE(cache.revision().has_value());
  cache.Resume(5);
  cache.Apply({}, 6, /*complete=*/false);
  EXPECT_EQ(cache.revision(), 5);
  EXPECT_EQ(cache.Board(Key("n/a"), "n/a", nullptr).flight->min_revision, 6);
  cache.Apply({}, 6, /*complete=*/true);
  EXPECT_EQ(cache.revision(), 6);
}

TEST(AnswerCacheTest, GivesOneQuestionToOneOfThoseWhoAsk) {
  AnswerCache cache(kRoomy);
  const AnswerKey key = Key("n/a");
  const AnswerCache::Ticket first = cache.Board(key, "n/a", nullptr);
  const AnswerCache::Ticket second = cache.Board(key, "n/a", nullptr);
  EXPECT_TRUE(first.leads);
  EXPECT_FALSE(second.leads);
  EXPECT_EQ(first.flight, second.flight);
  const auto answer = MakeAnswer(key, "1.0.0");
  cache.Land(first.flight, answer, /*keep=*/true);
  EXPECT_EQ(*second.flight->result.get(), answer);
  const AnswerCache::Ticket third = cache.Board(key, "n/a", nullptr);
  EXPECT_EQ(third.found, answer) << "kept between the look-up and the boarding";
}

TEST(AnswerCacheTest, ReadersAndWritersDoNotDisturbEachOther) {
  AnswerCache cache(50'000);  // some 70 answers, so that there is eviction
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int reader = 0; reader < 2; ++reader) {
    threads.emplace_back([&] {
      for (int i = 0; !stop; ++i) {
        const std::string reference = fmt::format("n/t{}:1.0.0", i % 500);
        const AnswerHandle found = cache.Find(Key(reference));
        EXPECT_TRUE(found == nullptr || found->asked.key().reference == reference);
      }
    });
  }
  for (int writer = 0; writer < 2; ++writer) {
    threads.emplace_back([&, writer] {
      for (int i = 0; i < 300; ++i) {
        const std::string name = fmt::format("t{}", (i * 7 + writer) % 500);
        const std::string reference = fmt::format("n/{}:1.0.0", name);
        const AnswerCache::Ticket ticket = cache.Board(Key(reference), "n/" + name, nullptr);
        if (ticket.leads) cache.Land(ticket.flight, MakeAnswer(Key(reference), "1.0.0"), /*keep=*/true);
        if (i % 10 == 0) Apply(cache, i, pb::CHANGE_KIND_PURGE, name, "1.0.0");
        if (i % 100 == 0) cache.Reset(i);
      }
    });
  }
  threads[2].join();
  threads[3].join();
  stop = true;
  threads[0].join();
  threads[1].join();
  EXPECT_LE(cache.GetCounts().bytes, 50'000);
}

}  // namespace
}  // namespace tasker::client
