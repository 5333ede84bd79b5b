#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "lib/registry/catalog.h"
#include "lib/registry/comparison.h"
#include "lib/registry/lifecycle.h"
#include "lib/registry/payload_check.h"
#include "lib/registry/registrar.h"
#include "lib/registry/resolver.h"
#include "lib/registry/template_loader.h"
#include "tests/support/postgres_fixture.h"

namespace tasker::registry {

/// The use cases on a fresh database.
class RegistryTest : public testing::Test {
 protected:
  /// A small valid template; `more` is further YAML lines.
  static std::string Yaml(const std::string& name, const std::string& version, const std::string& more = "") {
    return fmt::format(
        "name: {}\nnamespace_name: payments\nversion: {}\nsteps: [{{name: pay, handler: {{callable: Pay}}}}]\n{}", name,
        version, more);
  }

  static pb::RegisterTemplateRequest Request(const std::string& yaml, bool dry_run = false) {
    pb::RegisterTemplateRequest request;
    request.mutable_source()->set_yaml(yaml);
    request.set_dry_run(dry_run);
    return request;
  }

  void Register(const std::string& yaml) {
    const auto response = registrar_.Register(Request(yaml), {});
    ASSERT_TRUE(response.ok()) << response.status();
  }

  std::shared_ptr<store::ConnectionPool> pool_ = test::TestCluster::Get().NewMigratedPool(4);
  std::shared_ptr<store::Store> store_ = std::make_shared<store::Store>(pool_);
  std::shared_ptr<TemplateLoader> loader_ = std::make_shared<TemplateLoader>(store_, 16 << 20);
  Registrar registrar_{store_, {}};
  Lifecycle lifecycle_{store_, loader_};
  Resolver resolver_{loader_, 16 << 20};
  PayloadCheck payloads_{loader_, 16 << 20};
  Catalog catalog_{store_, loader_};
  Comparison comparison_{loader_, {}};
};

}  // namespace tasker::registry
