// What the resolver answers from memory, and when it must not.
#include <gtest/gtest.h>

#include "lib/registry/lifecycle.h"
#include "tests/registry/fixture.h"

namespace tasker::registry {
namespace {

class RememberingTest : public RegistryTest {
 protected:
  RememberingTest() { Register(Yaml("charge", "1.0.0")); }

  static ResolveRequestView View(std::string_view reference) {
    ResolveRequestView view;
    view.reference = reference;
    return view;
  }
  absl::StatusOr<pb::ResolveTemplateResponse> Ask(const std::string& reference) {
    pb::ResolveTemplateRequest request;
    request.set_reference(reference);
    return Decoded(remembering_.Resolve(request, absl::InfiniteFuture()));
  }
  /// nullopt: memory does not know.
  std::optional<absl::StatusOr<pb::ResolveTemplateResponse>> Recall(const std::string& reference) {
    const auto reply = remembering_.Find(Resolver::Kind::kTemplate, View(reference));
    if (!reply) return std::nullopt;
    if (!reply->ok()) return reply->status();
    return Decoded((*reply)->Join());
  }
  static absl::StatusOr<pb::ResolveTemplateResponse> Decoded(const absl::StatusOr<AnswerBytes>& bytes) {
    if (!bytes.ok()) return bytes.status();
    pb::ResolveTemplateResponse response;
    EXPECT_TRUE(response.ParseFromString(**bytes));
    return response;
  }
  void RegisterHere(const std::string& yaml) {
    const auto response = registrar_here_.Register(Request(yaml), {});
    ASSERT_TRUE(response.ok()) << response.status();
  }

