#pragma once

#include <absl/status/status.h>
#include <grpcpp/support/status.h>

#include <cstddef>

namespace tasker::server {

/// Whose reasons our ErrorInfo carries.
inline constexpr char kErrorDomain[] = "registry.tasker.dev";

/// What an error may be at most. gRPC clients refuse more than 8 KiB of trailers, and then the connection may be
/// broken for later calls, too. Details travel in base64 and the message percent-encoded, so these two give at most
/// 4096·4/3 + 2048 bytes.
inline constexpr size_t kMaxMessageBytes = 1024;
inline constexpr size_t kMaxEncodedMessageBytes = 2048;
inline constexpr size_t kMaxDetailBytes = 4096;

/// The only place where errors become gRPC's (AIP-193): the same code; the message, cut; as details one ErrorInfo, and
/// one BadRequest with as many of the violations as fit. UNKNOWN becomes INTERNAL. Never throws.
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace tasker::server
