#include "client/library/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include "client/library/feed.h"
#include "tasker/registry/v1/resolver.pb.h"

namespace tasker::client {
namespace {

constexpr size_t kRoomy = size_t{64} << 20;

class SnapshotFileTest : public ::testing::Test {
 protected:
  SnapshotFileTest() {
    std::string folder = (std::filesystem::temp_directory_path() / "tasker-snapshot-XXXXXX").string();
    folder_ = ::mkdtemp(folder.data());
    path_ = (folder_ / "answers").string();
  }
  ~SnapshotFileTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
  std::string path_;
};

std::shared_ptr<RememberedAnswer> MakeAnswer(const AnswerKey& key,
                                             std::unique_ptr<const google::protobuf::Message> response) {
  auto answer = RememberedAnswer::Make(key, "a_namespace_that_is_long/a_template_that_is_long");
  answer->response = std::move(response);
  answer->version = "1.0.0";
  return answer;
}

TEST_F(SnapshotFileTest, GivesBackWhatItWasGiven) {
  constexpr std::string_view kExact = "a_namespace_that_is_long/a_template_that_is_long:1.0.0";
  const AnswerKey keys[] = {
      {AnswerKind::kTemplate, false, kExact, "an_environment_that_is_long", ""},
      {AnswerKind::kTemplateJson, true, kExact, "", ""},
      {AnswerKind::kHandler, false, kExact, "an_environment_that_is_long", "a_step_with_a_long_name"},
      {AnswerKind::kTemplate, false, "a_namespace_that_is_long/a_template_that_is_long", "", ""},
  };
  AnswerCache cache(kRoomy);
  cache.Resume(41);
  for (const AnswerKey& key : keys) {
    if (key.kind == AnswerKind::kHandler) {
      auto response = std::make_unique<pb::ResolveHandlerResponse>();
      response->set_step_name(std::string(key.step));
      cache.Restore(MakeAnswer(key, std::move(response)), /*current=*/true);
    } else {
      auto response = std::make_unique<pb::ResolveTemplateResponse>();
      response->set_reference(std::string(key.reference) + std::string(1000, 'x'));
      cache.Restore(MakeAnswer(key, std::move(response)), /*current=*/true);
    }
  }
  auto refusal = RememberedAnswer::Make(AnswerKey{AnswerKind::kTemplate, false, "n/none", "", ""}, "n/none");
  refusal->refusal = absl::NotFoundError("none");
  cache.Restore(refusal, /*current=*/false);

  ASSERT_EQ(SaveSnapshot(path_, "here", cache, SteadyNow()), absl::OkStatus());
  const absl::StatusOr<Snapshot> loaded = LoadSnapshot(path_, "here", kRoomy);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->revision, 41);
  ASSERT_EQ(loaded->items.size(), std::size(keys)) << "the refusal is not kept";
  for (const Snapshot::Item& item : loaded->items) {
    const AnswerHandle before = cache.Find(item.answer->asked.key());
    ASSERT_NE(before, nullptr);
    EXPECT_EQ(item.answer->response->SerializeAsString(), before->response->SerializeAsString());
    EXPECT_EQ(item.answer->template_name, before->template_name);
    EXPECT_EQ(item.answer->version, "1.0.0");
    EXPECT_EQ(item.current, before->exact());
  }
}

TEST_F(SnapshotFileTest, KeepsNoRevisionWhereThereWasNone) {
  ASSERT_EQ(SaveSnapshot(path_, "here", AnswerCache(kRoomy), SteadyNow()), absl::OkStatus());
  const absl::StatusOr<Snapshot> loaded = LoadSnapshot(path_, "here", kRoomy);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_FALSE(loaded->revision.has_value());
  EXPECT_TRUE(loaded->items.empty());
}

TEST_F(SnapshotFileTest, RefusesWhatIsNotItsOwn) {
  EXPECT_EQ(LoadSnapshot(path_, "here", kRoomy).status().code(), absl::StatusCode::kNotFound);
  ASSERT_EQ(SaveSnapshot(path_, "here", AnswerCache(kRoomy), SteadyNow()), absl::OkStatus());
  EXPECT_EQ(LoadSnapshot(path_, "there", kRoomy).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(LoadSnapshot(path_, "here", 10).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(LoadSnapshot(folder_.string(), "here", kRoomy).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tasker::client
