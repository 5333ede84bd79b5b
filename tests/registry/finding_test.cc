#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "lib/registry/batch_resolver.h"
#include "lib/registry/callable_checker.h"
#include "lib/registry/error.h"
#include "lib/registry/lifecycle.h"
#include "tests/registry/fixture.h"

namespace tasker::registry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr absl::Time kNoDeadline = absl::InfiniteFuture();

/// The registry with two namespaces: payments/charge and payments/refund, post/mail.
class FindingTest : public RegistryTest {
 protected:
  void SetUp() override {
    Add("payments", "charge", "1.0.0", "Old::Charge", "Charges a credit card");
    Add("payments", "charge", "2.0.0", "Payments::Charge", "Charges a credit card");
    Add("payments", "refund", "1.0.0", "Payments::Refund", "Gives the money back; O'Neill's way");
    Add("post", "mail", "1.0.0", "Post::Mail", "Sends a letter");
  }

  void Add(const std::string& space, const std::string& name, const std::string& version, const std::string& callable,
           const std::string& description) {
    Register(fmt::format(R"(
name: {1}
namespace_name: {0}
version: {2}
description: "{4}"
metadata: {{tags: [{0}-team]}}
system_dependencies: {{primary: {0}_gateway, secondary: [ledger, ledger]}}
domain_events: [{{name: {1}.done, description: It is done, schema: {{type: object}}}}]
steps:
  - {{name: check, handler: {{callable: Shared::Check}}, system_dependency: fraud}}
  - {{name: act, handler: {{callable: "{3}"}}, dependencies: [check], publishes_events: [{1}.done, audit]}}
)",
                         space, name, version, callable, description));
  }

  void Yank(const std::string& reference) {
    pb::YankTemplateRequest request;
    request.set_reference(reference);
    request.set_reason("broken");
    const auto response = lifecycle_.Yank(request, {});
    ASSERT_TRUE(response.ok()) << response.status();
  }

  void Deprecate(const std::string& reference) {
    pb::DeprecateTemplateRequest request;
    request.set_reference(reference);
    request.set_message("old");
    const auto response = lifecycle_.Deprecate(request, {});
    ASSERT_TRUE(response.ok()) << response.status();
  }

  void Point(const std::string& reference, const std::string& channel, const std::string& version) {
    pb::SetChannelRequest request;
    request.set_reference(reference);
    request.set_channel(channel);
    request.set_version(version);
    const auto response = lifecycle_.SetChannel(request, {"jo", "", kNoDeadline});
    ASSERT_TRUE(response.ok()) << response.status();
  }

  std::vector<std::string> Listed(const pb::ListTemplatesRequest& request) {
    const auto response = catalog_.ListTemplates(request, kNoDeadline);
    EXPECT_TRUE(response.ok()) << response.status();
    std::vector<std::string> references;
    if (!response.ok()) return references;
    for (const pb::TemplateSummary& summary : response->templates()) references.push_back(summary.reference());
    return references;
  }

  std::vector<std::string> Searched(const std::string& text) {
    pb::ListTemplatesRequest request;
    request.set_text(text);
    return Listed(request);
  }

  // "reference role step" of each usage, over pages of two.
  template <typename Request, typename Find>
  std::vector<std::string> Used(Request request, const Find& find) {
    std::vector<std::string> used;
    request.set_page_size(2);
    do {
      const auto response = (catalog_.*find)(request, kNoDeadline);
      EXPECT_TRUE(response.ok()) << response.status();
      if (!response.ok()) break;
      for (const pb::Usage& usage : response->usages()) {
        used.push_back(
            fmt::format("{} {} {}", usage.reference(), pb::UsageRole_Name(usage.role()).substr(11), usage.step_name()));
      }
      request.set_page_token(response->next_page_token());
    } while (!request.page_token().empty());
    return used;
  }

  std::vector<std::string> Callables(const std::string& callable, bool prefix = false, bool all = false,
                                     const std::string& space = "") {
    pb::FindCallableUsagesRequest request;
    request.set_callable(callable);
    request.set_prefix(prefix);
    request.set_all_versions(all);
    request.set_namespace_name(space);
    return Used(request, &Catalog::FindCallableUsages);
  }

  Lifecycle lifecycle_{store_, loader_};
  CallableChecker callables_{store_, loader_};
};

