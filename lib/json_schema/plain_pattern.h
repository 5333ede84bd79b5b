#pragma once

#include <bitset>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace tasker::json_schema {

/// The patterns that most schemas have, "^[A-Z]{3}-[0-9]{4}$": a start anchor, then characters or classes with repeats,
/// each repeat ending where no other choice is possible. They need no automaton: one look at each character decides, in
/// a fraction of RE2's time. Immutable, thread-safe.
class PlainPattern {
 public:
  /// Nothing when `ecma` is not of this kind (or no pattern at all).
  static std::optional<PlainPattern> Parse(std::string_view ecma);

  /// Exactly what RE2 says of the translated pattern, for UTF-8 text.
  bool Matches(std::string_view text) const;

 private:
  struct Part {
    std::bitset<128> ascii;
    bool beyond_ascii = false;  ///< takes every character beyond ASCII, or none
    size_t least = 1;
    size_t most = 1;
  };
  class Reader;

  bool IsDetermined() const;

  std::vector<Part> parts_;
  bool to_end_ = false;
};

}  // namespace tasker::json_schema
