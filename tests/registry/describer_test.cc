#include "lib/registry/describer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "lib/registry/error.h"
#include "tests/registry/fixture.h"

namespace tasker::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class DescriberTest : public RegistryTest {
 protected:
  static std::string TwoSteps(const std::string& first_timeout = "10") {
    return fmt::format(
        "name: charge\nnamespace_name: payments\nversion: 1.0.0\nsystem_dependencies: {{primary: bank}}\nsteps:\n"
        "  - {{name: pay, handler: {{callable: Pay}}, timeout_seconds: {}, retry: {{limit: 2, backoff: linear}}}}\n"
        "  - {{name: tell, handler: {{callable: Tell}}, dependencies: [pay], system_dependency: mail}}\n"
        "environments:\n  test:\n    steps:\n      - {{name: ALL, timeout_seconds: 1}}\n",
        first_timeout);
  }

  static pb::DescribeTemplateRequest Request(const std::string& environment = "",
                                             pb::GraphFormat format = pb::GRAPH_FORMAT_UNSPECIFIED) {
    pb::DescribeTemplateRequest request;
    request.set_reference("payments/charge");
    request.set_environment(environment);
    request.set_graph_format(format);
    return request;
  }

  absl::StatusOr<pb::DescribeTemplateResponse> Describe(const pb::DescribeTemplateRequest& request) {
    return describer_.Describe(request, absl::InfiniteFuture());
  }

 private:
  Describer describer_{loader_};
};

TEST_F(DescriberTest, SaysHowATemplateRunsInAnEnvironment) {
  Register(TwoSteps());
  const auto base = Describe(Request());
  ASSERT_TRUE(base.ok()) << base.status();
  EXPECT_EQ(base->reference(), "payments/charge:1.0.0");
  ASSERT_EQ(base->waves_size(), 2);
  EXPECT_THAT(base->waves(0).step_names(), ElementsAre("pay"));
  EXPECT_THAT(base->critical_path(), ElementsAre("pay", "tell"));
  EXPECT_THAT(base->untimed_steps(), ElementsAre("tell"));
  EXPECT_EQ(base->calls_per_system().at("bank"), 2u);
  EXPECT_EQ(base->calls_per_system().at("mail"), 3u);
  EXPECT_THAT(base->timings(0).waits_ms(), ElementsAre(1000));
  EXPECT_EQ(base->timings(0).worst_ms(), 21'000u);
  EXPECT_EQ(base->graph(), "");
  const auto test = Describe(Request("test"));
  ASSERT_TRUE(test.ok()) << test.status();
  EXPECT_TRUE(test->environment_defined());
  EXPECT_EQ(test->timings(0).worst_ms(), 3'000u);
  EXPECT_EQ(test->untimed_steps_size(), 0);
}

TEST_F(DescriberTest, DrawsInEachFormat) {
  Register(TwoSteps());
  const std::pair<pb::GraphFormat, const char*> cases[] = {{pb::GRAPH_FORMAT_MERMAID, "flowchart TD"},
                                                           {pb::GRAPH_FORMAT_DOT, "digraph"},
                                                           {pb::GRAPH_FORMAT_SVG, "</svg>"},
                                                           {pb::GRAPH_FORMAT_TEXT, "● *pay  [bank]  10 s"}};
  for (const auto& [format, expected] : cases) {
    const auto response = Describe(Request("", format));
    ASSERT_TRUE(response.ok()) << response.status();
    EXPECT_THAT(response->graph(), HasSubstr(expected));
  }
}

TEST_F(DescriberTest, RefusesWhatItCannotAnswer) {
  Register(TwoSteps());
  EXPECT_EQ(DetailOf(Describe(Request("", static_cast<pb::GraphFormat>(99))).status()).reason, "REQUEST_INVALID");
  EXPECT_EQ(DetailOf(Describe(Request(std::string(256, 'e'))).status()).reason, "REQUEST_INVALID");
  pb::DescribeTemplateRequest undefined = Request("nowhere");
  EXPECT_FALSE(Describe(undefined)->environment_defined());
  undefined.set_require_environment(true);
  EXPECT_EQ(DetailOf(Describe(undefined).status()).reason, "ENVIRONMENT_NOT_DEFINED");
  pb::DescribeTemplateRequest unknown = Request();
  unknown.set_reference("payments/charge:9.9.9");
  EXPECT_EQ(DetailOf(Describe(unknown).status()).reason, "VERSION_NOT_FOUND");
}

TEST_F(DescriberTest, AGraphThatWouldTakeLongIsRefusedAsAPictureOnly) {
  std::string yaml = "name: charge\nnamespace_name: payments\nversion: 1.0.0\nsteps:\n";
  for (int i = 0; i < 301; ++i) yaml += fmt::format("  - {{name: s{}, handler: {{callable: A}}}}\n", i);
  Register(yaml);
  const absl::Status refused = Describe(Request("", pb::GRAPH_FORMAT_SVG)).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(DetailOf(refused).reason, "PICTURE_TOO_LARGE");
  EXPECT_TRUE(Describe(Request("", pb::GRAPH_FORMAT_DOT)).ok());
}

// However many ask at once, each gets its picture or is told to come again, and afterwards all is as before.
TEST_F(DescriberTest, ManyPicturesAtOnceAreDrawnOrRefused) {
  Register(TwoSteps());
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&] {
      const auto response = Describe(Request("", pb::GRAPH_FORMAT_SVG));
      EXPECT_TRUE(response.ok() || DetailOf(response.status()).reason == "SERVER_BUSY") << response.status();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(Describe(Request("", pb::GRAPH_FORMAT_SVG)).ok());
}

}  // namespace
}  // namespace tasker::registry
