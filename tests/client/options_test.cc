#include "client/options.h"

#include <gtest/gtest.h>

namespace tasker::client {
namespace {

TEST(ParseTimeoutTest, ReadsDurationsAndPlainSeconds) {
  EXPECT_EQ(*ParseTimeout("10s"), absl::Seconds(10));
  EXPECT_EQ(*ParseTimeout("500ms"), absl::Milliseconds(500));
  EXPECT_EQ(*ParseTimeout("1m30s"), absl::Seconds(90));
  EXPECT_EQ(*ParseTimeout("5"), absl::Seconds(5));
  EXPECT_EQ(*ParseTimeout("0.5"), absl::Milliseconds(500));
}

TEST(ParseTimeoutTest, RefusesWhatIsNoUsefulTimeout) {
  for (const char* const text : {"", "soon", "0", "0s", "-1s", "inf", "25h", "1.2.3", "10 s"}) {
    EXPECT_FALSE(ParseTimeout(text).ok()) << text;
  }
}

TEST(WithPortTest, AddsThePortOfTheRegistryOnlyWhereThereIsNone) {
  EXPECT_EQ(WithPort("registry"), "registry:50051");
  EXPECT_EQ(WithPort("registry:1"), "registry:1");
  EXPECT_EQ(WithPort("[::1]"), "[::1]:50051");
  EXPECT_EQ(WithPort("[::1]:2"), "[::1]:2");
  EXPECT_EQ(WithPort("unix:/run/registry.sock"), "unix:/run/registry.sock");
  EXPECT_EQ(WithPort(""), "");
}

TEST(CheckServerOptionsTest, RefusesATokenThatWouldTravelReadable) {
  ServerOptions options;
  options.token_file = "token";
  for (const char* const server : {"localhost:1", "127.0.0.1:1", "[::1]:1", "unix:/run/registry.sock"}) {
    options.servers = {server};
    EXPECT_TRUE(CheckServerOptions(options).ok()) << server;
  }
  options.servers = {"localhost:1", "registry.example.com:1"};
  EXPECT_FALSE(CheckServerOptions(options).ok());
  options.tls = true;
  EXPECT_TRUE(CheckServerOptions(options).ok());
}

TEST(CheckServerOptionsTest, RefusesUrlsEmptyNamesAndHalfACertificate) {
  ServerOptions options;
  options.servers = {"http://localhost:50051"};
  EXPECT_FALSE(CheckServerOptions(options).ok());
  options.servers = {"localhost:1", ""};
  EXPECT_FALSE(CheckServerOptions(options).ok());
  options.servers = {"localhost:1"};
  options.tls_cert = "cert.pem";
  EXPECT_FALSE(CheckServerOptions(options).ok());
  options.tls_key = "key.pem";
  EXPECT_TRUE(CheckServerOptions(options).ok());
}

}  // namespace
}  // namespace tasker::client
