#include "lib/registry/lifecycle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/registry/error.h"
#include "tests/registry/fixture.h"

namespace tasker::registry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr absl::Time kNoDeadline = absl::InfiniteFuture();

class LifecycleUseTest : public RegistryTest {
 protected:
  static std::string Reason(const absl::Status& status) { return DetailOf(status).reason; }
  static std::string Text(const absl::Status& status) { return std::string(status.message()); }

  absl::StatusOr<pb::SetChannelResponse> Set(const std::string& channel, const std::string& version,
                                             const std::optional<std::string>& expected = std::nullopt,
                                             const std::string& reference = "payments/refund") {
    pb::SetChannelRequest request;
    request.set_reference(reference);
    request.set_channel(channel);
    request.set_version(version);
    if (expected) request.set_expected_version(*expected);
    return lifecycle_.SetChannel(request, {"ann", "::1"});
  }
  absl::Status Yank(const std::string& reference, const std::string& reason = "bad") {
    pb::YankTemplateRequest request;
    request.set_reference(reference);
    request.set_reason(reason);
    return lifecycle_.Yank(request, {"ann", "::1"}).status();
  }
  absl::Status Deprecate(const std::string& reference, const std::string& message = "old",
                         const std::string& replacement = "") {
    pb::DeprecateTemplateRequest request;
    request.set_reference(reference);
    request.set_message(message);
    request.set_replacement(replacement);
    return lifecycle_.Deprecate(request, {"ann", "::1"}).status();
  }
  absl::Status Restore(const std::string& reference) {
    pb::RestoreTemplateRequest request;
    request.set_reference(reference);
    return lifecycle_.Restore(request, {"ann", "::1"}).status();
  }
  absl::StatusOr<pb::PurgeTemplateResponse> Purge(const std::string& reference, const std::string& reason = "") {
    pb::PurgeTemplateRequest request;
    request.set_reference(reference);
    request.set_reason(reason);
    return lifecycle_.Purge(request, {"ann", "::1"});
  }
  absl::StatusOr<pb::ResolveTemplateResponse> Resolve(const std::string& reference) {
    pb::ResolveTemplateRequest request;
    request.set_reference(reference);
    if (const auto known = resolver_.Find(request)) return Decode<pb::ResolveTemplateResponse>(*known);
    return Decode<pb::ResolveTemplateResponse>(resolver_.Resolve(request, kNoDeadline));
  }
  absl::StatusOr<pb::ResolveHandlerResponse> ResolveHandler(const std::string& reference) {
    pb::ResolveHandlerRequest request;
    request.set_reference(reference);
    request.set_step_name("pay");
    return Decode<pb::ResolveHandlerResponse>(resolver_.Resolve(request, kNoDeadline));
  }
  template <typename Response>
  static absl::StatusOr<Response> Decode(const absl::StatusOr<AnswerBytes>& answer) {
    if (!answer.ok()) return answer.status();
    Response response;
    EXPECT_TRUE(response.ParseFromString(**answer));
    return response;
  }
};

TEST_F(LifecycleUseTest, AChannelResolvesToWhereItPoints) {
  Register(Yaml("refund", "1.0.0"));
  Register(Yaml("refund", "1.1.0"));
  const auto set = Set("stable", "1.0.0");
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->reference(), "payments/refund:1.0.0");
  EXPECT_EQ(set->revision(), 3);
  EXPECT_EQ(Resolve("payments/refund:stable")->reference(), "payments/refund:1.0.0");
  const auto moved = Set("stable", "^1");
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_EQ(moved->version(), "1.1.0") << "a selector is resolved first";
  EXPECT_EQ(moved->old_version(), "1.0.0");
  EXPECT_EQ(Resolve("payments/refund:stable")->reference(), "payments/refund:1.1.0");
  EXPECT_EQ(Set("canary", "stable")->version(), "1.1.0");
  const std::string digest = Resolve("payments/refund:1.0.0")->digest();
  EXPECT_EQ(Set("canary", digest)->version(), "1.0.0");
}

