#include "client/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "client/output.h"

namespace tasker::client {
namespace {

constexpr size_t kGap = 2;
constexpr size_t kNarrowest = 6;  // a column is not cut below this
constexpr std::string_view kEllipsis = "…";

void AppendCell(std::string_view text, size_t width, bool is_last, std::string& out) {
  const size_t own_width = DisplayWidth(text);
  if (own_width > width) {
    const std::string_view prefix = base::DisplayPrefix(text, width - 1);
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

// `text`, which begins in column `indent`, broken at blanks so that no line but that of a longer word passes `width`.
std::string Wrapped(std::string_view text, size_t indent, size_t width) {
  std::string out;
  size_t used = indent;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    const size_t own_width = DisplayWidth(word);
    if (used > indent && used + 1 + own_width > width) {
      out += '\n' + std::string(indent, ' ');
      used = indent;
    } else if (used > indent) {
      out += ' ';
      ++used;
    }
    out += word;
    used += own_width;
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  return out;
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

void Table::AddRow(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = OneLine(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::Aligned(size_t width) const {
  if (!rows_.empty()) {
    std::vector<size_t> shown;
    for (size_t i = 0; i < header_.size(); ++i) {
      if (std::any_of(rows_.begin(), rows_.end(), [&](const auto& row) { return !row[i].empty(); })) shown.push_back(i);
    }
    if (shown.size() < header_.size()) return Only(shown).Aligned(width);
  }
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

Table Table::Only(const std::vector<size_t>& columns) const {
  const auto pick = [&](const std::vector<std::string>& cells) {
    std::vector<std::string> picked;
    for (const size_t column : columns) picked.push_back(cells[column]);
    return picked;
  };
  Table out(pick(header_));
  for (const auto& row : rows_) out.rows_.push_back(pick(row));
  return out;
}

std::string Table::Plain() const {
  std::string out;
  for (const auto& row : rows_) out += fmt::format("{}\n", fmt::join(row, "\t"));
  return out;
}

void PrintTable(const Table& table) { Print(StdoutIsTerminal() ? table.Aligned(TerminalWidth()) : table.Plain()); }

void PrintRecord(const std::vector<std::pair<std::string, std::string>>& fields, LongValues long_values) {
  size_t widest = 0;
  for (const auto& [name, value] : fields) widest = std::max(widest, DisplayWidth(name));
  for (const auto& [name, value] : fields) {
    if (!StdoutIsTerminal()) {
      Print(fmt::format("{}\t{}\n", name, OneLine(value)));
      continue;
    }
    const size_t indent = widest + kGap;
    const std::string text = OneLine(value);
    Print(fmt::format("{:<{}}{}\n", name, indent,
                      long_values == LongValues::kWrapped ? Wrapped(text, indent, TerminalWidth()) : text));
  }
}

}  // namespace tasker::client
