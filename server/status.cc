#include "server/status.h"

#include <string>
#include <string_view>
#include <utility>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "lib/base/utf8.h"
#include "lib/registry/error.h"

namespace tasker::server {
namespace {

constexpr size_t kMaxMetadataBytes = 1500;  // of all metadata
constexpr size_t kMaxValueBytes = 600;      // an exact reference fits
constexpr size_t kMaxFieldBytes = 200;
constexpr size_t kMaxDescriptionBytes = 400;

// How many bytes gRPC's percent-encoding makes of `c`.
size_t EncodedBytes(char c) { return c < ' ' || c > '~' || c == '%' ? 3 : 1; }

std::string CutMessage(std::string_view message) {
  size_t bytes = 0;
  size_t encoded = 0;
  while (bytes < message.size() && bytes < kMaxMessageBytes && encoded < kMaxEncodedMessageBytes) {
    encoded += EncodedBytes(message[bytes++]);
  }
  if (bytes == message.size() && encoded <= kMaxEncodedMessageBytes) return std::string(message);
  constexpr std::string_view kMark = "...";
  return std::string(base::Utf8Prefix(message, bytes - kMark.size() - 1)).append(kMark);
}

google::rpc::ErrorInfo Info(const registry::ErrorDetail& detail) {
  google::rpc::ErrorInfo info;
  info.set_reason(detail.reason);
  info.set_domain(kErrorDomain);
  size_t bytes = 0;
  for (const auto& [key, value] : detail.metadata) {
    std::string text = base::Shortened(value, kMaxValueBytes);
    bytes += key.size() + text.size();
    if (bytes > kMaxMetadataBytes) break;
    (*info.mutable_metadata())[key] = std::move(text);
  }
  return info;
}

// As many violations as fit into `room` bytes.
google::rpc::BadRequest Violations(const registry::ErrorDetail& detail, size_t room) {
  google::rpc::BadRequest bad_request;
  for (const registry::Violation& violation : detail.violations) {
    google::rpc::BadRequest::FieldViolation& item = *bad_request.add_field_violations();
    item.set_field(base::Shortened(violation.field, kMaxFieldBytes));
    item.set_description(base::Shortened(violation.description, kMaxDescriptionBytes));
    if (bad_request.ByteSizeLong() <= room) continue;
    bad_request.mutable_field_violations()->RemoveLast();
    break;
  }
  return bad_request;
}

grpc::StatusCode CodeOf(const absl::Status& status) {
  if (status.code() == absl::StatusCode::kUnknown) return grpc::StatusCode::INTERNAL;
  return static_cast<grpc::StatusCode>(status.raw_code());  // the same numbers
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const registry::ErrorDetail detail = registry::DetailOf(status);
  google::rpc::Status details;
  details.set_code(CodeOf(status));
  details.set_message(CutMessage({status.message().data(), status.message().size()}));
  details.add_details()->PackFrom(Info(detail));
  constexpr size_t kAnyBytes = 64;  // the type's name and the lengths around a packed message
  const size_t used = details.ByteSizeLong() + kAnyBytes;
  if (used < kMaxDetailBytes) {
    const google::rpc::BadRequest violations = Violations(detail, kMaxDetailBytes - used);
    if (!violations.field_violations().empty()) details.add_details()->PackFrom(violations);
  }
  return grpc::Status(CodeOf(status), details.message(), details.SerializeAsString());
}

}  // namespace tasker::server