TEST_F(LifecycleUseTest, RefusesChannelNamesThatReadAsSomethingElse) {
  Register(Yaml("refund", "1.0.0"));
  for (const char* name : {"", "latest", "1", "1.2", "1.0.0", "2024", "0x", "a b", "-a", "^1", "a:b"}) {
    const auto set = Set(name, "1.0.0");
    EXPECT_EQ(set.status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(DetailOf(set.status()).violations.at(0).field, "channel") << name;
  }
  EXPECT_TRUE(Set("v1.2", "1.0.0").ok());
  EXPECT_TRUE(Set("_x", "1.0.0").ok());
}

TEST_F(LifecycleUseTest, SaysWhatIsWrongWithARequestForAChannel) {
  Register(Yaml("refund", "1.0.0"));
  EXPECT_EQ(Reason(Set("stable", "").status()), "REQUEST_INVALID");
  EXPECT_EQ(Reason(Set("stable", "1.0.x!").status()), "REQUEST_INVALID");
  EXPECT_EQ(Reason(Set("stable", "1.0.0", "1.0").status()), "REQUEST_INVALID");
  EXPECT_EQ(Reason(Set("stable", "1.0.0", std::nullopt, "payments/refund:1.0.0").status()), "REQUEST_INVALID");
  EXPECT_EQ(Reason(Set("stable", "1.0.1").status()), "VERSION_NOT_FOUND");
  EXPECT_EQ(Reason(Set("stable", "1.0.0", std::nullopt, "payments/refunt").status()), "TEMPLATE_NOT_FOUND");
  EXPECT_EQ(Reason(Set("stable", "^2").status()), "VERSION_NOT_FOUND");
}

TEST_F(LifecycleUseTest, ACompareAndSwapThatLosesNamesWhereTheChannelPoints) {
  Register(Yaml("refund", "1.0.0"));
  Register(Yaml("refund", "1.1.0"));
  const auto absent = Set("stable", "1.0.0", "1.1.0");
  EXPECT_EQ(absent.status().code(), absl::StatusCode::kAborted);
  EXPECT_THAT(Text(absent.status()), HasSubstr("has no channel 'stable'"));
  ASSERT_TRUE(Set("stable", "1.0.0", "").ok());
  const auto moved = Set("stable", "1.1.0", "1.1.0");
  EXPECT_EQ(moved.status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Reason(moved.status()), "CHANNEL_MOVED");
  EXPECT_EQ(DetailOf(moved.status()).metadata.at("version"), "1.0.0");
  EXPECT_THAT(Text(moved.status()), HasSubstr("points at 1.0.0"));
}

TEST_F(LifecycleUseTest, DeletesAChannel) {
  Register(Yaml("refund", "1.0.0"));
  Set("stable", "1.0.0").value();
  pb::DeleteChannelRequest request;
  request.set_reference("payments/refund");
  request.set_channel("stabel");
  const auto misspelt = lifecycle_.DeleteChannel(request, {});
  EXPECT_EQ(Reason(misspelt.status()), "CHANNEL_NOT_FOUND");
  EXPECT_EQ(DetailOf(misspelt.status()).metadata.at("nearest"), "stable");
  request.set_channel("stable");
  request.set_expected_version("2.0.0");
  EXPECT_EQ(Reason(lifecycle_.DeleteChannel(request, {}).status()), "CHANNEL_MOVED");
  request.set_expected_version("");
  EXPECT_EQ(Reason(lifecycle_.DeleteChannel(request, {}).status()), "REQUEST_INVALID");
  request.set_expected_version("1.0.0");
  const auto deleted = lifecycle_.DeleteChannel(request, {});
  ASSERT_TRUE(deleted.ok()) << deleted.status();
  EXPECT_EQ(deleted->old_version(), "1.0.0");
  EXPECT_EQ(Reason(Resolve("payments/refund:stable").status()), "CHANNEL_NOT_FOUND");
}

TEST_F(LifecycleUseTest, AnswersCarryTheNoticeThatHolds) {
  Register(Yaml("refund", "1.0.0"));
  const std::string exact = "payments/refund:1.0.0";
  EXPECT_FALSE(Resolve(exact)->has_state_notice());
  EXPECT_FALSE(ResolveHandler(exact)->has_state_notice());
  ASSERT_TRUE(Deprecate(exact, "old", "payments/refund:^2").ok());
  for (int time = 0; time < 2; ++time) {  // from the database, then from memory
    const auto resolved = Resolve(exact);
    ASSERT_TRUE(resolved.ok()) << resolved.status();
    EXPECT_EQ(resolved->state_notice().state(), pb::TEMPLATE_STATE_DEPRECATED);
    EXPECT_EQ(resolved->state_notice().message(), "old");
    EXPECT_EQ(resolved->state_notice().replacement(), "payments/refund:^2");
    EXPECT_EQ(resolved->state_notice().actor(), "ann");
    EXPECT_GT(resolved->state_notice().change_time().seconds(), 0);
    EXPECT_EQ(resolved->template_().name(), "refund") << "and everything else";
    EXPECT_EQ(ResolveHandler(exact)->state_notice().message(), "old");
    EXPECT_EQ(Resolve("payments/refund")->state_notice().message(), "old");
  }
  ASSERT_TRUE(Deprecate(exact, "older").ok());
  EXPECT_EQ(Resolve(exact)->state_notice().message(), "older");
  ASSERT_TRUE(Yank(exact).ok());
  EXPECT_EQ(Resolve(exact)->state_notice().state(), pb::TEMPLATE_STATE_YANKED);
  ASSERT_TRUE(Restore(exact).ok());
  EXPECT_FALSE(Resolve(exact)->has_state_notice());
}

TEST_F(LifecycleUseTest, AnUnmodifiedAnswerCarriesTheNoticeToo) {
  Register(Yaml("refund", "1.0.0"));
  pb::ResolveTemplateRequest request;
  request.set_reference("payments/refund:1.0.0");
  request.set_if_not_digest(Resolve(request.reference())->resolution_digest());
  ASSERT_TRUE(Deprecate(request.reference()).ok());
  const auto answer = Decode<pb::ResolveTemplateResponse>(resolver_.Resolve(request, kNoDeadline));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_TRUE(answer->not_modified());
  EXPECT_EQ(answer->state_notice().message(), "old");
}

TEST_F(LifecycleUseTest, OnlyExactReferencesFindAYankedVersion) {
  Register(Yaml("refund", "1.0.0"));
  Register(Yaml("refund", "1.1.0"));
  Set("stable", "1.1.0").value();
  const std::string digest = Resolve("payments/refund:1.1.0")->digest();
  ASSERT_TRUE(Yank("payments/refund:1.1.0", "charges twice").ok());
  EXPECT_EQ(Resolve("payments/refund")->reference(), "payments/refund:1.0.0");
  EXPECT_EQ(Resolve("payments/refund:^1")->reference(), "payments/refund:1.0.0");
  EXPECT_EQ(Resolve("payments/refund:1.1.0")->reference(), "payments/refund:1.1.0");
  EXPECT_EQ(Resolve("payments/refund@" + digest)->state_notice().message(), "charges twice");
  const auto by_channel = Resolve("payments/refund:stable");
  EXPECT_EQ(by_channel.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Reason(by_channel.status()), "CHANNEL_YANKED");
  EXPECT_THAT(Text(by_channel.status()), HasSubstr("1.1.0, which is yanked (charges twice)"));
  EXPECT_EQ(Reason(Set("canary", "1.1.0").status()), "VERSION_YANKED");
  EXPECT_EQ(Reason(Deprecate("payments/refund:1.1.0")), "VERSION_YANKED");
  ASSERT_TRUE(Yank("payments/refund:1.0.0").ok());
  EXPECT_THAT(Text(Resolve("payments/refund").status()), HasSubstr("no version that is not yanked"));
  EXPECT_THAT(Text(Resolve("payments/refund:^1").status()), HasSubstr("no version ^1 that is not yanked"));
}

TEST_F(LifecycleUseTest, YankNamesTheChannelsThatFindNothingNow) {
  Register(Yaml("refund", "1.0.0"));
  Set("stable", "1.0.0").value();
  Set("canary", "1.0.0").value();
  pb::YankTemplateRequest request;
  request.set_reference("payments/refund:1.0.0");
  EXPECT_THAT(lifecycle_.Yank(request, {})->channels(), ElementsAre("canary", "stable"));
}

TEST_F(LifecycleUseTest, StatesTakeExactReferencesOnly) {
  Register(Yaml("refund", "1.0.0"));
  for (const char* reference : {"payments/refund", "payments/refund:latest", "payments/refund:^1",
                                "payments/refund:1.0", "payments/refund:stable"}) {
    for (const absl::Status& status :
         {Deprecate(reference), Yank(reference), Restore(reference), Purge(reference).status()}) {
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << reference;
      EXPECT_THAT(Text(status), HasSubstr("may mean another version tomorrow"));
    }
  }
  EXPECT_EQ(Reason(Yank("payments/refund:2.0.0")), "VERSION_NOT_FOUND");
  EXPECT_EQ(Reason(Yank("payments")), "REFERENCE_MALFORMED");
  EXPECT_EQ(Reason(Yank("payments/refund:1.0.0", std::string(3000, 'x'))), "REQUEST_INVALID");
  EXPECT_EQ(Reason(Yank("payments/refund:1.0.0", std::string("a\0b", 3))), "REQUEST_INVALID");
  EXPECT_EQ(Reason(Deprecate("payments/refund:1.0.0", "", "nonsense")), "REQUEST_INVALID");
}

TEST_F(LifecycleUseTest, APurgedVersionIsGoneFromMemoryToo) {
  Register(Yaml("refund", "1.0.0"));
  Register(Yaml("refund", "2.0.0"));
  const std::string exact = "payments/refund:1.0.0";
  const std::string digest = Resolve(exact)->digest();
  EXPECT_EQ(Reason(Purge(exact).status()), "VERSION_NOT_YANKED");
  Set("stable", "1.0.0").value();
  ASSERT_TRUE(Yank(exact).ok());
  EXPECT_TRUE(Resolve(exact).ok());
  const auto pointed_at = Purge(exact).status();
  EXPECT_EQ(Reason(pointed_at), "CHANNEL_POINTS_HERE");
  EXPECT_THAT(Text(pointed_at), HasSubstr("stable"));
  Set("stable", "2.0.0").value();
  const auto purged = Purge(exact, "leaked a secret");
  ASSERT_TRUE(purged.ok()) << purged.status();
  EXPECT_EQ(purged->digest(), digest);
  for (const std::string& reference : {exact, "payments/refund@" + digest}) {
    const auto resolved = Resolve(reference);
    EXPECT_EQ(Reason(resolved.status()), "VERSION_PURGED") << reference;
    EXPECT_THAT(Text(resolved.status()), HasSubstr("payments/refund:1.0.0 was purged at 20"));
    EXPECT_THAT(Text(resolved.status()), HasSubstr("(leaked a secret)"));
  }
  EXPECT_EQ(Reason(loader_->Load(exact, kNoDeadline).status()), "VERSION_PURGED");
  const auto other = registrar_.Register(Request(Yaml("refund", "1.0.0", "description: other\n")), {});
  EXPECT_EQ(other.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Reason(other.status()), "VERSION_PURGED");
  EXPECT_THAT(Text(other.status()), HasSubstr("leaked a secret"));
  Register(Yaml("refund", "1.0.0"));
  EXPECT_TRUE(Resolve(exact).ok());
}

TEST_F(LifecycleUseTest, GetTemplateTellsStateAndChannels) {
  Register(Yaml("refund", "1.0.0"));
  Set("stable", "1.0.0").value();
  ASSERT_TRUE(Deprecate("payments/refund:1.0.0").ok());
  pb::GetTemplateRequest request;
  request.set_reference("payments/refund:stable");
  const auto got = catalog_.GetTemplate(request, kNoDeadline);
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_THAT(got->channels(), ElementsAre("stable"));
  EXPECT_EQ(got->state_notice().message(), "old");
}

TEST_F(LifecycleUseTest, SetsAVersionPolicy) {
  pb::SetVersionPolicyRequest request;
  request.set_namespace_name("payments");
  EXPECT_EQ(Reason(lifecycle_.SetVersionPolicy(request, {}).status()), "REQUEST_INVALID");
  request.set_policy(pb::VERSION_POLICY_WARN);
  const auto set = lifecycle_.SetVersionPolicy(request, {});
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->old_policy(), pb::VERSION_POLICY_NONE);
  EXPECT_EQ(set->policy(), pb::VERSION_POLICY_WARN);
  EXPECT_EQ(set->revision(), 1);
  request.set_namespace_name("no/name");
  EXPECT_EQ(Reason(lifecycle_.SetVersionPolicy(request, {}).status()), "REQUEST_INVALID");
}

