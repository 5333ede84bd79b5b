#include "lib/base/display.h"

#include <cwchar>

namespace tasker::base {
namespace {

struct Glyph {
  size_t bytes;
  size_t width;
  bool is_control;
};

Glyph GlyphAt(std::string_view text, size_t i) {
  const auto lead = static_cast<unsigned char>(text[i]);
  const size_t bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  wchar_t c = bytes == 1 ? lead : static_cast<wchar_t>(lead & (0x7F >> bytes));
  for (size_t k = 1; k < bytes && i + k < text.size(); ++k) {
    c = static_cast<wchar_t>(c << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3F));
  }
  const bool is_control = c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 ||
                          (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFFFE || c == 0xFFFF;
  const int width = is_control ? 1 : wcwidth(c);
  return {bytes, width < 0 ? 1 : static_cast<size_t>(width), is_control};
}

}  // namespace

std::string_view DisplayPrefix(std::string_view text, size_t width) {
  size_t used = 0;
  for (size_t i = 0; i < text.size();) {
    const Glyph glyph = GlyphAt(text, i);
    if (used + glyph.width > width) return text.substr(0, i);
    used += glyph.width;
    i += glyph.bytes;
  }
  return text;
}

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  for (size_t i = 0; i < text.size();) {
    const Glyph glyph = GlyphAt(text, i);
    width += glyph.width;
    i += glyph.bytes;
  }
  return width;
}

std::string OneLine(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const Glyph glyph = GlyphAt(text, i);
    if (glyph.is_control) {
      out += ' ';
    } else {
      out += text.substr(i, glyph.bytes);
    }
    i += glyph.bytes;
  }
  return out;
}

}  // namespace tasker::base
