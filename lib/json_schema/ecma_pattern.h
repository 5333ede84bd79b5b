#pragma once

#include <string>
#include <string_view>

namespace tasker::json_schema {

/// An ECMA-262 regular expression (unicode mode, no flags) in RE2's syntax. The suite's and most authors' patterns lean
/// on what browsers let pass, so a lone brace or bracket and needless escapes of punctuation are taken literally.
struct EcmaPattern {
  std::string re2;          ///< without capturing groups; meaningful when both texts below are empty
  std::string error;        ///< why this is no ECMA-262 pattern
  std::string unsupported;  ///< what ECMA-262 has and RE2 has not: "look-ahead '(?='"
};

/// Never fails to return; takes time and space linear in `pattern`, but for counted repeats beyond 1,000, which are
/// written out (up to 1 MB).
EcmaPattern TranslatePattern(std::string_view pattern);

}  // namespace tasker::json_schema
