#include "lib/legacy/comments.h"

#include <algorithm>
#include <cstddef>

namespace tasker::legacy {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (IsBlank(text.back()) || text.back() == '\r')) text.remove_suffix(1);
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  return text;
}

// Above the first value stand only these.
bool IsHeadLine(std::string_view line) {
  const std::string_view text = Trimmed(line);
  if (text.empty() || text[0] == '#' || line.starts_with('%')) return true;
  return line.starts_with("---") && (text == "---" || Trimmed(text.substr(3)).starts_with('#'));
}

class Scanner {
 public:
  /// Whether the line holds a comment. Lines come in the order of the text.
  bool HasComment(std::string_view line) {
    while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    const size_t indent = std::min(line.find_first_not_of(' '), line.size());
    if (in_block_) {
      if (indent == line.size() || indent > block_indent_) return false;
      in_block_ = false;
    }
    const size_t comment = CommentStart(line);
    if (quote_ == '\0') OpenBlock(Trimmed(line.substr(0, comment)), indent);
    return comment != std::string_view::npos;
  }

 private:
  // Where the line's comment starts; npos: nowhere. A quotation may go on over lines.
  size_t CommentStart(std::string_view line) {
    for (size_t i = 0; i < line.size(); ++i) {
      const char c = line[i];
      const bool starts = i == 0 || IsBlank(line[i - 1]);
      if (quote_ == '"' && c == '\\') {
        ++i;
      } else if (quote_ != '\0') {
        if (c == quote_) quote_ = '\0';  // a doubled '' closes and opens again
      } else if (c == '#' && starts) {
        return i;
      } else if ((c == '"' || c == '\'') && OpensQuote(line, i)) {
        quote_ = c;
      }
    }
    return std::string_view::npos;
  }

  // A quotation mark inside plain text ("don't") opens nothing; one at the beginning of a value does.
  static bool OpensQuote(std::string_view line, size_t i) {
    size_t before = i;
    while (before > 0 && IsBlank(line[before - 1])) --before;
    if (before == 0) return true;
    const char c = line[before - 1];
    const bool after_blank = before < i;
    if (c == '[' || c == '{' || c == ',') return true;
    if (i > 0 && line[i - 1] == '\'' && line[i] == '\'') return true;  // the second half of ''
    return (c == ':' || c == '-' || c == '?') && after_blank;
  }

  // `key: |`, `- >-`: what follows, further in than this line, is text.
  void OpenBlock(std::string_view line, size_t indent) {
    size_t end = line.size();
    while (end > 0 && std::string_view("+-123456789").find(line[end - 1]) != std::string_view::npos) --end;
    if (end == 0 || (line[end - 1] != '|' && line[end - 1] != '>')) return;
    if (end > 1 && !IsBlank(line[end - 2])) return;
    in_block_ = true;
    block_indent_ = indent;
  }

  char quote_ = '\0';
  bool in_block_ = false;
  size_t block_indent_ = 0;
};

}  // namespace

Comments FindComments(std::string_view yaml) {
  Comments comments;
  if (yaml.starts_with("\xEF\xBB\xBF")) yaml.remove_prefix(3);
  Scanner scanner;
  bool in_head = true;
  for (int number = 1; !yaml.empty(); ++number) {
    const size_t end = std::min(yaml.find('\n'), yaml.size());
    std::string_view line = yaml.substr(0, end);
    yaml.remove_prefix(std::min(end + 1, yaml.size()));
    in_head = in_head && IsHeadLine(line);
    if (!in_head) {
      if (scanner.HasComment(line)) comments.others.push_back(number);
      continue;
    }
    while (!line.empty() && (IsBlank(line.back()) || line.back() == '\r')) line.remove_suffix(1);
    comments.head.append(line) += '\n';
  }
  return comments;
}

}  // namespace tasker::legacy