TEST_F(LifecycleUseTest, RegisteringMovesChannelsToTheHighestVersionOfTheBatch) {
  pb::RegisterTemplatesRequest request;
  request.add_sources()->set_yaml(Yaml("refund", "1.10.0"));
  request.add_sources()->set_yaml(Yaml("refund", "1.9.0"));
  request.add_sources()->set_yaml(Yaml("charge", "0.1.0"));
  request.add_channels("stable");
  const auto registered = registrar_.Register(request, {});
  ASSERT_TRUE(registered.ok()) << registered.status();
  EXPECT_EQ(registered->revision(), 1);
  EXPECT_EQ(Resolve("payments/refund:stable")->reference(), "payments/refund:1.10.0");
  EXPECT_EQ(Resolve("payments/charge:stable")->reference(), "payments/charge:0.1.0");
  EXPECT_EQ(registrar_.Register(request, {})->revision(), 1) << "the first that holds it all";
}

TEST_F(LifecycleUseTest, RegisteringRefusesChannelsThatCannotBe) {
  pb::RegisterTemplateRequest request = Request(Yaml("refund", "1.0.0"));
  request.add_channels("latest");
  const auto refused = registrar_.Register(request, {});
  EXPECT_EQ(DetailOf(refused.status()).violations.at(0).field, "channels[0]");
  request.set_channels(0, "stable");
  Register(Yaml("refund", "1.0.0"));
  ASSERT_TRUE(Yank("payments/refund:1.0.0").ok());
  const auto yanked = registrar_.Register(request, {});
  EXPECT_EQ(yanked.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Reason(yanked.status()), "VERSION_YANKED");
}

