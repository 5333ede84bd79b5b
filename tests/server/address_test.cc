#include "server/address.h"

#include <gtest/gtest.h>

namespace tasker::server {
namespace {

TEST(AddressTest, ReadsHostAndPort) {
  for (const char* text : {"127.0.0.1:50051", "localhost:0", "[::1]:65535", "db.example.com:80"}) {
    const auto address = ParseAddress(text);
    ASSERT_TRUE(address.ok()) << address.status();
    EXPECT_EQ(address->ToString(), text);
  }
}

TEST(AddressTest, RefusesEverythingElse) {
  for (const char* text : {"", "50051", ":50051", "host:", "host:x", "host:65536", "host:-1", "::1:80", "host:80 "}) {
    EXPECT_FALSE(ParseAddress(text).ok()) << text;
  }
}

TEST(AddressTest, KnowsWhatOnlyThisMachineReaches) {
  for (const char* text : {"localhost:1", "127.0.0.1:1", "127.9.9.9:1", "[::1]:1"}) {
    EXPECT_TRUE(ParseAddress(text)->IsLoopback()) << text;
  }
  for (const char* text : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "127.example.com:1", "registry:1"}) {
    EXPECT_FALSE(ParseAddress(text)->IsLoopback()) << text;
  }
}

}  // namespace
}  // namespace tasker::server
