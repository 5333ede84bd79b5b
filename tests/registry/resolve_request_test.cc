#include "lib/registry/resolve_request.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tasker/registry/v1/resolver.pb.h"

namespace tasker::registry {
namespace {

namespace pb = ::tasker::registry::v1;

TEST(ResolveRequestTest, ReadsEveryFieldOfATemplatesRequest) {
  pb::ResolveTemplateRequest request;
  request.set_reference("payments/refund:latest");
  request.set_environment("production");
  request.set_view(pb::TEMPLATE_VIEW_JSON);
  request.set_if_not_digest("sha256:00");
  request.set_require_environment(true);
  request.set_min_revision(1'234'567'890'123);
  const std::string bytes = request.SerializeAsString();
  const auto view = ReadResolveTemplateRequest(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->reference, request.reference());
  EXPECT_EQ(view->environment, request.environment());
  EXPECT_EQ(view->view, request.view());
  EXPECT_EQ(view->if_not_digest, request.if_not_digest());
  EXPECT_TRUE(view->require_environment);
  EXPECT_EQ(view->min_revision, request.min_revision());
}

TEST(ResolveRequestTest, ReadsEveryFieldOfAHandlersRequest) {
  pb::ResolveHandlerRequest request;
  request.set_reference("payments/refund");
  request.set_environment("test");
  request.set_step_name("pay");
  request.set_require_environment(true);
  request.set_min_revision(-1);
  const std::string bytes = request.SerializeAsString();
  const auto view = ReadResolveHandlerRequest(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->reference, request.reference());
  EXPECT_EQ(view->environment, request.environment());
  EXPECT_EQ(view->step_name, request.step_name());
  EXPECT_TRUE(view->require_environment);
  EXPECT_EQ(view->min_revision, -1);
}

TEST(ResolveRequestTest, LeavesOutAbsentFieldsAndTakesTheLastOfTwo) {
  EXPECT_EQ(ReadResolveTemplateRequest("")->reference, "");
  pb::ResolveTemplateRequest first;
  first.set_reference("a/b");
  pb::ResolveTemplateRequest second;
  second.set_reference("c/d");
  const std::string bytes = first.SerializeAsString() + second.SerializeAsString();
  EXPECT_EQ(ReadResolveTemplateRequest(bytes)->reference, "c/d");
}

TEST(ResolveRequestTest, LeavesUnknownFieldsAndDamageToProtobuf) {
  pb::ResolveTemplateRequest request;
  request.set_reference("payments/refund");
  const std::string bytes = request.SerializeAsString();
  EXPECT_FALSE(ReadResolveTemplateRequest(bytes + "\x7a\x01x")) << "field 15";
  EXPECT_FALSE(ReadResolveTemplateRequest(bytes + "\x0d\x01\x02\x03\x04")) << "a fixed number where a text belongs";
  EXPECT_FALSE(ReadResolveTemplateRequest(bytes.substr(0, bytes.size() - 1)));
  EXPECT_FALSE(ReadResolveTemplateRequest(std::string(11, '\xff')));
}

// Whatever it does read, it reads as protobuf does.
TEST(ResolveRequestTest, AgreesWithProtobufOnDamagedRequests) {
  std::minstd_rand random(7);
  pb::ResolveTemplateRequest request;
  request.set_reference("payments/refund:1.0.0");
  request.set_environment("production");
  request.set_require_environment(true);
  request.set_min_revision(100);  // of one byte, so that all bytes are ASCII
  const std::string whole = request.SerializeAsString();
  int read = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = whole;
    for (int flips = static_cast<int>(random() % 3); flips >= 0; --flips) {
      bytes[random() % bytes.size()] = static_cast<char>(random() % 128);  // ASCII: UTF-8 is not what this is about
    }
    const auto view = ReadResolveTemplateRequest(bytes);
    if (!view) continue;
    ++read;
    pb::ResolveTemplateRequest parsed;
    ASSERT_TRUE(parsed.ParseFromString(bytes)) << testing::PrintToString(bytes);
    EXPECT_EQ(view->reference, parsed.reference());
    EXPECT_EQ(view->environment, parsed.environment());
    EXPECT_EQ(view->view, parsed.view());
    EXPECT_EQ(view->if_not_digest, parsed.if_not_digest());
    EXPECT_EQ(view->require_environment, parsed.require_environment());
    EXPECT_EQ(view->min_revision, parsed.min_revision());
  }
  EXPECT_GT(read, 100);
}

}  // namespace
}  // namespace tasker::registry
