#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

namespace tasker::server {

/// host:port; an IPv6 host stands in brackets.
struct Address {
  std::string host;  ///< without brackets
  int port = 0;

  std::string ToString() const;
  /// Whether only this machine reaches it: localhost, 127.0.0.0/8, ::1.
  bool IsLoopback() const;
};

/// INVALID_ARGUMENT, with the right form, for anything else.
absl::StatusOr<Address> ParseAddress(std::string_view text);

}  // namespace tasker::server
