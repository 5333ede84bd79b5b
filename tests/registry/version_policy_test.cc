#include "lib/registry/version_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "lib/registry/error.h"
#include "tests/registry/fixture.h"

namespace tasker::registry {
namespace {

constexpr const char* kBreaking = "input_schema: {type: object, required: [amount]}\n";

class VersionPolicyTest : public RegistryTest {
 protected:
  void Set(store::VersionPolicy policy) {
    ASSERT_TRUE(store_->SetVersionPolicy("payments", policy, {}, absl::InfiniteFuture()).ok());
  }

  void Yank(const std::string& reference) {
    const auto done = store_->SetState(*tmpl::ParseReference(reference), store::VersionState::kYanked, "", "", {},
                                       absl::InfiniteFuture());
    ASSERT_TRUE(done.ok()) << done.status();
  }

  absl::StatusOr<pb::RegisterTemplateResponse> Try(const std::string& version, const std::string& more,
                                                   bool allow_breaking = false) {
    pb::RegisterTemplateRequest request = Request(Yaml("charge", version, more));
    request.set_allow_breaking(allow_breaking);
    return registrar_.Register(request, {});
  }

  absl::StatusOr<pb::RegisterTemplatesResponse> TryBatch(const std::vector<std::string>& yamls, bool dry_run = false) {
    pb::RegisterTemplatesRequest request;
    for (const std::string& yaml : yamls) request.add_sources()->set_yaml(yaml);
    request.set_dry_run(dry_run);
    return registrar_.Register(request, {});
  }

  // What the change log keeps beside who and what, in its order.
  std::vector<std::string> LoadDetails() {
    std::vector<std::string> details;
    const auto changes = store_->LoadChanges(0, 100, absl::InfiniteFuture());
    if (!changes.ok()) return details;
    for (const store::ChangeRow& row : *changes) details.push_back(row.detail);
    return details;
  }

  bool Exists(const std::string& reference) { return loader_->Load(reference, absl::InfiniteFuture()).ok(); }
};

TEST_F(VersionPolicyTest, NoneIsTheDefault) {
  Register(Yaml("charge", "1.0.0"));
  EXPECT_TRUE(Try("1.0.1", kBreaking).ok());
}

TEST_F(VersionPolicyTest, EnforceRefusesWithTheReasonsAndTheVersionToUse) {
  Register(Yaml("charge", "1.0.0"));
  Set(store::VersionPolicy::kEnforce);
  const auto refused = Try("1.1.0", std::string(kBreaking) + "description: x\n");
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  const ErrorDetail detail = DetailOf(refused.status());
  EXPECT_EQ(detail.reason, "VERSION_BUMP_TOO_SMALL");
  EXPECT_EQ(detail.metadata.at("reference"), "payments/charge:1.1.0");
  ASSERT_EQ(detail.violations.size(), 1u);
  EXPECT_EQ(detail.violations[0].field, "source.version");
  EXPECT_THAT(detail.violations[0].description,
              testing::StartsWith("payments/charge:1.1.0 is too low after 1.0.0, 2.0.0 or higher is wanted: "
                                  "INPUT_SCHEMA_NARROWED input_schema (/input_schema): added "));
  EXPECT_THAT(detail.violations[0].description, testing::EndsWith("breaks callers"));
  EXPECT_FALSE(Exists("payments/charge:1.1.0"));
  EXPECT_TRUE(Try("2.0.0", kBreaking).ok());
}

TEST_F(VersionPolicyTest, WarnStoresAndWarns) {
  Register(Yaml("charge", "1.0.0"));
  Set(store::VersionPolicy::kWarn);
  const auto response = Try("1.0.1", kBreaking);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->registration().outcome(), pb::REGISTRATION_OUTCOME_CREATED);
  ASSERT_EQ(response->registration().issues_size(), 1);
  const pb::Issue& issue = response->registration().issues(0);
  EXPECT_EQ(issue.code(), "VERSION_BUMP_TOO_SMALL");
  EXPECT_EQ(issue.severity(), pb::SEVERITY_WARNING);
  EXPECT_EQ(issue.line(), 3);
  EXPECT_EQ(issue.hint(), "use 2.0.0 or higher");
  EXPECT_TRUE(Exists("payments/charge:1.0.1"));
}

TEST_F(VersionPolicyTest, AllowBreakingPassesWithAWarningAndIsInTheChangeLog) {
  Register(Yaml("charge", "1.0.0"));
  Set(store::VersionPolicy::kEnforce);
  const auto response = Try("1.1.0", kBreaking, /*allow_breaking=*/true);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->registration().issues(0).severity(), pb::SEVERITY_WARNING);
  ASSERT_TRUE(Try("2.0.0", kBreaking, /*allow_breaking=*/true).ok());
  const auto changes = LoadDetails();
  EXPECT_THAT(changes,
              testing::ElementsAre(
                  "{}", testing::HasSubstr("ENFORCE"),
                  testing::AllOf(testing::HasSubstr(R"("allow_breaking": true)"),
                                 testing::HasSubstr("the version policy asks for 2.0.0 or higher after 1.0.0")),
                  "{}"));
}

