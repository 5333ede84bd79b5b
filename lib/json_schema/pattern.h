#pragma once

#include <re2/re2.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lib/json_schema/plain_pattern.h"

namespace tasker::json_schema {

/// One compiled `pattern`. Matching takes time linear in the text, whatever the pattern. Immutable, thread-safe.
class Pattern {
 public:
  /// Compiles an ECMA-262 pattern; look at `error` and `unsupported` before use.
  explicit Pattern(std::string_view ecma);

  const std::string& error() const { return error_; }              ///< not an ECMA-262 pattern: why; else ""
  const std::string& unsupported() const { return unsupported_; }  ///< what RE2 cannot do; else ""
  const std::string& text() const { return text_; }                ///< as the author wrote it

  /// Whether some part of `text` matches.
  bool Matches(std::string_view text) const {
    if (plain_) return plain_->Matches(text);
    return re2_->Match(re2::StringPiece(text.data(), text.size()), 0, text.size(), RE2::UNANCHORED, nullptr, 0);
  }

 private:
  std::string text_;
  std::string error_;
  std::string unsupported_;
  std::optional<PlainPattern> plain_;
  std::unique_ptr<RE2> re2_;  // where `plain_` is not
};

}  // namespace tasker::json_schema
