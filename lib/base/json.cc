#include "lib/base/json.h"

#include <absl/container/inlined_vector.h>
#include <absl/status/status.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/utf8.h"

namespace tasker::base {
namespace {

namespace bj = boost::json;

// Builds a value from parse events. Boost's own handler takes duplicate keys and rounds large integers silently, so
// this one looks at each number's text and each object's keys.
class ValueHandler {
 public:
  static constexpr size_t max_object_size = static_cast<size_t>(-1);
  static constexpr size_t max_array_size = static_cast<size_t>(-1);
  static constexpr size_t max_key_size = static_cast<size_t>(-1);
  static constexpr size_t max_string_size = static_cast<size_t>(-1);

  explicit ValueHandler(HugeIntegers huge) : huge_(huge) {}

  Json Release() { return std::move(root_); }
  const std::string& problem() const { return problem_; }

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }
  bool on_object_begin(bj::error_code&) { return Open(bj::object()); }
  bool on_object_end(size_t, bj::error_code&) { return Close(); }
  bool on_array_begin(bj::error_code&) { return Open(bj::array()); }
  bool on_array_end(size_t, bj::error_code&) { return Close(); }
  bool on_key_part(bj::string_view part, size_t, bj::error_code&) { return Append(part); }
  bool on_key(bj::string_view part, size_t, bj::error_code& error) {
    Append(part);
    std::string key = std::exchange(text_, {});
    auto [place, fresh] = open_.back()->as_object().emplace(key, nullptr);
    if (!fresh) return Fail(fmt::format("duplicate key \"{}\"", Shortened(key)), error);
    slot_ = &place->value();
    return true;
  }
  bool on_string_part(bj::string_view part, size_t, bj::error_code&) { return Append(part); }
  bool on_string(bj::string_view part, size_t, bj::error_code&) {
    Append(part);
    Put(bj::value(bj::string_view(text_)));
    text_.clear();
    return true;
  }
  bool on_number_part(bj::string_view part, bj::error_code&) { return Append(part); }
  bool on_int64(int64_t i, bj::string_view, bj::error_code&) { return Number(bj::value(i)); }
  bool on_uint64(uint64_t u, bj::string_view, bj::error_code&) { return Number(bj::value(u)); }
  bool on_double(double, bj::string_view part, bj::error_code& error) {
    Append(part);
    const std::string number = std::exchange(text_, {});
    if (huge_ == HugeIntegers::kRefuse && number.find_first_of(".eE") == std::string::npos) {
      return Fail(fmt::format("integer {} does not fit 64 bits", Shortened(number, 40)), error);
    }
    // Boost's double is off by an ulp for some inputs; from_chars rounds correctly.
    double exact = 0;
    const auto [end, failed] = std::from_chars(number.data(), number.data() + number.size(), exact);
    if (failed == std::errc::result_out_of_range) {
      // Too small is zero; too large is nothing that a double can hold.
      if (!IsTiny(number)) return Fail(fmt::format("number {} is out of range", Shortened(number, 40)), error);
      exact = 0;
    }
    Put(bj::value(exact));
    return true;
  }
  bool on_bool(bool b, bj::error_code&) { return Put(bj::value(b)); }
  bool on_null(bj::error_code&) { return Put(bj::value(nullptr)); }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }

 private:
  static bool IsTiny(std::string_view number) {
    const size_t exponent = number.find_first_of("eE");
    if (exponent != std::string_view::npos) return number.substr(exponent + 1).starts_with('-');
    return number.starts_with("0.") || number.starts_with("-0.");
  }
  bool Append(bj::string_view part) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool Number(bj::value&& value) {
    text_.clear();
    return Put(std::move(value));
  }
  // Where the next value goes; stable because a container is filled only after its own slot is made.
  bj::value& Slot() {
    if (open_.empty()) return root_;
    if (open_.back()->is_object()) return *slot_;
    return open_.back()->as_array().emplace_back(nullptr);
  }
  bool Put(bj::value&& value) {
    Slot() = std::move(value);
    return true;
  }
  bool Open(bj::value&& container) {
    bj::value& place = Slot();
    place = std::move(container);
    open_.push_back(&place);
    return true;
  }
  bool Close() {
    open_.pop_back();
    return true;
  }
  bool Fail(std::string problem, bj::error_code& error) {
    problem_ = std::move(problem);
    error = bj::error::syntax;
    return false;
  }

