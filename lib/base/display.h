#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Texts of strangers as people see them. `text` is well-formed UTF-8 everywhere here.
namespace tasker::base {

/// Columns of a terminal that `text` takes: two for wide East Asian characters, none for combining marks. The C
/// locale's character type must be a UTF-8 one; elsewhere every character counts one.
size_t DisplayWidth(std::string_view text);

/// The longest beginning of `text` that takes at most `width` columns.
std::string_view DisplayPrefix(std::string_view text, size_t width);

/// `text` with a blank for every character that is no text: controls, line ends among them, changes of the writing
/// direction, and what XML cannot hold. What others registered must not steer the reader's terminal.
std::string OneLine(std::string_view text);

}  // namespace tasker::base
