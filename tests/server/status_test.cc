#include "server/status.h"

#include <gtest/gtest.h>

#include <string>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "lib/base/utf8.h"
#include "lib/registry/error.h"

namespace tasker::server {
namespace {

google::rpc::Status DetailsOf(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  return details;
}

// What the status takes of a client's 8 KiB of trailers: details in base64, the message percent-encoded.
size_t TrailerBytes(const grpc::Status& status) {
  size_t bytes = (status.error_details().size() + 2) / 3 * 4;
  for (const char c : status.error_message()) bytes += c < ' ' || c > '~' || c == '%' ? 3 : 1;
  return bytes;
}

TEST(StatusTest, EveryCodeKeepsItsNumberExceptUnknown) {
  for (int code = 1; code <= 16; ++code) {
    const grpc::Status status = ToGrpcStatus(absl::Status(static_cast<absl::StatusCode>(code), "m"));
    EXPECT_EQ(status.error_code(), code == 2 ? grpc::StatusCode::INTERNAL : code);
  }
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
}

TEST(StatusTest, AlwaysCarriesAnErrorInfo) {
  const google::rpc::Status details = DetailsOf(ToGrpcStatus(absl::UnavailableError("away")));
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(details.details(0).UnpackTo(&info));
  EXPECT_EQ(info.reason(), "UNAVAILABLE");
  EXPECT_EQ(info.domain(), kErrorDomain);
  EXPECT_EQ(details.message(), "away");
  EXPECT_EQ(details.details_size(), 1);
}

TEST(StatusTest, CarriesMetadataAndViolations) {
  const absl::Status status = registry::Error(absl::StatusCode::kInvalidArgument, "two mistakes",
                                              {"TEMPLATE_INVALID", {{"error_count", "2"}}, {{"a", "x"}, {"b", "y"}}});
  const google::rpc::Status details = DetailsOf(ToGrpcStatus(status));
  google::rpc::ErrorInfo info;
  google::rpc::BadRequest bad_request;
  ASSERT_EQ(details.details_size(), 2);
  ASSERT_TRUE(details.details(0).UnpackTo(&info));
  ASSERT_TRUE(details.details(1).UnpackTo(&bad_request));
  EXPECT_EQ(info.metadata().at("error_count"), "2");
  EXPECT_EQ(bad_request.field_violations(1).description(), "y");
}

TEST(StatusTest, NeverExceedsWhatClientsAccept) {
  for (const std::string& piece :
       {std::string("x"), std::string("é"), std::string("%"), std::string("\n"), std::string("𝄞")}) {
    std::string text;
    while (text.size() < 20'000) text += piece;
    registry::ErrorDetail detail{"WHY", {}, {}};
    for (int i = 0; i < 50; ++i) {
      detail.metadata.emplace("key" + std::to_string(i), text);
      detail.violations.push_back({text, text});
    }
    const grpc::Status status = ToGrpcStatus(registry::Error(absl::StatusCode::kInvalidArgument, text, detail));
    EXPECT_LE(status.error_message().size(), kMaxMessageBytes);
    EXPECT_LE(status.error_details().size(), kMaxDetailBytes);
    EXPECT_LT(TrailerBytes(status), 7'700u) << piece;
    EXPECT_TRUE(base::IsValidUtf8(status.error_message()));
    EXPECT_EQ(DetailsOf(status).details(0).type_url(), "type.googleapis.com/google.rpc.ErrorInfo");
  }
}

TEST(StatusTest, ListsAsManyViolationsAsFit) {
  registry::ErrorDetail detail{"WHY", {}, {}};
  for (int i = 0; i < 50; ++i) detail.violations.push_back({"source.steps[" + std::to_string(i) + "]", "is wrong"});
  google::rpc::BadRequest bad_request;
  DetailsOf(ToGrpcStatus(registry::Error(absl::StatusCode::kInvalidArgument, "m", detail)))
      .details(1)
      .UnpackTo(&bad_request);
  EXPECT_EQ(bad_request.field_violations_size(), 50);
}

}  // namespace
}  // namespace tasker::server
