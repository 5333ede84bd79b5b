#pragma once

#include <string>
#include <string_view>

namespace tasker::base {

/// "sha256:" and 64 lower-case hexadecimal digits of the SHA-256 of `text`.
std::string Sha256Digest(std::string_view text);

}  // namespace tasker::base
