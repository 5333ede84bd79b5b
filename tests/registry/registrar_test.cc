#include "lib/registry/registrar.h"

#include <gtest/gtest.h>

#include "lib/registry/error.h"
#include "tests/registry/fixture.h"

namespace tasker::registry {
namespace {

class RegistrarTest : public RegistryTest {
 protected:
  static pb::RegisterTemplatesRequest Batch(const std::vector<std::string>& yamls) {
    pb::RegisterTemplatesRequest request;
    for (const std::string& yaml : yamls) request.add_sources()->set_yaml(yaml);
    return request;
  }
};

TEST_F(RegistrarTest, TheSameContentAgainIsUnchanged) {
  const auto first = registrar_.Register(Request(Yaml("charge", "1.0.0")), {});
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->registration().outcome(), pb::REGISTRATION_OUTCOME_CREATED);
  EXPECT_EQ(first->registration().reference(), "payments/charge:1.0.0");
  const auto second = registrar_.Register(Request("# a comment\n" + Yaml("charge", "1.0.0")), {});
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->registration().outcome(), pb::REGISTRATION_OUTCOME_UNCHANGED);
  EXPECT_EQ(second->registration().digest(), first->registration().digest());
}

TEST_F(RegistrarTest, OtherContentUnderAVersionAlreadyExists) {
  Register(Yaml("charge", "1.0.0"));
  const auto other = registrar_.Register(Request(Yaml("charge", "1.0.0", "description: other\n")), {});
  EXPECT_EQ(other.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(DetailOf(other.status()).reason, "VERSION_EXISTS");
  EXPECT_EQ(DetailOf(other.status()).metadata.at("reference"), "payments/charge:1.0.0");
  EXPECT_EQ(std::string(other.status().message()),
            "payments/charge:1.0.0 is registered with other content: description (/description): added \"other\"; "
            "a version never changes, take a new one");
}

TEST_F(RegistrarTest, AnInvalidTemplateIsRefusedWithItsFirstErrorAsMessage) {
  pb::RegisterTemplateRequest request = Request(Yaml("charge", "1.0.0", "bogus: 1\nsteppes: 2\n"));
  request.mutable_source()->set_file_name("charge.yaml");
  const auto refused = registrar_.Register(request, {});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(std::string(refused.status().message()).starts_with("charge.yaml:5:1: ")) << refused.status();
  const ErrorDetail detail = DetailOf(refused.status());
  EXPECT_EQ(detail.reason, "TEMPLATE_INVALID");
  EXPECT_EQ(detail.metadata.at("error_count"), "2");
  EXPECT_EQ(detail.violations.at(1).field, "source.steppes");
}

TEST_F(RegistrarTest, ABatchReportsTheErrorsOfEveryItemAndStoresNothing) {
  const auto refused =
      registrar_.Register(Batch({Yaml("a", "1.0.0"), Yaml("b", "1.0.0", "bogus: 1\n"), Yaml("c", "1.0", "")}), {});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  const ErrorDetail detail = DetailOf(refused.status());
  EXPECT_EQ(detail.metadata.at("invalid_count"), "2");
  EXPECT_EQ(detail.violations.at(0).field, "sources[1].bogus");
  EXPECT_EQ(detail.violations.at(1).field, "sources[2].version");
  EXPECT_EQ(loader_->Load("payments/a", absl::InfiniteFuture()).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(RegistrarTest, ABatchIsOneRevision) {
  const auto stored = registrar_.Register(Batch({Yaml("a", "1.0.0"), Yaml("b", "1.0.0"), Yaml("a", "1.1.0")}), {});
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_EQ(stored->revision(), 1);
  EXPECT_EQ(stored->registrations_size(), 3);
  EXPECT_EQ(stored->registrations(2).reference(), "payments/a:1.1.0");
}

TEST_F(RegistrarTest, OneConflictKeepsTheWholeBatchOut) {
  Register(Yaml("a", "1.0.0"));
  const auto refused = registrar_.Register(Batch({Yaml("b", "1.0.0"), Yaml("a", "1.0.0", "description: x\n")}), {});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(DetailOf(refused.status()).violations.at(0).field, "sources[1].version");
  EXPECT_EQ(loader_->Load("payments/b", absl::InfiniteFuture()).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(RegistrarTest, TheSameVersionTwiceInABatchMustBeTheSameContent) {
  EXPECT_TRUE(registrar_.Register(Batch({Yaml("a", "1.0.0"), Yaml("a", "1.0.0")}), {}).ok());
  const auto refused = registrar_.Register(Batch({Yaml("b", "1.0.0"), Yaml("b", "1.0.0", "description: x\n")}), {});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(std::string(refused.status().message()).find("BATCH_IDENTITY_TWICE"), std::string::npos);
}

TEST_F(RegistrarTest, ADryRunFindsConflictsAndStoresNothing) {
  const auto dry = registrar_.Register(Request(Yaml("a", "1.0.0"), true), {});
  ASSERT_TRUE(dry.ok()) << dry.status();
  EXPECT_EQ(dry->registration().outcome(), pb::REGISTRATION_OUTCOME_CREATED);
  EXPECT_EQ(dry->revision(), 0);
  EXPECT_EQ(loader_->Load("payments/a", absl::InfiniteFuture()).status().code(), absl::StatusCode::kNotFound);
  Register(Yaml("a", "1.0.0"));
  const auto conflict = registrar_.Register(Request(Yaml("a", "1.0.0", "description: x\n"), true), {});
  EXPECT_EQ(conflict.status().code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(RegistrarTest, RefusesRequestsThatAreWrongThemselves) {
  EXPECT_EQ(registrar_.Register(pb::RegisterTemplatesRequest(), {}).status().code(),
            absl::StatusCode::kInvalidArgument);
  pb::RegisterTemplateRequest request = Request(Yaml("a", "1.0.0"));
  request.set_source_revision(std::string("a\0b", 3));
  EXPECT_EQ(registrar_.Register(request, {}).status().code(), absl::StatusCode::kInvalidArgument);
  request.set_source_revision(std::string(5000, 'x'));
  EXPECT_EQ(registrar_.Register(request, {}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(RegistrarTest, ABatchThatIsTooLargeIsExhausted) {
  pb::RegisterTemplatesRequest request;
  for (int i = 0; i <= kMaxBatchTemplates; ++i) request.add_sources();
  EXPECT_EQ(registrar_.Register(request, {}).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(RegistrarTest, ValidationSaysWhatRegisteringWouldDo) {
  pb::ValidateTemplateRequest request;
  request.mutable_source()->set_yaml(Yaml("a", "1.0.0"));
  EXPECT_EQ(registrar_.Validate(request, {})->outcome(), pb::REGISTRATION_OUTCOME_CREATED);
  Register(Yaml("a", "1.0.0"));
  EXPECT_EQ(registrar_.Validate(request, {})->outcome(), pb::REGISTRATION_OUTCOME_UNCHANGED);
  request.mutable_source()->set_yaml(Yaml("a", "1.0.0", "description: x\n"));
  const auto conflict = registrar_.Validate(request, {});
  ASSERT_TRUE(conflict.ok()) << conflict.status();
  EXPECT_FALSE(conflict->valid());
  EXPECT_EQ(conflict->issues(0).code(), "VERSION_EXISTS");
}

TEST_F(RegistrarTest, ValidationOfNonsenseIsAnAnswer) {
  for (const std::string yaml : {"", "[", "a: b", "name: x\nname: y\n"}) {
    pb::ValidateTemplateRequest request;
    request.mutable_source()->set_yaml(yaml);
    const auto response = registrar_.Validate(request, {});
    ASSERT_TRUE(response.ok()) << response.status();
    EXPECT_FALSE(response->valid());
    EXPECT_GT(response->issues_size(), 0) << yaml;
  }
}

}  // namespace
}  // namespace tasker::registry
