#include "lib/template/yaml_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "lib/template/document.h"

namespace tasker::tmpl {
namespace {

constexpr size_t kSimpleKeyBytes = 1000;  // YAML allows 1,024 characters before the ':' of a key without '?'
constexpr size_t kIndent = 2;

// The code point that starts at `i`, and its length. REQUIRES: well-formed UTF-8.
struct CodePoint {
  uint32_t value;
  size_t bytes;
};
CodePoint CodePointAt(std::string_view text, size_t i) {
  const auto byte = [&](size_t k) -> uint32_t {
    return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u;
  };
  if (byte(0) < 0x80) return {byte(0), 1};
  if (byte(0) < 0xE0) return {(byte(0) & 0x1F) << 6 | (byte(1) & 0x3F), 2};
  if (byte(0) < 0xF0) return {(byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F), 3};
  return {(byte(0) & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F), 4};
}

// What has to be escaped: YAML's non-printable characters, its line breaks other than LF, and the byte order mark.
bool NeedsEscape(uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 || c == 0xFEFF || (c & 0xFFFE) == 0xFFFE;
}

bool HasCharacterToEscape(std::string_view text, bool allow_line_feed) {
  for (size_t i = 0; i < text.size();) {
    const CodePoint c = CodePointAt(text, i);
    if (NeedsEscape(c.value) && !(allow_line_feed && c.value == '\n')) return true;
    i += c.bytes;
  }
  return false;
}

// Text that YAML 1.2 reads as text and YAML 1.1 as something else: booleans, numbers with a leading zero or '_', times.
bool IsSpecialInYaml11(std::string_view text) {
  if (text.find_first_not_of("+-.0123456789_:abcdefABCDEFxTtZz ") == std::string_view::npos &&
      (std::string_view("+-.0123456789").find(text[0]) != std::string_view::npos)) {
    return true;
  }
  if (text.size() > 5) return false;
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  for (const std::string_view word : {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}) {
    if (lower == word) return true;
  }
  return false;
}

bool IsPlain(std::string_view text) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
  if (std::string_view("-?:,[]{}#&*!|>'\"%@`=").find(text.front()) != std::string_view::npos) return false;
  if (text == "<<" || text.starts_with("...")) return false;
  if (text.find(": ") != std::string_view::npos || text.find(" #") != std::string_view::npos) return false;
  if (ClassifyPlain(text) != NodeKind::kString || IsSpecialInYaml11(text)) return false;
  return !HasCharacterToEscape(text, /*allow_line_feed=*/false);
}

// A literal block keeps these exactly: several lines, the first of which gives the indentation.
bool IsLiteral(std::string_view text) {
  const size_t first_break = text.find('\n');
  if (first_break == std::string_view::npos || first_break == 0 || text.size() < 3) return false;
  if (text.front() == ' ' || text.ends_with("\n\n") || first_break + 1 == text.size()) return false;
  if (text.back() == ' ' || text.find(" \n") != std::string_view::npos) return false;
  return !HasCharacterToEscape(text, /*allow_line_feed=*/true);
}

void AppendQuoted(std::string_view text, std::string& out) {
  out += '"';
  for (size_t i = 0; i < text.size();) {
    const CodePoint c = CodePointAt(text, i);
    if (c.value == '"' || c.value == '\\') {
      out += '\\';
      out += text[i];
    } else if (c.value == '\n') {
      out += "\\n";
    } else if (c.value == '\t') {
      out += "\\t";
    } else if (c.value == '\r') {
      out += "\\r";
    } else if (!NeedsEscape(c.value)) {
      out.append(text, i, c.bytes);
    } else if (c.value < 0x100) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", c.value);
    } else if (c.value < 0x10000) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c.value);
    } else {
      fmt::format_to(std::back_inserter(out), "\\U{:08x}", c.value);
    }
    i += c.bytes;
  }
  out += '"';
}

void AppendLiteral(std::string_view text, size_t indent, std::string& out) {
  const bool keeps_end = text.ends_with('\n');
  out += keeps_end ? "|" : "|-";
  if (keeps_end) text.remove_suffix(1);
  for (size_t start = 0; start <= text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    out += '\n';
    if (end > start) out.append(indent, ' ');
    out.append(text, start, end - start);
    start = end + 1;
  }
}

class Writer {
 public:
  // Everything after "key:" or "-", that is, with a blank or a line end first; without a line end at the end. `indent`
  // is where the children of the value stand.
  void AppendValue(const base::Json& value, size_t indent) {
    if (value.is_object() && !value.get_object().empty()) {
      AppendMembers(value.get_object(), indent, /*on_new_line=*/true);
    } else if (value.is_array() && !value.get_array().empty()) {
      AppendItems(value.get_array(), indent, /*on_new_line=*/true);
    } else {
      out_ += ' ';
      AppendScalar(value, indent);
    }
  }

  void AppendMembers(const base::JsonObject& object, size_t indent, bool on_new_line) {
    for (const auto& [key, member] : object) {
      BeginLine(indent, on_new_line);
      AppendKey({key.data(), key.size()}, indent);
      AppendValue(member, indent + kIndent);
      on_new_line = true;
    }
  }

  void AppendItems(const base::JsonArray& array, size_t indent, bool on_new_line) {
    for (const base::Json& item : array) {
      BeginLine(indent, on_new_line);
      out_ += '-';
      if (item.is_object() && !item.get_object().empty()) {
        out_ += ' ';
        AppendMembers(item.get_object(), indent + kIndent, /*on_new_line=*/false);
      } else if (item.is_array() && !item.get_array().empty()) {
        out_ += ' ';
        AppendItems(item.get_array(), indent + kIndent, /*on_new_line=*/false);
      } else {
        AppendValue(item, indent + kIndent);
      }
      on_new_line = true;
    }
  }

  void AppendScalar(const base::Json& value, size_t indent) {
    if (!value.is_string()) return base::AppendCanonicalJson(value, out_);
    const std::string_view text(value.get_string().data(), value.get_string().size());
    if (IsPlain(text)) {
      out_ += text;
    } else if (IsLiteral(text)) {
      AppendLiteral(text, indent, out_);
    } else {
      AppendQuoted(text, out_);
    }
  }

  std::string Take() { return std::move(out_); }

 private:
  void BeginLine(size_t indent, bool on_new_line) {
    if (!on_new_line) return;
    if (!out_.empty()) out_ += '\n';
    out_.append(indent, ' ');
  }

  void AppendKey(std::string_view key, size_t indent) {
    std::string text;
    if (IsPlain(key)) {
      text = key;
    } else {
      AppendQuoted(key, text);
    }
    const bool is_simple = text.size() <= kSimpleKeyBytes;
    if (!is_simple) out_ += "? ";
    out_ += text;
    if (!is_simple) BeginLine(indent, /*on_new_line=*/true);
    out_ += ':';
  }

  std::string out_;
};

}  // namespace

std::string WriteYaml(const base::Json& value) {
  Writer writer;
  if (value.is_object() && !value.get_object().empty()) {
    writer.AppendMembers(value.get_object(), 0, /*on_new_line=*/true);
  } else if (value.is_array() && !value.get_array().empty()) {
    writer.AppendItems(value.get_array(), 0, /*on_new_line=*/true);
  } else {
    writer.AppendScalar(value, kIndent);
  }
  return writer.Take() + "\n";
}

}  // namespace tasker::tmpl
