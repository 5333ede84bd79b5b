#include "lib/json_schema/formats.h"

/// URI templates: RFC 6570.
namespace tasker::json_schema {
namespace {

bool IsHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool IsPercentEncoded(std::string_view text, size_t at) {
  return at + 2 < text.size() && IsHex(text[at + 1]) && IsHex(text[at + 2]);
}

// varname ["*" / ":" 1–9999]
bool IsVariable(std::string_view text) {
  if (text.ends_with('*')) {
    text.remove_suffix(1);
  } else if (const size_t colon = text.find(':'); colon != std::string_view::npos) {
    const std::string_view length = text.substr(colon + 1);
    if (length.empty() || length.size() > 4 || length[0] == '0') return false;
    if (length.find_first_not_of("0123456789") != std::string_view::npos) return false;
    text = text.substr(0, colon);
  }
  bool dot_allowed = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.') {
      if (!dot_allowed) return false;
      dot_allowed = false;
      continue;
    }
    dot_allowed = true;
    if (c == '%') {
      if (!IsPercentEncoded(text, i)) return false;
      i += 2;
    } else if (c != '_' && !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z')) {
      return false;
    }
  }
  return dot_allowed;
}

bool IsExpression(std::string_view text) {
  constexpr std::string_view kOperators = "+#./;?&=,!@|";
  if (!text.empty() && kOperators.find(text.front()) != std::string_view::npos) text.remove_prefix(1);
  for (;;) {
    const size_t comma = text.find(',');
    if (!IsVariable(text.substr(0, comma))) return false;
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

bool IsUriTemplate(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c == '{') {
      const size_t end = text.find('}', i);
      if (end == std::string_view::npos || !IsExpression(text.substr(i + 1, end - i - 1))) return false;
      i = end;
    } else if (c == '%') {
      if (!IsPercentEncoded(text, i)) return false;
      i += 2;
    } else if (c <= 0x20 || c == 0x7F || std::string_view("\"'<>\\^`|}").find(text[i]) != std::string_view::npos) {
      return false;
    }
  }
  return true;
}

}  // namespace tasker::json_schema
