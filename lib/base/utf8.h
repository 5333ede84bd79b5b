#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tasker::base {

/// The offset of the first byte that is not part of well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms,
/// nothing above U+10FFFF), or npos when all of `text` is well-formed.
size_t FindInvalidUtf8(std::string_view text);

inline bool IsValidUtf8(std::string_view text) { return FindInvalidUtf8(text) == std::string_view::npos; }

/// The longest prefix of well-formed `text` that is at most `bytes` long and does not split a character.
std::string_view Utf8Prefix(std::string_view text, size_t bytes);

/// `text`, or its beginning and "…" when it is longer than `bytes`: values quoted in messages.
std::string Shortened(std::string_view text, size_t bytes = 60);

}  // namespace tasker::base
