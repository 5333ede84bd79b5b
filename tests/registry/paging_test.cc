#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "lib/registry/lifecycle.h"
#include "tests/registry/fixture.h"

namespace tasker::registry {
namespace {

constexpr absl::Time kNoDeadline = absl::InfiniteFuture();

/// Lists that are read a page at a time while others write.
class PagingTest : public RegistryTest {
 protected:
  static constexpr int kSteady = 40;  // templates that nobody touches

  static std::string Steady(int n) { return fmt::format("steady_{:02}", n); }

  void SetUp() override {
    for (int n = 0; n < kSteady; ++n) Register(Template(Steady(n), "1.0.0"));
  }

  static std::string Template(const std::string& name, const std::string& version) {
    return Yaml(name, version, "description: common words\nmetadata: {tags: [common]}\n");
  }

  // Registers, yanks and restores templates whose names lie between the steady ones, until told to stop.
  void Write(int writer, const std::atomic<bool>& stop) {
    for (int n = 0; !stop; ++n) {
      const std::string name = fmt::format("steady_{:02}_{}", (n * 7) % kSteady, writer);
      const std::string version = fmt::format("1.{}.0", n / kSteady);
      EXPECT_TRUE(registrar_.Register(Request(Template(name, version)), {}).ok());
      pb::YankTemplateRequest yank;
      yank.set_reference(fmt::format("payments/{}:{}", name, version));
      EXPECT_TRUE(lifecycle_.Yank(yank, {}).ok());
      if (n % 2 == 0) continue;
      pb::RestoreTemplateRequest restore;
      restore.set_reference(yank.reference());
      EXPECT_TRUE(lifecycle_.Restore(restore, {}).ok());
    }
  }

  // Goes through the list several times while others write; each time, every steady template is there exactly once, and
  // in order. `read` gives a page's names and the next token.
  using ReadPage = std::function<std::vector<std::string>(std::string& token)>;
  void ExpectSteady(const ReadPage& read) {
    std::atomic<bool> stop = false;
    std::vector<std::thread> writers;
    for (int writer = 0; writer < 3; ++writer) {
      writers.emplace_back([this, writer, &stop] { Write(writer, stop); });
    }
    for (int round = 0; round < 10; ++round) {
      std::vector<std::string> names;
      std::string token;
      do {
        for (std::string& name : read(token)) {
          if (name.size() == Steady(0).size()) names.push_back(std::move(name));
        }
      } while (!token.empty());
      std::vector<std::string> steady;
      for (int n = 0; n < kSteady; ++n) steady.push_back(Steady(n));
      EXPECT_EQ(names, steady);
    }
    stop = true;
    for (std::thread& writer : writers) writer.join();
  }

  ReadPage Templates(const std::function<void(pb::ListTemplatesRequest&)>& set) {
    return [this, set](std::string& token) {
      pb::ListTemplatesRequest request;
      set(request);
      request.set_page_size(7);
      request.set_page_token(token);
      const auto page = catalog_.ListTemplates(request, kNoDeadline);
      EXPECT_TRUE(page.ok()) << page.status();
      std::vector<std::string> names;
      token = page.ok() ? page->next_page_token() : "";
      if (!page.ok()) return names;
      for (const pb::TemplateSummary& summary : page->templates()) names.push_back(summary.name());
      return names;
    };
  }

  Lifecycle lifecycle_{store_, loader_};
};

TEST_F(PagingTest, TemplatesThatStayAreThereExactlyOnceWhileOthersAreWritten) {
  ExpectSteady(Templates([](pb::ListTemplatesRequest&) {}));
}

TEST_F(PagingTest, SoAreThoseOfASearch) {
  ExpectSteady(Templates([](pb::ListTemplatesRequest& request) {
    request.set_text("common words");
    request.set_tag("common");
    request.set_name_prefix("steady");
  }));
}

TEST_F(PagingTest, SoAreUsages) {
  ExpectSteady([this](std::string& token) {
    pb::FindCallableUsagesRequest request;
    request.set_callable("Pay");
    request.set_all_versions(true);
    request.set_page_size(7);
    request.set_page_token(token);
    const auto page = catalog_.FindCallableUsages(request, kNoDeadline);
    EXPECT_TRUE(page.ok()) << page.status();
    std::vector<std::string> names;
    token = page.ok() ? page->next_page_token() : "";
    if (!page.ok()) return names;
    for (const pb::Usage& usage : page->usages()) {
      const std::string path = usage.reference().substr(0, usage.reference().find(':'));
      names.push_back(path.substr(path.find('/') + 1));
    }
    return names;
  });
}

}  // namespace
}  // namespace tasker::registry