TEST_F(LifecycleUseTest, WarnsOfAnEventThatHasAnotherSchemaInItsNamespace) {
  const auto events = [](const std::string& type) {
    return "domain_events:\n  - {name: other}\n  - {name: moved, schema: {type: " + type + "}}\n";
  };
  Register(Yaml("refund", "1.0.0", events("object")));
  for (const bool dry_run : {true, false}) {
    const auto response = registrar_.Register(Request(Yaml("charge", "1.0.0", events("array")), dry_run), {});
    ASSERT_TRUE(response.ok()) << response.status();
    std::vector<std::string> found;
    for (const pb::Issue& issue : response->registration().issues()) {
      if (issue.code() != "EVENT_SCHEMA_DIFFERS") continue;
      EXPECT_EQ(issue.severity(), pb::SEVERITY_WARNING);
      EXPECT_EQ(issue.path(), "/domain_events/1");
      EXPECT_EQ(issue.line(), 7);
      found.push_back(issue.message());
    }
    EXPECT_THAT(found, ElementsAre("event 'moved' has another schema in payments/refund:1.0.0"));
  }
  pb::ValidateTemplateRequest validate;
  validate.mutable_source()->set_yaml(Yaml("other", "1.0.0", events("string")));
  const auto validated = registrar_.Validate(validate, {});
  ASSERT_TRUE(validated.ok());
  EXPECT_TRUE(validated->valid());
  EXPECT_TRUE(std::any_of(validated->issues().begin(), validated->issues().end(),
                          [](const pb::Issue& issue) { return issue.code() == "EVENT_SCHEMA_DIFFERS"; }));
}

}  // namespace
}  // namespace tasker::registry