TEST_F(FindingTest, FindsTheHighestVersionsThatUseACallable) {
  EXPECT_THAT(Callables("Payments::Charge"), ElementsAre("payments/charge:2.0.0 STEP_HANDLER act"));
  EXPECT_THAT(Callables("Old::Charge"), IsEmpty());
  EXPECT_THAT(Callables("Payments::Charg"), IsEmpty());
  EXPECT_THAT(Callables("Shared::Check"),
              ElementsAre("payments/charge:2.0.0 STEP_HANDLER check", "payments/refund:1.0.0 STEP_HANDLER check",
                          "post/mail:1.0.0 STEP_HANDLER check"));
  EXPECT_THAT(Callables("Shared::Check", false, false, "post"), ElementsAre("post/mail:1.0.0 STEP_HANDLER check"));
}

TEST_F(FindingTest, FindsAllVersionsThatUseACallableButTheYanked) {
  EXPECT_THAT(Callables("Old::Charge", false, true), ElementsAre("payments/charge:1.0.0 STEP_HANDLER act"));
  Yank("payments/charge:2.0.0");
  EXPECT_THAT(Callables("Payments::Charge", false, true), IsEmpty());
  EXPECT_THAT(Callables("Old::Charge"), ElementsAre("payments/charge:1.0.0 STEP_HANDLER act"));
  Yank("payments/charge:1.0.0");
  EXPECT_THAT(Callables("Old::Charge"), IsEmpty());
}

TEST_F(FindingTest, FindsCallablesByTheirBeginning) {
  EXPECT_THAT(Callables("P", true),
              ElementsAre("payments/charge:2.0.0 STEP_HANDLER act", "payments/refund:1.0.0 STEP_HANDLER act",
                          "post/mail:1.0.0 STEP_HANDLER act"));
  EXPECT_THAT(Callables("Payments::R", true), ElementsAre("payments/refund:1.0.0 STEP_HANDLER act"));
  EXPECT_THAT(Callables("P", true, false, "payments"),
              ElementsAre("payments/charge:2.0.0 STEP_HANDLER act", "payments/refund:1.0.0 STEP_HANDLER act"));
  EXPECT_THAT(Callables("%", true), IsEmpty());
}

TEST_F(FindingTest, FindsWholeCallablesThatAreLong) {
  const std::string common = "proc { |task| " + std::string(300, 'x');
  Add("procs", "one", "1.0.0", common + "1 }", "");
  Add("procs", "two", "1.0.0", common + "2 }", "");
  EXPECT_THAT(Callables(common + "1 }"), ElementsAre("procs/one:1.0.0 STEP_HANDLER act"));
  EXPECT_THAT(Callables(common + "2", true), ElementsAre("procs/two:1.0.0 STEP_HANDLER act"));
  EXPECT_THAT(Callables(common, true),
              ElementsAre("procs/one:1.0.0 STEP_HANDLER act", "procs/two:1.0.0 STEP_HANDLER act"));
}

TEST_F(FindingTest, FindsSystemsAndEventsInEveryRole) {
  pb::FindSystemUsagesRequest system;
  system.set_system("fraud");
  system.set_namespace_name("post");
  EXPECT_THAT(Used(system, &Catalog::FindSystemUsages), ElementsAre("post/mail:1.0.0 STEP_SYSTEM check"));
  system.set_system("post_gateway");
  EXPECT_THAT(Used(system, &Catalog::FindSystemUsages), ElementsAre("post/mail:1.0.0 PRIMARY_SYSTEM "));
  system.set_system("ledger");  // named twice in one place
  EXPECT_THAT(Used(system, &Catalog::FindSystemUsages), ElementsAre("post/mail:1.0.0 SECONDARY_SYSTEM "));
  pb::FindEventUsagesRequest event;
  event.set_event("mail.done");
  EXPECT_THAT(Used(event, &Catalog::FindEventUsages),
              ElementsAre("post/mail:1.0.0 DECLARES_EVENT ", "post/mail:1.0.0 PUBLISHES_EVENT act"));
}

