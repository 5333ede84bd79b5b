#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace tasker::store {

/// Appends `text` as an element of the text of a PostgreSQL array, which begins with '{', ends with '}' and has commas
/// between its elements.
inline void AppendArrayElement(std::string_view text, std::string& out) {
  out += '"';
  for (size_t begin = 0; begin < text.size();) {
    const size_t special = std::min(text.find_first_of("\"\\", begin), text.size());
    out.append(text, begin, special - begin);
    if (special < text.size()) {
      out += '\\';
      out += text[special];
    }
    begin = special + 1;
  }
  out += '"';
}

}  // namespace tasker::store
