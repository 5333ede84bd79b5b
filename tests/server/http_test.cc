#include <gtest/gtest.h>
#include <httplib.h>

#include "server/http_server.h"
#include "server/server.h"
#include "tests/support/postgres_fixture.h"

namespace tasker::server {
namespace {

TEST(HttpTest, AnswersMetricsAndProbes) {
  Options options;
  options.listen = "127.0.0.1:0";
  options.http_listen = "127.0.0.1:0";
  options.database_url = test::TestCluster::Get().NewDatabase();
  const auto server = Server::Start(options);
  ASSERT_TRUE(server.ok()) << server.status();
  httplib::Client client("http://" + (*server)->http_address());
  EXPECT_EQ(client.Get("/healthz")->status, 200);
  EXPECT_EQ(client.Get("/readyz")->status, 200);
  EXPECT_EQ(client.Get("/nothing")->status, 404);
  const std::string metrics = client.Get("/metrics")->body;
  EXPECT_NE(metrics.find("tasker_registry_calls_total{"), std::string::npos);
  EXPECT_NE(metrics.find("tasker_registry_cache_bytes{cache=\"answers\"} "), std::string::npos);
  EXPECT_EQ(metrics.find("# TYPE tasker_registry_cache_bytes"), metrics.rfind("# TYPE tasker_registry_cache_bytes"));
  EXPECT_NE(metrics.find("tasker_registry_ready 1"), std::string::npos);
}

TEST(HttpTest, APortThatIsTakenIsAnError) {
  const auto first = HttpServer::Start("127.0.0.1:0", {[] { return ""; }, [] { return false; }});
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(HttpServer::Start((*first)->address(), {}).status().code(), absl::StatusCode::kUnavailable);
  httplib::Client client("http://" + (*first)->address());
  EXPECT_EQ(client.Get("/readyz")->status, 503);
}

}  // namespace
}  // namespace tasker::server