TEST_F(FindingTest, AUsageSaysItsStateAndWhatItFound) {
  Deprecate("post/mail:1.0.0");
  pb::FindCallableUsagesRequest request;
  request.set_callable("Post::");
  request.set_prefix(true);
  const auto response = catalog_.FindCallableUsages(request, kNoDeadline);
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->usages_size(), 1);
  EXPECT_EQ(response->usages(0).term(), "Post::Mail");
  EXPECT_EQ(response->usages(0).state(), pb::TEMPLATE_STATE_DEPRECATED);
  EXPECT_EQ(response->usages(0).environment(), "");
  request.set_callable("");
  EXPECT_EQ(catalog_.FindCallableUsages(request, kNoDeadline).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(FindingTest, SearchesNameDescriptionAndTagsForWordsAndTheirBeginnings) {
  EXPECT_THAT(Searched("credit"), ElementsAre("payments/charge:2.0.0"));
  EXPECT_THAT(Searched("CARD cre"), ElementsAre("payments/charge:2.0.0"));
  EXPECT_THAT(Searched("mai"), ElementsAre("post/mail:1.0.0"));
  EXPECT_THAT(Searched("post-team"), ElementsAre("post/mail:1.0.0"));
  EXPECT_THAT(Searched("team a"), UnorderedElementsAre("payments/charge:2.0.0", "post/mail:1.0.0"));
  EXPECT_THAT(Searched("ard"), IsEmpty());
  EXPECT_THAT(Searched("credit letter"), IsEmpty());
  EXPECT_THAT(Searched("  "), ElementsAre("payments/charge:2.0.0", "payments/refund:1.0.0", "post/mail:1.0.0"));
}

TEST_F(FindingTest, NoTextOfASearchIsASyntaxError) {
  EXPECT_THAT(Searched("O'Neill's"), ElementsAre("payments/refund:1.0.0"));
  for (const char* text : {"'", "''", "\\", "\\'", ":*", "a & b | !c", "(", "<->", "%", "a:*B", "\"x", "&&&", "!",
                           "https://x.y/z?a=b&c=d", "jo@example.com", "ünïcödé 漢字 👍", "-1.5e10", "$1", "{}"}) {
    EXPECT_THAT(Searched(text), IsEmpty()) << text;
  }
  pb::ListTemplatesRequest request;
  request.set_text(std::string(1001, 'a'));
  EXPECT_EQ(catalog_.ListTemplates(request, kNoDeadline).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(FindingTest, FiltersOfEveryKindNarrowTheListTogether) {
  pb::ListTemplatesRequest request;
  request.set_text("back");
  request.set_tag("payments-team");
  request.set_system("fraud");
  request.set_event("audit");
  request.set_callable("Shared::Check");
  request.set_name_prefix("re");
  EXPECT_THAT(Listed(request), ElementsAre("payments/refund:1.0.0"));
  request.set_namespace_name("payments");
  EXPECT_THAT(Listed(request), ElementsAre("payments/refund:1.0.0"));
  request.set_tag("post-team");
  EXPECT_THAT(Listed(request), IsEmpty());
}

TEST_F(FindingTest, ListsTemplatesByTheStateOfTheirHighestVersion) {
  Deprecate("post/mail:1.0.0");
  Yank("payments/refund:1.0.0");
  Yank("payments/charge:2.0.0");
  pb::ListTemplatesRequest request;
  EXPECT_THAT(Listed(request), ElementsAre("payments/charge:1.0.0", "post/mail:1.0.0"));
  request.add_states(pb::TEMPLATE_STATE_DEPRECATED);
  EXPECT_THAT(Listed(request), ElementsAre("post/mail:1.0.0"));
  request.add_states(pb::TEMPLATE_STATE_YANKED);
  request.add_states(pb::TEMPLATE_STATE_YANKED);
  EXPECT_THAT(Listed(request), ElementsAre("payments/refund:1.0.0", "post/mail:1.0.0"));
  request.set_text("money");
  EXPECT_THAT(Listed(request), ElementsAre("payments/refund:1.0.0"));
  request.add_states(static_cast<pb::TemplateState>(99));
  EXPECT_EQ(catalog_.ListTemplates(request, kNoDeadline).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(FindingTest, SummariesSayStateChannelsAndHowManyVersionsThereAre) {
  Point("payments/charge", "stable", "1.0.0");
  Point("payments/charge", "canary", "2.0.0");
  Point("payments/charge", "beta", "2.0.0");
  Yank("payments/refund:1.0.0");
  pb::ListTemplatesRequest request;
  request.set_namespace_name("payments");
  const auto templates = catalog_.ListTemplates(request, kNoDeadline);
  ASSERT_TRUE(templates.ok()) << templates.status();
  ASSERT_EQ(templates->templates_size(), 1);
  EXPECT_EQ(templates->templates(0).state(), pb::TEMPLATE_STATE_ACTIVE);
  EXPECT_EQ(templates->templates(0).version_count(), 2);
  EXPECT_THAT(templates->templates(0).channels(), ElementsAre("beta", "canary"));
  pb::ListTemplateVersionsRequest versions;
  versions.set_reference("payments/charge");
  EXPECT_THAT(catalog_.ListTemplateVersions(versions, kNoDeadline)->versions(1).channels(), ElementsAre("stable"));
}

TEST_F(FindingTest, ListsVersionsByState) {
  Yank("payments/charge:2.0.0");
  pb::ListTemplateVersionsRequest request;
  request.set_reference("payments/charge");
  const auto visible = catalog_.ListTemplateVersions(request, kNoDeadline);
  ASSERT_TRUE(visible.ok()) << visible.status();
  ASSERT_EQ(visible->versions_size(), 1);
  EXPECT_EQ(visible->versions(0).version(), "1.0.0");
  request.add_states(pb::TEMPLATE_STATE_YANKED);
  const auto yanked = catalog_.ListTemplateVersions(request, kNoDeadline);
  ASSERT_EQ(yanked->versions_size(), 1);
  EXPECT_EQ(yanked->versions(0).state(), pb::TEMPLATE_STATE_YANKED);
  request.clear_states();
  request.add_states(pb::TEMPLATE_STATE_DEPRECATED);
  EXPECT_EQ(catalog_.ListTemplateVersions(request, kNoDeadline)->versions_size(), 0);
}

TEST_F(FindingTest, ListsNamespacesWithTheirSystems) {
  const auto response = catalog_.ListNamespaces({}, kNoDeadline);
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->namespaces_size(), 2);
  EXPECT_EQ(response->namespaces(0).name(), "payments");
  EXPECT_EQ(response->namespaces(0).template_count(), 2);
  EXPECT_THAT(response->namespaces(0).system_dependencies(), ElementsAre("fraud", "ledger", "payments_gateway"));
  EXPECT_EQ(response->namespaces(0).version_policy(), pb::VERSION_POLICY_NONE);
  pb::ListNamespacesRequest request;
  request.set_name_prefix("po");
  EXPECT_EQ(catalog_.ListNamespaces(request, kNoDeadline)->namespaces_size(), 1);
}

TEST_F(FindingTest, ListsChannelsOfATemplateOfANamespaceAndByName) {
  Point("payments/charge", "stable", "1.0.0");
  Point("payments/charge", "canary", "2.0.0");
  Point("post/mail", "stable", "1.0.0");
  const auto list = [&](const pb::ListChannelsRequest& request) {
    const auto response = catalog_.ListChannels(request, kNoDeadline);
    EXPECT_TRUE(response.ok()) << response.status();
    std::vector<std::string> channels;
    for (const pb::Channel& c : response->channels()) channels.push_back(c.channel() + " " + c.reference());
    return channels;
  };
  pb::ListChannelsRequest request;
  EXPECT_THAT(list(request),
              ElementsAre("canary payments/charge:2.0.0", "stable payments/charge:1.0.0", "stable post/mail:1.0.0"));
  request.set_channel("stable");
  EXPECT_THAT(list(request), ElementsAre("stable payments/charge:1.0.0", "stable post/mail:1.0.0"));
  request.set_namespace_name("post");
  EXPECT_THAT(list(request), ElementsAre("stable post/mail:1.0.0"));
  request.clear_namespace_name();
  request.set_reference("payments/charge");
  EXPECT_THAT(list(request), ElementsAre("stable payments/charge:1.0.0"));
  request.set_reference("payments/chrage");
  EXPECT_EQ(DetailOf(catalog_.ListChannels(request, kNoDeadline).status()).reason, "TEMPLATE_NOT_FOUND");
  request.set_reference("payments/charge:1.0.0");
  EXPECT_EQ(catalog_.ListChannels(request, kNoDeadline).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(FindingTest, AChannelsHistorySaysWhereItPointedTheLatestFirst) {
  Point("payments/charge", "stable", "1.0.0");
  Point("payments/charge", "stable", "2.0.0");
  pb::DeleteChannelRequest deletion;
  deletion.set_reference("payments/charge");
  deletion.set_channel("stable");
  ASSERT_TRUE(lifecycle_.DeleteChannel(deletion, {}).ok());
  pb::ListChannelHistoryRequest request;
  request.set_reference("payments/charge");
  request.set_channel("stable");
  request.set_page_size(2);
  const auto first = catalog_.ListChannelHistory(request, kNoDeadline);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_EQ(first->moves_size(), 2);
  EXPECT_EQ(first->moves(0).version(), "");
  EXPECT_EQ(first->moves(1).version(), "2.0.0");
  EXPECT_EQ(first->moves(1).actor(), "jo");
  request.set_page_token(first->next_page_token());
  const auto second = catalog_.ListChannelHistory(request, kNoDeadline);
  ASSERT_EQ(second->moves_size(), 1);
  EXPECT_EQ(second->moves(0).version(), "1.0.0");
  EXPECT_EQ(second->next_page_token(), "");
}

TEST_F(FindingTest, ListsDomainEventsAcrossTemplates) {
  const auto all = catalog_.ListDomainEvents({}, kNoDeadline);
  ASSERT_TRUE(all.ok()) << all.status();
  std::vector<std::string> events;
  for (const pb::DomainEvent& e : all->events()) events.push_back(e.namespace_name() + " " + e.event_name());
  EXPECT_THAT(events, ElementsAre("payments audit", "payments charge.done", "payments refund.done", "post audit",
                                  "post mail.done"));
  EXPECT_EQ(all->events(1).reference(), "payments/charge:1.0.0");
  EXPECT_EQ(all->events(1).schema_json(), R"({"type":"object"})");
  EXPECT_EQ(all->events(1).description(), "It is done");
  EXPECT_EQ(all->events(0).schema_digest(), "");
  pb::ListDomainEventsRequest request;
  request.set_page_size(1);
  request.set_name_prefix("au");
  const auto first = catalog_.ListDomainEvents(request, kNoDeadline);
  request.set_page_token(first->next_page_token());
  const auto second = catalog_.ListDomainEvents(request, kNoDeadline);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(first->events(0).namespace_name(), "payments");
  EXPECT_EQ(second->events(0).namespace_name(), "post");
  EXPECT_EQ(second->next_page_token(), "");
  request.clear_page_token();
  request.set_namespace_name("post");
  EXPECT_EQ(catalog_.ListDomainEvents(request, kNoDeadline)->events_size(), 1);
}

TEST_F(FindingTest, SaysWhichTemplatesAWorkerCanRunWholeAndWhatIsMissing) {
  pb::CheckCallablesRequest request;
  for (const char* callable : {"Shared::Check", "Payments::Charge", "Post::Mail"}) request.add_callables(callable);
  const auto response = callables_.Check(request, kNoDeadline);
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->templates_size(), 3);
  EXPECT_EQ(response->templates(0).reference(), "payments/charge:2.0.0");
  EXPECT_TRUE(response->templates(0).runnable());
  EXPECT_FALSE(response->templates(1).runnable());
  ASSERT_EQ(response->templates(1).missing_size(), 1);
  EXPECT_EQ(response->templates(1).missing(0).callable(), "Payments::Refund");
  EXPECT_EQ(response->templates(1).missing(0).step_name(), "act");
  EXPECT_EQ(response->templates(1).missing(0).kind(), pb::CALLABLE_KIND_CLASS);
  Yank("payments/charge:2.0.0");
  request.set_name_prefix("ch");
  EXPECT_EQ(callables_.Check(request, kNoDeadline)->templates(0).reference(), "payments/charge:1.0.0");
}

TEST_F(FindingTest, ChecksCallablesOfReferencesInTheirOrderAPageAtATime) {
  pb::CheckCallablesRequest request;
  request.add_callables("Shared::Check");
  for (const char* reference : {"post/mail", "payments/charge:1.0.0", "payments/charge"}) {
    request.add_references(reference);
  }
  request.set_page_size(2);
  const auto first = callables_.Check(request, kNoDeadline);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_EQ(first->templates_size(), 2);
  EXPECT_EQ(first->templates(1).missing(0).callable(), "Old::Charge");
  request.set_page_token(first->next_page_token());
  const auto second = callables_.Check(request, kNoDeadline);
  ASSERT_EQ(second->templates_size(), 1);
  EXPECT_EQ(second->templates(0).reference(), "payments/charge:2.0.0");
  EXPECT_EQ(second->next_page_token(), "");
  request.add_references("payments/chrage");
  EXPECT_EQ(callables_.Check(request, kNoDeadline).status().code(), absl::StatusCode::kInvalidArgument);
  request.clear_page_token();
  request.set_page_size(0);
  EXPECT_EQ(DetailOf(callables_.Check(request, kNoDeadline).status()).reason, "TEMPLATE_NOT_FOUND");
  request.set_namespace_name("payments");
  EXPECT_EQ(callables_.Check(request, kNoDeadline).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(FindingTest, AChecksSizeIsBounded) {
  pb::CheckCallablesRequest request;
  for (int n = 0; n <= kMaxCheckedCallables; ++n) request.add_callables("C");
  EXPECT_EQ(DetailOf(callables_.Check(request, kNoDeadline).status()).reason, "TOO_MANY_CALLABLES");
  request.mutable_callables()->RemoveLast();
  EXPECT_TRUE(callables_.Check(request, kNoDeadline).ok());
  for (int n = 0; n <= kMaxCheckedReferences; ++n) request.add_references("payments/charge");
  EXPECT_EQ(callables_.Check(request, kNoDeadline).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(FindingTest, ABatchOfResolutionsGivesEachItsOwnStatus) {
  pb::BatchResolveTemplatesRequest request;
  request.add_requests()->set_reference("payments/charge:1.0.0");
  request.add_requests()->set_reference("payments/chrage");
  request.add_requests()->set_reference("nonsense");
  request.add_requests()->set_reference("post/mail");
  for (int round = 0; round < 2; ++round) {  // from the database, and from memory
    const auto bytes = BatchResolve(resolver_, request, kNoDeadline);
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    pb::BatchResolveTemplatesResponse response;
    ASSERT_TRUE(response.ParseFromString(**bytes));
    ASSERT_EQ(response.results_size(), 4);
    EXPECT_EQ(response.results(0).response().template_().steps(1).handler().callable(), "Old::Charge");
    EXPECT_EQ(response.results(1).error().code(), static_cast<int>(absl::StatusCode::kNotFound));
    EXPECT_EQ(response.results(1).error().reason(), "TEMPLATE_NOT_FOUND");
    EXPECT_THAT(response.results(1).error().message(), testing::HasSubstr("did you mean 'charge'?"));
    EXPECT_EQ(response.results(2).error().reason(), "REFERENCE_MALFORMED");
    EXPECT_EQ(response.results(3).response().reference(), "post/mail:1.0.0");
  }
}

TEST_F(FindingTest, ABatchHasAtMostAHundredResolutions) {
  pb::BatchResolveTemplatesRequest request;
  for (int n = 0; n < kMaxBatchRequests; ++n) request.add_requests()->set_reference("post/mail");
  EXPECT_TRUE(BatchResolve(resolver_, request, kNoDeadline).ok());
  request.add_requests();
  EXPECT_EQ(BatchResolve(resolver_, request, kNoDeadline).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(FindingTest, APageEndsEarlyWhereTemplatesSayALot) {
  constexpr int kTemplates = 7;
  for (int n = 0; n < kTemplates; ++n) {
    Add("long", fmt::format("t{}", n), "1.0.0", "C", std::string(1 << 20, 'x'));
  }
  pb::ListTemplatesRequest request;
  request.set_namespace_name("long");
  std::set<std::string> seen;
  int pages = 0;
  do {
    const auto page = catalog_.ListTemplates(request, kNoDeadline);
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_LE(page->ByteSizeLong(), size_t{5} << 20);
    for (const pb::TemplateSummary& summary : page->templates()) {
      EXPECT_TRUE(seen.insert(summary.name()).second) << summary.name();
    }
    request.set_page_token(page->next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_EQ(seen.size(), kTemplates);
  EXPECT_GT(pages, 1);
}

}  // namespace
}  // namespace tasker::registry