  HugeIntegers huge_;
  Json root_;
  std::vector<bj::value*> open_;
  bj::value* slot_ = nullptr;
  std::string text_;
  std::string problem_;
};

void AppendReal(double value, std::string& out) {
  constexpr double kTwoTo64 = 18446744073709551616.0;
  if (value == 0) value = 0;  // drops the sign of -0.0
  char buffer[64];
  if (std::abs(value) < kTwoTo64 && value == std::trunc(value)) {
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed).ptr;
    out.append(buffer, end);
    out += ".0";
    return;
  }
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, end);
}

template <typename Int>
void AppendInteger(Int value, std::string& out) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, end);
}

void AppendPretty(const Json& value, int depth, std::string& out) {
  const auto indent = [&](int levels) { out.append(static_cast<size_t>(levels) * 2, ' '); };
  if (value.is_object() && !value.get_object().empty()) {
    const char* separator = "{\n";
    for (const auto& [key, member] : value.get_object()) {
      out += std::exchange(separator, ",\n");
      indent(depth + 1);
      AppendJsonString({key.data(), key.size()}, out);
      out += ": ";
      AppendPretty(member, depth + 1, out);
    }
    out += '\n';
    indent(depth);
    out += '}';
  } else if (value.is_array() && !value.get_array().empty()) {
    const char* separator = "[\n";
    for (const Json& item : value.get_array()) {
      out += std::exchange(separator, ",\n");
      indent(depth + 1);
      AppendPretty(item, depth + 1, out);
    }
    out += '\n';
    indent(depth);
    out += ']';
  } else {
    AppendCanonicalJson(value, out);
  }
}

// A character that JSON takes as it is, but YAML 1.1 readers such as libyaml refuse or fold like a line end: DEL, the
// C1 controls, U+2028, U+2029, U+FFFE, U+FFFF. Escaped, so that canonical JSON is YAML of the same meaning for
// everybody.
struct YamlSpecial {
  int code_point = 0;
  size_t bytes = 0;  // 0: an ordinary character
};

// REQUIRES: `next` is not empty.
YamlSpecial FindYamlSpecial(std::string_view next) {
  const auto byte = [&](size_t i) { return i < next.size() ? static_cast<unsigned char>(next[i]) : 0; };
  if (byte(0) == 0x7f) return {0x7f, 1};
  if (byte(0) == 0xC2 && byte(1) >= 0x80 && byte(1) <= 0x9f) return {byte(1), 2};
  if (byte(0) == 0xE2 && byte(1) == 0x80 && (byte(2) | 1) == 0xA9) return {0x2000 + byte(2) - 0x80, 3};
  if (byte(0) == 0xEF && byte(1) == 0xBF && byte(2) >= 0xBE) return {0xFFC0 + byte(2) - 0x80, 3};
  return {};
}

// The bytes that a JSON string holds as they are, whatever stands behind them.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (size_t c = 0x20; c < 0x7f; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}();

}  // namespace

absl::StatusOr<Json> ParseJson(std::string_view text, HugeIntegers huge, int max_depth) {
  if (const size_t bad = FindInvalidUtf8(text); bad != std::string_view::npos) {
    return absl::InvalidArgumentError(fmt::format("invalid UTF-8 at byte {}", bad));
  }
  bj::parse_options options;
  options.max_depth = static_cast<size_t>(max_depth);
  bj::basic_parser<ValueHandler> parser(options, huge);
  bj::error_code error;
  size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (!error && used < text.size()) {
    used += std::min(text.substr(used).find_first_not_of(" \t\r\n"), text.size() - used);
    if (used < text.size()) error = bj::error::extra_data;
  }
  if (error) {
    const std::string& problem = parser.handler().problem();
    return absl::InvalidArgumentError(
        fmt::format("not valid JSON: {} at byte {}", problem.empty() ? error.message() : problem, used));
  }
  return parser.handler().Release();
}

