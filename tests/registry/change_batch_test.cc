#include "lib/registry/change_batch.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tasker::registry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

store::ChangeRow Row(int64_t revision, int ordinal, const std::string& namespace_name, const std::string& name) {
  store::ChangeRow row;
  row.revision = revision;
  row.ordinal = ordinal;
  row.kind = "REGISTER";
  row.namespace_name = namespace_name;
  row.name = name;
  row.detail = "{}";
  row.time = absl::FromUnixSeconds(7);
  return row;
}

std::vector<pb::WatchTemplatesResponse> Decoded(const std::vector<MessageBytes>& messages) {
  std::vector<pb::WatchTemplatesResponse> decoded;
  for (const MessageBytes& message : messages) EXPECT_TRUE(decoded.emplace_back().ParseFromString(*message));
  return decoded;
}

WatchFilter Filter(const std::vector<std::string>& namespaces, const std::vector<std::string>& references) {
  pb::WatchTemplatesRequest request;
  for (const std::string& name : namespaces) request.add_namespaces(name);
  for (const std::string& reference : references) request.add_references(reference);
  return WatchFilter::FromRequest(request).value();
}

TEST(ChangeBatchTest, ARowBecomesAChangeWithWhatItsKindHas) {
  store::ChangeRow row = Row(4, 0, "a", "b");
  row.kind = "SET_CHANNEL";
  row.version = "2.0.0";
  row.detail = R"({"channel": "stable", "old_version": "1.0.0", "message": "why", "replacement": "a/c",
                   "version_policy": "ENFORCE"})";
  const pb::Change change = ToProto(row);
  EXPECT_EQ(change.revision(), 4);
  EXPECT_EQ(change.kind(), pb::CHANGE_KIND_SET_CHANNEL);
  EXPECT_EQ(change.version(), "2.0.0");
  EXPECT_EQ(change.channel(), "stable");
  EXPECT_EQ(change.old_version(), "1.0.0");
  EXPECT_EQ(change.message(), "why");
  EXPECT_EQ(change.replacement(), "a/c");
  EXPECT_EQ(change.version_policy(), pb::VERSION_POLICY_ENFORCE);
  EXPECT_EQ(change.create_time().seconds(), 7);
}

TEST(ChangeBatchTest, EveryKindOfTheStoreIsOneOfTheApi) {
  for (const std::string_view kind : store::kChangeKinds) {
    store::ChangeRow row = Row(1, 0, "a", "b");
    row.kind = kind;
    EXPECT_EQ(ChangeKindWord(ToProto(row).kind()), kind);
  }
  EXPECT_EQ(static_cast<size_t>(pb::ChangeKind_ARRAYSIZE) - 1, std::size(store::kChangeKinds));
}

TEST(ChangeBatchTest, OneBatchForEachRevision) {
  const std::vector<store::ChangeRow> rows = {Row(1, 0, "a", "x"), Row(1, 1, "a", "y"), Row(2, 0, "a", "x")};
  const std::vector<ChangeBatchHandle> batches = MakeBatches(rows);
  ASSERT_THAT(batches, SizeIs(2));
  EXPECT_EQ(batches[0]->revision, 1);
  EXPECT_THAT(batches[0]->changes, SizeIs(2));
  EXPECT_THAT(batches[1]->changes, SizeIs(1));
}

TEST(ChangeBatchTest, ALargeRevisionComesInSeveralMessages) {
  std::vector<store::ChangeRow> rows;
  for (int i = 0; i < 2500; ++i) rows.push_back(Row(9, i, "a", fmt::format("t{}", i)));
  const auto messages = Decoded(MakeBatches(rows).front()->messages);
  ASSERT_THAT(messages, SizeIs(3));
  int next = 0;
  for (size_t i = 0; i < messages.size(); ++i) {
    EXPECT_EQ(messages[i].revision(), 9);
    EXPECT_EQ(messages[i].continued(), i + 1 < messages.size());
    for (const pb::Change& change : messages[i].changes()) EXPECT_EQ(change.name(), fmt::format("t{}", next++));
  }
  EXPECT_EQ(next, 2500);
}

TEST(ChangeBatchTest, MessagesStayFarBelowWhatClientsTake) {
  std::vector<store::ChangeRow> rows;
  for (int i = 0; i < 40; ++i) {
    rows.push_back(Row(9, i, "a", "t"));
    rows.back().source_uri = std::string(100'000, 'u');
  }
  const ChangeBatchHandle batch = MakeBatches(rows).front();
  for (const MessageBytes& message : batch->messages) EXPECT_LT(message->size(), 2u << 20);
}

TEST(WatchFilterTest, WithoutNamesEverybodySharesTheSameBytes) {
  const std::vector<store::ChangeRow> rows = {Row(1, 0, "a", "x"), Row(1, 1, "b", "y")};
  const ChangeBatchHandle batch = MakeBatches(rows).front();
  EXPECT_EQ(Filter({}, {}).Messages(*batch), batch->messages);
  EXPECT_EQ(Filter({"a", "b"}, {}).Messages(*batch), batch->messages);
}

TEST(WatchFilterTest, GivesOnlyWhatIsWanted) {
  const std::vector<store::ChangeRow> rows = {Row(1, 0, "a", "x"), Row(1, 1, "b", "y"), Row(1, 2, "b", "z"),
                                              Row(1, 3, "b", "")};
  const ChangeBatchHandle batch = MakeBatches(rows).front();
  const auto names = [&](const WatchFilter& filter) {
    std::vector<std::string> found;
    for (const auto& message : Decoded(filter.Messages(*batch))) {
      for (const pb::Change& change : message.changes()) found.push_back(change.namespace_name() + "/" + change.name());
    }
    return found;
  };
  EXPECT_THAT(names(Filter({"a"}, {})), ElementsAre("a/x"));
  EXPECT_THAT(names(Filter({}, {"b/z"})), ElementsAre("b/z"));
  EXPECT_THAT(names(Filter({"a"}, {"b/y"})), ElementsAre("a/x", "b/y"));
  EXPECT_THAT(names(Filter({"b"}, {})), ElementsAre("b/y", "b/z", "b/"));
  EXPECT_THAT(names(Filter({"c"}, {"a/y"})), IsEmpty());
}

TEST(WatchFilterTest, RefusesWhatIsNoName) {
  pb::WatchTemplatesRequest request;
  request.add_namespaces("a b");
  EXPECT_TRUE(absl::IsInvalidArgument(WatchFilter::FromRequest(request).status()));
  request.Clear();
  for (const char* reference : {"a", "a/b:1.0.0", "a/b:stable", "", "a/b/c"}) {
    request.clear_references();
    request.add_references(reference);
    EXPECT_TRUE(absl::IsInvalidArgument(WatchFilter::FromRequest(request).status())) << reference;
  }
  request.Clear();
  for (int i = 0; i <= WatchFilter::kMaxNames; ++i) request.add_namespaces("a");
  EXPECT_TRUE(absl::IsInvalidArgument(WatchFilter::FromRequest(request).status()));
}

}  // namespace
}  // namespace tasker::registry
