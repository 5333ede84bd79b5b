#include "lib/registry/catalog.h"

#include <gtest/gtest.h>

#include "lib/registry/error.h"
#include "tests/registry/fixture.h"

namespace tasker::registry {
namespace {

class CatalogTest : public RegistryTest {};

TEST_F(CatalogTest, AStoredTemplateKeepsTheAuthorsTextByteForByte) {
  const std::string text = "# by hand\r\n" + Yaml("charge", "1.0.0") + "\n\n";
  pb::RegisterTemplateRequest registration = Request(text);
  registration.mutable_source()->set_file_name("charge.yaml");
  registration.set_source_revision("0a1b");
  ASSERT_TRUE(registrar_.Register(registration, {"jo", "ipv4:127.0.0.1:1", absl::InfiniteFuture()}).ok());
  pb::GetTemplateRequest request;
  request.set_reference("payments/charge");
  EXPECT_FALSE(catalog_.GetTemplate(request, absl::InfiniteFuture())->has_source());
  request.set_include_source(true);
  const auto response = catalog_.GetTemplate(request, absl::InfiniteFuture());
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->source(), text);
  EXPECT_EQ(response->provenance().actor(), "jo");
  EXPECT_EQ(response->provenance().peer(), "ipv4:127.0.0.1:1");
  EXPECT_EQ(response->provenance().source_revision(), "0a1b");
  EXPECT_EQ(response->template_().name(), "charge");
}

TEST_F(CatalogTest, AnExplanationNamesTheLayerTheLineAndWhatWasReplaced) {
  Register(Yaml("charge", "1.0.0",
                "environments:\n  test:\n    steps:\n      - {name: ALL, timeout_seconds: 9}\n"
                "      - {name: pay, timeout_seconds: 5}\n      - {name: nobody, timeout_seconds: 1}\n"));
  pb::ExplainResolutionRequest request;
  request.set_reference("payments/charge");
  request.set_environment("test");
  const auto response = catalog_.ExplainResolution(request, absl::InfiniteFuture());
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->reference(), "payments/charge:1.0.0");
  EXPECT_TRUE(response->environment_defined());
  ASSERT_EQ(response->lints_size(), 1);
  EXPECT_EQ(response->lints(0).line(), 10);
  for (const pb::ExplainedField& field : response->fields()) {
    if (field.path() != "/steps/0/timeout_seconds") continue;
    EXPECT_EQ(field.current().layer(), pb::VALUE_LAYER_STEP_OVERRIDE);
    EXPECT_EQ(field.current().value_json(), "5");
    EXPECT_EQ(field.current().line(), 9);
    ASSERT_GE(field.replaced_size(), 1);
    EXPECT_EQ(field.replaced(0).layer(), pb::VALUE_LAYER_ALL_OVERRIDE);
    return;
  }
  FAIL() << "no field /steps/0/timeout_seconds";
}

TEST_F(CatalogTest, PagesOfVersionsGoFromTheHighestToTheLowest) {
  for (const char* version : {"1.9.0", "1.10.0", "2.0.0"}) Register(Yaml("charge", version));
  pb::ListTemplateVersionsRequest request;
  request.set_reference("payments/charge");
  request.set_page_size(2);
  const auto first = catalog_.ListTemplateVersions(request, absl::InfiniteFuture());
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_EQ(first->versions_size(), 2);
  EXPECT_EQ(first->versions(1).version(), "1.10.0");
  request.set_page_token(first->next_page_token());
  const auto second = catalog_.ListTemplateVersions(request, absl::InfiniteFuture());
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->versions(0).version(), "1.9.0");
  EXPECT_EQ(second->next_page_token(), "");
}

TEST_F(CatalogTest, ListsTemplatesByTheirHighestVersion) {
  Register(Yaml("charge", "1.0.0"));
  Register(Yaml("charge", "2.0.0", "metadata: {tags: [money]}\n"));
  Register(Yaml("refund", "1.0.0"));
  pb::ListTemplatesRequest request;
  const auto all = catalog_.ListTemplates(request, absl::InfiniteFuture());
  ASSERT_TRUE(all.ok()) << all.status();
  ASSERT_EQ(all->templates_size(), 2);
  EXPECT_EQ(all->templates(0).reference(), "payments/charge:2.0.0");
  EXPECT_EQ(all->templates(0).step_count(), 1);
  request.set_tag("money");
  EXPECT_EQ(catalog_.ListTemplates(request, absl::InfiniteFuture())->templates_size(), 1);
  request.set_tag("none");
  EXPECT_EQ(catalog_.ListTemplates(request, absl::InfiniteFuture())->templates_size(), 0);
}

TEST_F(CatalogTest, ListsCallablesWithTheirKinds) {
  Register(Yaml("charge", "1.0.0", "task_handler: {callable: charge_card}\n"));
  pb::ListCallablesRequest request;
  request.set_reference("payments/charge");
  const auto response = catalog_.ListCallables(request, absl::InfiniteFuture());
  ASSERT_TRUE(response.ok()) << response.status();
  ASSERT_EQ(response->callables_size(), 2);
  EXPECT_EQ(response->callables(0).kind(), pb::CALLABLE_KIND_KEY);
  EXPECT_EQ(response->callables(1).step_name(), "pay");
}

TEST_F(CatalogTest, RefusesBadPagesAndReferences) {
  pb::ListTemplatesRequest list;
  list.set_page_size(-1);
  EXPECT_EQ(catalog_.ListTemplates(list, absl::InfiniteFuture()).status().code(), absl::StatusCode::kInvalidArgument);
  list.set_page_size(0);
  list.set_page_token("nonsense");
  EXPECT_EQ(catalog_.ListTemplates(list, absl::InfiniteFuture()).status().code(), absl::StatusCode::kInvalidArgument);
  pb::ListTemplateVersionsRequest versions;
  versions.set_reference("payments/charge:1.0.0");
  EXPECT_EQ(catalog_.ListTemplateVersions(versions, absl::InfiniteFuture()).status().code(),
            absl::StatusCode::kInvalidArgument);
  versions.set_reference("payments/charge");
  EXPECT_EQ(DetailOf(catalog_.ListTemplateVersions(versions, absl::InfiniteFuture()).status()).reason,
            "NAMESPACE_NOT_FOUND");
}

}  // namespace
}  // namespace tasker::registry