void AppendJsonString(std::string_view text, std::string& out) {
  out += '"';
  size_t start = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (kPlain[c]) continue;
    const YamlSpecial special = c < 0x7f ? YamlSpecial() : FindYamlSpecial(text.substr(i, 3));
    if (c >= 0x7f && special.bytes == 0) continue;
    out.append(text, start, i - start);
    if (special.bytes > 0) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", special.code_point);
      i += special.bytes - 1;
      start = i + 1;
      continue;
    }
    start = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
    }
  }
  out.append(text, start, text.size() - start);
  out += '"';
}

std::string JsonString(std::string_view text) {
  std::string out;
  AppendJsonString(text, out);
  return out;
}

void AppendCanonicalJson(const JsonObject& object, std::string& out) {
  absl::InlinedVector<const bj::key_value_pair*, 16> members;
  for (const auto& member : object) members.push_back(&member);
  const auto by_key = [](const auto* a, const auto* b) { return a->key() < b->key(); };
  if (!std::is_sorted(members.begin(), members.end(), by_key)) std::sort(members.begin(), members.end(), by_key);
  out += '{';
  for (const auto* member : members) {
    if (member != members.front()) out += ',';
    AppendJsonString({member->key().data(), member->key().size()}, out);
    out += ':';
    AppendCanonicalJson(member->value(), out);
  }
  out += '}';
}

void AppendCanonicalJson(const Json& value, std::string& out) {
  switch (value.kind()) {
    case bj::kind::null:
      out += "null";
      break;
    case bj::kind::bool_:
      out += value.get_bool() ? "true" : "false";
      break;
    case bj::kind::int64:
      AppendInteger(value.get_int64(), out);
      break;
    case bj::kind::uint64:
      AppendInteger(value.get_uint64(), out);
      break;
    case bj::kind::double_:
      AppendReal(value.get_double(), out);
      break;
    case bj::kind::string:
      AppendJsonString({value.get_string().data(), value.get_string().size()}, out);
      break;
    case bj::kind::array:
      out += '[';
      for (const Json& item : value.get_array()) {
        if (&item != value.get_array().data()) out += ',';
        AppendCanonicalJson(item, out);
      }
      out += ']';
      break;
    case bj::kind::object:
      AppendCanonicalJson(value.get_object(), out);
      break;
  }
}

std::string CanonicalJson(const Json& value) {
  std::string out;
  AppendCanonicalJson(value, out);
  return out;
}

std::string PrettyJson(const Json& value) {
  std::string out;
  AppendPretty(value, 0, out);
  return out;
}

std::string_view JsonKindName(const Json& value) {
  switch (value.kind()) {
    case bj::kind::null:
      return "null";
    case bj::kind::bool_:
      return "boolean";
    case bj::kind::int64:
    case bj::kind::uint64:
      return "integer";
    case bj::kind::double_:
      return "number";
    case bj::kind::string:
      return "string";
    case bj::kind::array:
      return "array";
    case bj::kind::object:
      return "object";
  }
  return "";
}

std::string JsonPointer(std::string_view path, std::string_view key) {
  std::string out;
  out.reserve(path.size() + key.size() + 1);
  out += path;
  out += '/';
  for (const char c : key) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

std::string JsonPointer(std::string_view path, size_t index) { return fmt::format("{}/{}", path, index); }

std::vector<std::string> JsonPointerTokens(std::string_view pointer) {
  std::vector<std::string> tokens;
  for (size_t i = 0; i < pointer.size(); ++i) {
    if (pointer[i] == '/') {
      tokens.emplace_back();
    } else if (tokens.empty()) {
      continue;
    } else if (pointer[i] == '~' && i + 1 < pointer.size()) {
      tokens.back() += pointer[++i] == '1' ? '/' : '~';
    } else {
      tokens.back() += pointer[i];
    }
  }
  return tokens;
}

}  // namespace tasker::base
