#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>
#include <vector>

namespace tasker::store {

/// The opaque token of a list's next page: base64url of the JSON array [list, keys…], where `list` names the list and
/// its filter and `keys` is the key of the last row given, from which the next page goes on. So rows that come or go
/// meanwhile neither shift a page nor repeat a row.
std::string EncodePageToken(std::string_view list, const std::vector<std::string>& keys);

/// The keys of `token`, `count` of them. INVALID_ARGUMENT unless EncodePageToken made it for the same `list`.
absl::StatusOr<std::vector<std::string>> DecodePageToken(std::string_view list, const std::string& token, size_t count);

}  // namespace tasker::store
