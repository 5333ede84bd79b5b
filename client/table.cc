#include "client/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cwchar>
#include <utility>

#include "client/output.h"

namespace tasker::client {
namespace {

constexpr size_t kGap = 2;
constexpr size_t kNarrowest = 6;  // a column is not cut below this
constexpr std::string_view kEllipsis = "…";

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
                          (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);  // the last: bidi overrides
  const int width = is_control ? 1 : wcwidth(c);
  return {bytes, width < 0 ? 1 : static_cast<size_t>(width), is_control};
}

// The longest beginning of `text` that takes at most `width` columns.
std::string_view Prefix(std::string_view text, size_t width) {
  size_t used = 0;
  for (size_t i = 0; i < text.size();) {
    const Glyph glyph = GlyphAt(text, i);
    if (used + glyph.width > width) return text.substr(0, i);
    used += glyph.width;
    i += glyph.bytes;
  }
  return text;
}

void AppendCell(std::string_view text, size_t width, bool is_last, std::string& out) {
  const size_t own_width = DisplayWidth(text);
  if (own_width > width) {
    const std::string_view prefix = Prefix(text, width - 1);
    out += prefix;
    out += kEllipsis;
    if (!is_last) out.append(width - 1 - DisplayWidth(prefix) + kGap, ' ');
  } else {
    out += text;
    if (!is_last) out.append(width - own_width + kGap, ' ');
  }
}

void AppendLine(const std::vector<std::string>& cells, const std::vector<size_t>& widths, std::string& out) {
  // Trailing blanks would wrap on a narrow terminal.
  size_t count = cells.size();
  while (count > 1 && cells[count - 1].empty()) --count;
  for (size_t i = 0; i < count; ++i) AppendCell(cells[i], widths[i], i + 1 == count, out);
  out += '\n';
}

void Fit(std::vector<size_t>& widths, size_t most) {
  size_t total = kGap * (widths.size() - 1);
  for (const size_t width : widths) total += width;
  // What a row is about stands first, so that column is cut last.
  for (size_t first : {size_t{1}, size_t{0}}) {
    while (total > most && first < widths.size()) {
      size_t& widest = *std::max_element(widths.begin() + static_cast<std::ptrdiff_t>(first), widths.end());
      if (widest <= kNarrowest) break;
      --widest;
      --total;
    }
  }
}

}  // namespace

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

void Table::AddRow(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = OneLine(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::Aligned(size_t width) const {
  std::vector<size_t> widths;
  for (const std::string& cell : header_) widths.push_back(DisplayWidth(cell));
  for (const auto& row : rows_) {
    for (size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], DisplayWidth(row[i]));
  }
  Fit(widths, width);
  std::string out;
  AppendLine(header_, widths, out);
  for (const auto& row : rows_) AppendLine(row, widths, out);
  return out;
}

std::string Table::Plain() const {
  std::string out;
  for (const auto& row : rows_) out += fmt::format("{}\n", fmt::join(row, "\t"));
  return out;
}

void PrintTable(const Table& table) { Print(StdoutIsTerminal() ? table.Aligned(TerminalWidth()) : table.Plain()); }

void PrintRecord(const std::vector<std::pair<std::string, std::string>>& fields) {
  size_t widest = 0;
  for (const auto& [name, value] : fields) widest = std::max(widest, DisplayWidth(name));
  for (const auto& [name, value] : fields) {
    Print(StdoutIsTerminal() ? fmt::format("{:<{}}{}\n", name, widest + kGap, OneLine(value))
                             : fmt::format("{}\t{}\n", name, OneLine(value)));
  }
}

}  // namespace tasker::client