  absl::Duration age_ = absl::ZeroDuration();
  std::shared_ptr<TemplateLoader> remembering_loader_ = std::make_shared<TemplateLoader>(
      store_, 16 << 20, Selections::Options{.age = [this] { return age_; }, .max_staleness = absl::Seconds(10)});
  Resolver remembering_{remembering_loader_, 16 << 20};
  Registrar registrar_here_{store_, {}, remembering_loader_};
  Lifecycle lifecycle_{store_, remembering_loader_};
};

TEST_F(RememberingTest, AnswersEverySelectorFromMemoryWithTheExactAnswer) {
  for (const char* reference :
       {"payments/charge", "payments/charge:latest", "payments/charge:^1", "payments/charge:1"}) {
    EXPECT_FALSE(Recall(reference)) << reference;
    const auto asked = Ask(reference);
    ASSERT_TRUE(asked.ok()) << asked.status();
    const auto recalled = Recall(reference);
    ASSERT_TRUE(recalled) << reference;
    EXPECT_EQ((*recalled)->SerializeAsString(), asked->SerializeAsString()) << reference;
    EXPECT_EQ((*recalled)->stale_ms(), 0);
  }
}

TEST_F(RememberingTest, AWriteOfThisServerIsVisibleAtOnce) {
  ASSERT_TRUE(Ask("payments/charge").ok());
  RegisterHere(Yaml("charge", "1.1.0"));
  EXPECT_FALSE(Recall("payments/charge"));
  EXPECT_EQ(Ask("payments/charge")->reference(), "payments/charge:1.1.0");
  EXPECT_TRUE(Ask("payments/charge:1.0.0").ok());
  EXPECT_TRUE(Recall("payments/charge:1.0.0")) << "a new version leaves the others as they are";
}

TEST_F(RememberingTest, AChangeOfAnotherServerIsVisibleWhenItIsHeardOf) {
  ASSERT_TRUE(Ask("payments/charge").ok());
  Register(Yaml("charge", "1.1.0"));
  EXPECT_EQ((*Recall("payments/charge"))->reference(), "payments/charge:1.0.0");
  store::ChangeRow change;
  change.kind = "REGISTER";
  change.namespace_name = "payments";
  change.name = "charge";
  remembering_loader_->counters().Count(change);
  EXPECT_FALSE(Recall("payments/charge"));
  EXPECT_EQ(Ask("payments/charge")->reference(), "payments/charge:1.1.0");
}

TEST_F(RememberingTest, AChannelThatMovesIsForgotten) {
  RegisterHere(Yaml("charge", "2.0.0"));
  pb::SetChannelRequest request;
  request.set_reference("payments/charge");
  request.set_channel("stable");
  request.set_version("1.0.0");
  ASSERT_TRUE(lifecycle_.SetChannel(request, {}).ok());
  EXPECT_EQ(Ask("payments/charge:stable")->reference(), "payments/charge:1.0.0");
  EXPECT_EQ((*Recall("payments/charge:stable"))->reference(), "payments/charge:1.0.0");
  request.set_version("2.0.0");
  ASSERT_TRUE(lifecycle_.SetChannel(request, {}).ok());
  EXPECT_EQ(Ask("payments/charge:stable")->reference(), "payments/charge:2.0.0");
}

TEST_F(RememberingTest, ANoticeStandsBehindTheSameAnswerAndGoesAgain) {
  const auto before = Ask("payments/charge:1.0.0");
  ASSERT_TRUE(before.ok());
  pb::DeprecateTemplateRequest deprecate;
  deprecate.set_reference("payments/charge:1.0.0");
  deprecate.set_message("use 2");
  ASSERT_TRUE(lifecycle_.Deprecate(deprecate, {}).ok());
  EXPECT_FALSE(Recall("payments/charge:1.0.0"));
  EXPECT_EQ(Ask("payments/charge:1.0.0")->state_notice().message(), "use 2");
  const auto recalled = Recall("payments/charge:1.0.0");
  ASSERT_TRUE(recalled);
  EXPECT_EQ((*recalled)->state_notice().message(), "use 2");
  pb::RestoreTemplateRequest restore;
  restore.set_reference("payments/charge:1.0.0");
  ASSERT_TRUE(lifecycle_.Restore(restore, {}).ok());
  EXPECT_EQ(Ask("payments/charge:1.0.0")->SerializeAsString(), before->SerializeAsString());
}

TEST_F(RememberingTest, NotModifiedCarriesTheNoticeToo) {
  const std::string digest = Ask("payments/charge:1.0.0")->resolution_digest();
  pb::DeprecateTemplateRequest deprecate;
  deprecate.set_reference("payments/charge:1.0.0");
  deprecate.set_message("use 2");
  ASSERT_TRUE(lifecycle_.Deprecate(deprecate, {}).ok());
  ASSERT_TRUE(Ask("payments/charge:1.0.0").ok());
  ResolveRequestView view = View("payments/charge:1.0.0");
  view.if_not_digest = digest;
  const auto reply = remembering_.Find(Resolver::Kind::kTemplate, view);
  ASSERT_TRUE(reply && reply->ok());
  const auto response = Decoded((*reply)->Join());
  EXPECT_TRUE(response->not_modified());
  EXPECT_EQ(response->resolution_digest(), digest);
  EXPECT_EQ(response->state_notice().message(), "use 2");
  EXPECT_FALSE(response->has_template_());
}

TEST_F(RememberingTest, SaysHowOldASelectorIsAndStopsAtTheLimit) {
  ASSERT_TRUE(Ask("payments/charge").ok());
  ASSERT_TRUE(Ask("payments/charge:1.0.0").ok());
  age_ = absl::Seconds(6);
  EXPECT_EQ((*Recall("payments/charge"))->stale_ms(), 6000);
  EXPECT_EQ((*Recall("payments/charge:1.0.0"))->stale_ms(), 0) << "an exact version is never stale";
  age_ = absl::Seconds(60);
  EXPECT_FALSE(Recall("payments/charge"));
  EXPECT_TRUE(Recall("payments/charge:1.0.0"));
}

TEST_F(RememberingTest, RemembersWhatDoesNotExistUntilItDoes) {
  for (const char* reference : {"payments/refund", "payments/refund:1.0.0"}) {
    EXPECT_TRUE(absl::IsNotFound(Ask(reference).status()));
    const auto recalled = Recall(reference);
    ASSERT_TRUE(recalled) << reference;
    EXPECT_TRUE(absl::IsNotFound(recalled->status()));
  }
  RegisterHere(Yaml("refund", "1.0.0"));
  EXPECT_FALSE(Recall("payments/refund"));
  EXPECT_TRUE(Ask("payments/refund:1.0.0").ok());
}

}  // namespace
}  // namespace tasker::registry
