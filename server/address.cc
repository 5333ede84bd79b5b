#include "server/address.h"

#include <absl/status/status.h>
#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>

namespace tasker::server {

std::string Address::ToString() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

bool Address::IsLoopback() const {
  if (host == "localhost") return true;
  in_addr four{};
  if (inet_pton(AF_INET, host.c_str(), &four) == 1) return (ntohl(four.s_addr) >> 24) == 127;
  in6_addr six{};
  return inet_pton(AF_INET6, host.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

absl::StatusOr<Address> ParseAddress(std::string_view text) {
  const absl::Status malformed =
      absl::InvalidArgumentError(fmt::format("'{}' is no address; write HOST:PORT, for example 127.0.0.1:50051", text));
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return malformed;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return malformed;
  }
  Address address{std::string(host), 0};
  const char* const end = text.data() + text.size();
  const auto [parsed, failed] = std::from_chars(text.data() + colon + 1, end, address.port);
  if (failed != std::errc() || parsed != end || address.port < 0 || address.port > 65535 || host.empty()) {
    return malformed;
  }
  return address;
}

}  // namespace tasker::server
