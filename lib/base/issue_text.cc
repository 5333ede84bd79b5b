#include "lib/base/issue_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/utf8.h"

namespace tasker::base {
namespace {

constexpr size_t kExcerptBytes = 160;  // wide enough for real lines; bounds a megabyte on one line

// The bytes of line `number` (from 1) without its line end; LF, CRLF and a lone CR end a line, as in YAML.
std::string_view LineAt(std::string_view text, int number) {
  size_t start = 0;
  for (int line = 1; line < number; ++line) {
    const size_t end = text.find_first_of("\r\n", start);
    if (end == std::string_view::npos) return {};
    start = end + (text.substr(end, 2) == "\r\n" ? 2 : 1);
  }
  return text.substr(start, text.find_first_of("\r\n", start) - start);
}

std::string Printable(std::string_view bytes) {
  std::string out(bytes);
  for (char& c : out) {
    if (c == '\t') c = ' ';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '.';
  }
  return out;
}

// How many columns of a terminal `bytes` takes, near enough: one for each code point.
size_t Width(std::string_view bytes) {
  return static_cast<size_t>(
      std::count_if(bytes.begin(), bytes.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string Excerpt(Position position, std::string_view text) {
  std::string_view line = LineAt(text, position.line);
  size_t caret = std::min(static_cast<size_t>(std::max(position.column, 1) - 1), line.size());
  if (line.size() > kExcerptBytes) {
    size_t from = caret > kExcerptBytes / 2 ? caret - kExcerptBytes / 2 : 0;
    while (from > 0 && (static_cast<unsigned char>(line[from]) & 0xC0) == 0x80) --from;
    caret -= from;
    line = Utf8Prefix(line.substr(from), kExcerptBytes);
    caret = std::min(caret, line.size());
  }
  if (!IsValidUtf8(line)) return "";
  const std::string gutter = fmt::format("{:>5} | ", position.line);
  return fmt::format("{}{}\n{:>8}{:>{}}\n", gutter, Printable(line), "| ", "^", Width(line.substr(0, caret)) + 1);
}

}  // namespace

std::string IssueText(const Issue& issue, std::string_view file, std::string_view text, IssueTextOptions options) {
  const bool is_error = issue.severity == Severity::kError;
  const char* const kind = is_error ? "error" : "warning";
  const char* const tint = !options.color ? "" : is_error ? "\x1b[1;31m" : "\x1b[1;35m";
  const char* const bold = options.color ? "\x1b[1m" : "";
  const char* const reset = options.color ? "\x1b[0m" : "";

  std::string place(file);
  if (issue.position.known()) place += fmt::format(":{}:{}", issue.position.line, issue.position.column);
  std::string out =
      fmt::format("{}{}:{} {}{}:{} {} [{}]\n", bold, place, reset, tint, kind, reset, issue.message, issue.code);
  if (issue.position.known() && !text.empty()) out += Excerpt(issue.position, text);
  if (!issue.position.known() && !issue.path.empty()) out += fmt::format("  at: {}\n", issue.path);
  if (!issue.hint.empty()) out += fmt::format("{}help:{} {}\n", bold, reset, issue.hint);
  return out;
}

std::string IssueTexts(std::span<const Issue> issues, size_t omitted, std::string_view file, std::string_view text,
                       IssueTextOptions options) {
  std::string out;
  for (const Issue& issue : issues) out += IssueText(issue, file, text, options);
  if (omitted > 0) out += fmt::format("{}: {} more issues are not listed\n", file, omitted);
  return out;
}

}  // namespace tasker::base