TEST_F(VersionPolicyTest, ComparesWithTheHighestLowerVersionThatIsNotYanked) {
  for (const char* version : {"1.0.0", "1.1.0", "3.0.0"}) Register(Yaml("charge", version, "description: x\n"));
  Register(Yaml("charge", "1.2.0", kBreaking));
  Set(store::VersionPolicy::kEnforce);
  // As 1.2.0 has it.
  EXPECT_TRUE(Try("1.2.1", std::string(kBreaking) + "description: y\n").ok());
  Yank("payments/charge:1.2.0");
  Yank("payments/charge:1.2.1");
  const auto refused = Try("1.2.2", kBreaking);
  EXPECT_THAT(std::string(refused.status().message()), testing::HasSubstr("is too low after 1.1.0"));
  EXPECT_TRUE(Try("0.1.0", kBreaking).ok());  // nothing is lower
}

TEST_F(VersionPolicyTest, ComparesWithinABatch) {
  Set(store::VersionPolicy::kEnforce);
  const auto refused = TryBatch({Yaml("charge", "1.1.0", kBreaking), Yaml("charge", "1.0.0"), Yaml("other", "1.0.0"),
                                 Yaml("other", "1.0.1", kBreaking), Yaml("charge", "2.0.0", kBreaking)});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  const ErrorDetail detail = DetailOf(refused.status());
  ASSERT_EQ(detail.violations.size(), 2u);
  EXPECT_EQ(detail.violations[0].field, "sources[0].version");
  EXPECT_EQ(detail.violations[1].field, "sources[3].version");
  EXPECT_FALSE(Exists("payments/charge:1.0.0"));
  EXPECT_TRUE(TryBatch({Yaml("charge", "2.0.0", kBreaking), Yaml("charge", "1.0.0")}).ok());
}

TEST_F(VersionPolicyTest, DryRunsAndValidationSayTheSame) {
  Register(Yaml("charge", "1.0.0"));
  Set(store::VersionPolicy::kEnforce);
  EXPECT_EQ(TryBatch({Yaml("charge", "1.1.0", kBreaking)}, /*dry_run=*/true).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(TryBatch({Yaml("charge", "2.0.0", kBreaking)}, /*dry_run=*/true).ok());
  pb::ValidateTemplateRequest request;
  request.mutable_source()->set_yaml(Yaml("charge", "1.1.0", kBreaking));
  auto response = registrar_.Validate(request, {});
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_FALSE(response->valid());
  EXPECT_EQ(response->issues(0).code(), "VERSION_BUMP_TOO_SMALL");
  EXPECT_EQ(response->outcome(), pb::REGISTRATION_OUTCOME_UNSPECIFIED);
  Set(store::VersionPolicy::kWarn);
  response = registrar_.Validate(request, {});
  EXPECT_TRUE(response->valid());
  EXPECT_EQ(response->issues(0).severity(), pb::SEVERITY_WARNING);
  EXPECT_EQ(response->outcome(), pb::REGISTRATION_OUTCOME_CREATED);
}

TEST_F(VersionPolicyTest, WhatIsRegisteredAlreadyIsUnchanged) {
  Register(Yaml("charge", "1.0.0"));
  Register(Yaml("charge", "1.1.0", kBreaking));
  Set(store::VersionPolicy::kEnforce);
  const auto response = Try("1.1.0", kBreaking);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->registration().outcome(), pb::REGISTRATION_OUTCOME_UNCHANGED);
}

TEST_F(VersionPolicyTest, OtherNamespacesAreNotHeldToIt) {
  Set(store::VersionPolicy::kEnforce);
  const auto other = [](std::string yaml) { return yaml.replace(yaml.find("payments"), 8, "billing"); };
  Register(other(Yaml("charge", "1.0.0")));
  EXPECT_TRUE(registrar_.Register(Request(other(Yaml("charge", "1.0.1", kBreaking))), {}).ok());
}

// 1.2.0 takes away what 1.1.0 adds: it may be registered before 1.1.0, but not after.
TEST_F(VersionPolicyTest, NoRaceLetsAVersionPass) {
  Set(store::VersionPolicy::kEnforce);
  const std::string more = "domain_events: [{name: paid}]\n";
  for (int round = 0; round < 10; ++round) {
    const std::string name = fmt::format("charge{}", round);
    Register(Yaml(name, "1.0.0"));
    absl::StatusOr<pb::RegisterTemplateResponse> adds, takes_away;
    std::latch start(2);
    {
      std::jthread first([&] {
        start.arrive_and_wait();
        adds = registrar_.Register(Request(Yaml(name, "1.1.0", more)), {});
      });
      std::jthread second([&] {
        start.arrive_and_wait();
        takes_away = registrar_.Register(Request(Yaml(name, "1.2.0")), {});
      });
    }
    ASSERT_TRUE(adds.ok()) << adds.status();
    if (takes_away.ok()) {
      EXPECT_LT(takes_away->revision(), adds->revision());
    } else {
      EXPECT_EQ(takes_away.status().code(), absl::StatusCode::kFailedPrecondition) << takes_away.status();
    }
  }
}

}  // namespace
}  // namespace tasker::registry
