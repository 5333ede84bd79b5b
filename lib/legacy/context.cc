#include "lib/legacy/context.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <utility>

#include "lib/base/utf8.h"

namespace tasker::legacy {
namespace {

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

// Ruby's Psych (YAML 1.1) takes these words for booleans, besides true and false.
std::optional<bool> Yaml11Bool(std::string_view text) {
  if (text.size() > 3) return std::nullopt;
  const std::string lower = Lower(text);
  if (lower == "yes" || lower == "on") return true;
  if (lower == "no" || lower == "off") return false;
  return std::nullopt;
}

// 1_000, 0123, 12:30: numbers to Psych, text to YAML 1.2.
bool IsYaml11Number(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || !IsDigit(text[0])) return false;
  if (text.find_first_not_of("0123456789_") == std::string_view::npos) return true;
  return text.size() <= 8 && text.back() != ':' && text.find_first_not_of("0123456789:") == std::string_view::npos;
}

// The text of an integer in quotes or with '_' between its digits, without these.
std::optional<uint64_t> DigitsOf(std::string_view text) {
  uint64_t value = 0;
  bool any = false;
  for (const char c : text) {
    if (c == '_' && any) continue;
    if (!IsDigit(c) || value > (UINT64_MAX - 9) / 10) return std::nullopt;
    value = value * 10 + static_cast<uint64_t>(c - '0');
    any = true;
  }
  if (!any || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  return value;
}

// About the bytes that the value takes as text.
size_t SizeOf(const Json& value) {
  size_t bytes = 4;
  if (value.is_string()) {
    bytes += value.get_string().size();
  } else if (value.is_array()) {
    for (const Json& item : value.get_array()) bytes += SizeOf(item);
  } else if (value.is_object()) {
    for (const auto& [key, member] : value.get_object()) bytes += key.size() + SizeOf(member);
  }
  return bytes;
}

}  // namespace

Place Inside(Place place, std::string key) {
  place.push_back(std::move(key));
  return place;
}

std::optional<std::string_view> RubySymbol(std::string_view text) {
  if (text.size() < 2 || text[0] != ':') return std::nullopt;
  const std::string_view name = text.substr(1);
  const bool quoted = name.size() > 2 && (name[0] == '"' || name[0] == '\'') && name.back() == name[0];
  if (quoted) return name.substr(1, name.size() - 2);
  if (!IsLetter(name[0])) return std::nullopt;
  const size_t end = static_cast<size_t>(
      std::find_if_not(name.begin(), name.end(), [](char c) { return IsLetter(c) || IsDigit(c); }) - name.begin());
  const std::string_view rest = name.substr(end);
  if (rest.empty() || rest == "?" || rest == "!" || rest == "=") return name;
  return std::nullopt;
}

bool IsSymbolValue(Node node) {
  return node.kind() == NodeKind::kString && !node.quoted() && RubySymbol(node.text()).has_value();
}

std::string CleanName(std::string_view name) {
  std::string clean;
  for (const char c : name) {
    const bool continues = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
    const bool inner = c == '-' || c == '.';
    if (continues) continue;  // one '_' for the whole character
    clean += IsLetter(c) || IsDigit(c) || (inner && !clean.empty()) ? c : '_';
  }
  return clean;
}

bool CheckNameLength(Context& context, std::string_view name, Position position) {
  constexpr size_t kMaxBytes = 255;  // tmpl::IsName
  if (name.size() <= kMaxBytes) return true;
  context.Error("LEGACY_NAME_TOO_LONG", position,
                fmt::format("the name has {} bytes; at most {} are allowed", name.size(), kMaxBytes), "shorten it");
  return false;
}

Json JsonText(std::string_view text) { return Json(boost::json::string_view(text.data(), text.size())); }

void Put(JsonObject& object, std::string_view key, Json value) {
  object.insert_or_assign({key.data(), key.size()}, std::move(value));
}

const Json* Find(const JsonObject& object, std::string_view key) {
  return object.if_contains({key.data(), key.size()});
}

std::string Context::PlainKey(std::string_view key, Position position) {
  const std::optional<std::string_view> symbol = RubySymbol(key);
  if (!symbol) return std::string(key);
  if (symbol_keys_++ == 0 || position < first_symbol_key_) {
    first_symbol_key_ = position;
    first_symbol_key_text_ = key;
  }
  return std::string(*symbol);
}

std::string Context::PlainText(Node scalar) {
  if (!IsSymbolValue(scalar)) return std::string(scalar.text());
  const std::string_view symbol = *RubySymbol(scalar.text());
  Change(scalar.position(), fmt::format("symbol '{}' has become text '{}'", scalar.text(), symbol));
  return std::string(symbol);
}

void Context::NoteYaml11(Node scalar) {
  const std::string_view text = scalar.text();
  if (scalar.quoted() || text.empty() || text.size() > 40) return;
  if (const std::optional<bool> value = Yaml11Bool(text)) {
    Notice(scalar.position(),
           fmt::format("'{}' is text here; the old runtime (YAML 1.1) read it as {}: write that if it is meant", text,
                       *value));
  } else if (IsYaml11Number(text)) {
    Notice(scalar.position(),
           fmt::format("'{}' is text here; the old runtime (YAML 1.1) read it as a number: write that if it is meant",
                       text));
  }
}

Json Context::PlainJson(Node node) {
  switch (node.kind()) {
    case NodeKind::kNull:
      return nullptr;
    case NodeKind::kBool:
      return node.bool_value();
    case NodeKind::kInteger:
      return std::visit([](auto integer) { return Json(integer); }, node.integer_value());
    case NodeKind::kReal:
      return node.real_value();
    case NodeKind::kString:
      NoteYaml11(node);
      return JsonText(PlainText(node));
    case NodeKind::kHugeInteger:
    case NodeKind::kNotFiniteReal:
      Error("LEGACY_NUMBER", node.position(),
            fmt::format("{} is a number that the new format cannot hold exactly", base::Shortened(node.text(), 40)),
            "quote it to keep it as text");
      return nullptr;
    case NodeKind::kList: {
      JsonArray list;
      list.reserve(node.size());
      for (size_t i = 0; i < node.size(); ++i) list.push_back(PlainJson(node.item(i)));
      return list;
    }
    case NodeKind::kMap:
      break;
  }
  JsonObject map;
  map.reserve(node.size());
  for (size_t i = 0; i < node.size(); ++i) {
    const Node::Member member = node.member(i);
    const std::string key = PlainKey(member.key, member.key_position);
    if (Find(map, key) != nullptr) {
      Error("LEGACY_KEY_TWICE", member.key_position,
            fmt::format("key '{}' is there twice, as text and as a Ruby symbol", base::Shortened(key)),
            "keep one of the two");
    }
    Put(map, key, PlainJson(member.value));
  }
  return map;
}

std::string Context::SetAside(const Place& place, Json value) {
  std::string path = "metadata.legacy";
  JsonObject* map = &aside_;
  for (size_t i = 0; i + 1 < place.size(); ++i) {
    std::string key = place[i];
    const Json* inner = Find(*map, key);
    // A scalar stands where a map is needed when the old text has, say, an odd `steps: 5` besides step templates.
    for (int n = 2; inner != nullptr && !inner->is_object(); ++n) {
      key = fmt::format("{}_{}", place[i], n);
      inner = Find(*map, key);
    }
    path += "." + key;
    map = &map->emplace(key, JsonObject()).first->value().get_object();
  }
  path += "." + place.back();
  std::string key = place.back();
  int& repeats = repeats_[path];  // the same step may be overridden any number of times
  if (Find(*map, key) == nullptr) {
    map->emplace(key, std::move(value));
    return path;
  }
  do {
    key = fmt::format("{}_{}", place.back(), ++repeats + 1);
  } while (Find(*map, key) != nullptr);
  map->emplace(key, std::move(value));
  return fmt::format("{}_{}", path, repeats + 1);
}

bool Context::CountCopy(const Json& value, Position position) {
  const size_t bytes = SizeOf(value);
  if (bytes <= copied_bytes_left_) {
    copied_bytes_left_ -= bytes;
    return true;
  }
  if (copied_bytes_left_ > 0) {
    Error("LEGACY_TOO_LARGE", position,
          fmt::format("with everything that steps and overrides share written out, the text would have more than {} "
                      "bytes",
                      tmpl::ReadLimits{}.text_bytes),
          "split the template");
  }
  copied_bytes_left_ = 0;
  return false;
}

std::vector<legacy::Note> Context::TakeNotes() {
  if (symbol_keys_ > 0) {
    Change(first_symbol_key_,
           symbol_keys_ == 1
               ? fmt::format("symbol key '{}' has become plain", first_symbol_key_text_)
               : fmt::format("{} symbol keys have become plain, first '{}'", symbol_keys_, first_symbol_key_text_));
  }
  std::stable_sort(notes_.begin(), notes_.end(),
                   [](const legacy::Note& a, const legacy::Note& b) { return a.line < b.line; });
  return std::move(notes_);
}

std::optional<bool> BoolOf(Context& context, Node node) {
  if (node.kind() == NodeKind::kBool) return node.bool_value();
  if (node.kind() != NodeKind::kString) return std::nullopt;
  std::optional<bool> value = node.quoted() ? std::nullopt : Yaml11Bool(node.text());
  if (tmpl::ClassifyPlain(node.text()) == NodeKind::kBool) value = Lower(node.text()) == "true";
  if (value) context.Change(node.position(), fmt::format("'{}' has become {}", node.text(), *value));
  return value;
}

std::optional<uint64_t> WholeOf(Context& context, Node node) {
  if (node.kind() == NodeKind::kInteger) {
    const auto integer = node.integer_value();
    if (const auto* const value = std::get_if<uint64_t>(&integer)) return *value;
    const int64_t value = std::get<int64_t>(integer);
    return value < 0 ? std::nullopt : std::optional<uint64_t>(static_cast<uint64_t>(value));
  }
  std::optional<uint64_t> value;
  if (node.kind() == NodeKind::kString) value = DigitsOf(node.text());
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (node.kind() == NodeKind::kReal && node.real_value() >= 0 && node.real_value() < kExact &&
      node.real_value() == std::floor(node.real_value())) {
    value = static_cast<uint64_t>(node.real_value());
  }
  if (value) context.Change(node.position(), fmt::format("'{}' has become {}", node.text(), *value));
  return value;
}

std::optional<double> NumberOf(Context& context, Node node) {
  if (node.kind() == NodeKind::kReal) return node.real_value() >= 0 ? std::optional(node.real_value()) : std::nullopt;
  const std::optional<uint64_t> whole = WholeOf(context, node);
  return whole ? std::optional(static_cast<double>(*whole)) : std::nullopt;
}

}  // namespace tasker::legacy
