#include "lib/template/document.h"

#include <boost/json/value.hpp>
#include <charconv>
#include <cmath>
#include <optional>
#include <system_error>
#include <utility>

namespace tasker::tmpl {
namespace {

constexpr uint32_t kMaxColumn = (1u << 24) - 1;

bool IsDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// The digits of an integer and their base, without sign: "0x1f" is {"1f", 16}.
struct IntegerText {
  bool negative = false;
  std::string_view digits;
  int base = 10;
};

std::optional<IntegerText> SplitInteger(std::string_view text) {
  IntegerText out;
  if (text.starts_with('-') || text.starts_with('+')) {
    out.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  std::string_view allowed = "0123456789";
  if (text.starts_with("0o")) {
    out.base = 8;
    allowed = "01234567";
  } else if (text.starts_with("0x")) {
    out.base = 16;
    allowed = "0123456789abcdefABCDEF";
  } else if (text.size() > 1 && text[0] == '0') {
    return std::nullopt;
  }
  if (out.base != 10) text.remove_prefix(2);
  if (text.empty() || text.find_first_not_of(allowed) != std::string_view::npos) return std::nullopt;
  out.digits = text;
  return out;
}

std::optional<std::variant<int64_t, uint64_t>> IntegerValue(const IntegerText& integer) {
  uint64_t magnitude = 0;
  const char* const end = integer.digits.data() + integer.digits.size();
  if (std::from_chars(integer.digits.data(), end, magnitude, integer.base).ec != std::errc()) return std::nullopt;
  constexpr uint64_t kLowest = uint64_t{1} << 63;
  if (integer.negative) {
    if (magnitude > kLowest) return std::nullopt;
    return std::variant<int64_t, uint64_t>(static_cast<int64_t>(0 - magnitude));
  }
  if (magnitude < kLowest) return std::variant<int64_t, uint64_t>(static_cast<int64_t>(magnitude));
  return std::variant<int64_t, uint64_t>(magnitude);
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool IsReal(std::string_view text) {
  size_t i = 0;
  const auto digits = [&] {
    const size_t start = i;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
    return i - start;
  };
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
  const size_t whole = digits();
  size_t fraction = 0;
  if (i < text.size() && text[i] == '.') {
    ++i;
    fraction = digits();
  }
  if (whole + fraction == 0) return false;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

// The nearest double; infinite when there is none. REQUIRES: IsReal(text).
double RealValue(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc::result_out_of_range) return value;
  const size_t exponent = text.find_first_of("eE");
  const bool tiny = exponent != std::string_view::npos && text.substr(exponent + 1).starts_with('-');
  return tiny ? 0.0 : HUGE_VAL;
}

bool IsNotFinite(std::string_view text) {
  for (const std::string_view word : {".nan", ".NaN", ".NAN"}) {
    if (text == word) return true;
  }
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return text == ".inf" || text == ".Inf" || text == ".INF";
}

}  // namespace

std::string_view NodeKindPhrase(NodeKind kind) {
  switch (kind) {
    case NodeKind::kNull:
      return "null";
    case NodeKind::kBool:
      return "a boolean";
    case NodeKind::kInteger:
    case NodeKind::kHugeInteger:
      return "an integer";
    case NodeKind::kReal:
    case NodeKind::kNotFiniteReal:
      return "a number";
    case NodeKind::kString:
      return "text";
    case NodeKind::kList:
      return "a list";
    case NodeKind::kMap:
      return "a map";
  }
  return "";
}

NodeKind ClassifyPlain(std::string_view text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return NodeKind::kNull;
  for (const std::string_view word : {"true", "True", "TRUE", "false", "False", "FALSE"}) {
    if (text == word) return NodeKind::kBool;
  }
  const char first = text[0];
  const bool numeric = (first >= '0' && first <= '9') || first == '-' || first == '+' || first == '.';
  if (!numeric) return NodeKind::kString;
  if (const auto integer = SplitInteger(text)) {
    return IntegerValue(*integer) ? NodeKind::kInteger : NodeKind::kHugeInteger;
  }
  const std::string_view unsigned_text = first == '-' || first == '+' ? text.substr(1) : text;
  if (IsDigits(unsigned_text)) return NodeKind::kString;  // 0123
  if (IsReal(text)) return std::isinf(RealValue(text)) ? NodeKind::kNotFiniteReal : NodeKind::kReal;
  return IsNotFinite(text) ? NodeKind::kNotFiniteReal : NodeKind::kString;
}

bool Node::bool_value() const { return text()[0] == 't' || text()[0] == 'T'; }
std::variant<int64_t, uint64_t> Node::integer_value() const { return *IntegerValue(*SplitInteger(text())); }
double Node::real_value() const { return RealValue(text()); }

Document::Document() : nodes_(1) {}

void DocumentBuilder::Reserve(size_t text_bytes) {
  document_.text_.reserve(text_bytes);
  document_.nodes_.reserve(text_bytes / 12);  // of a template's canonical JSON; more of it grows as needed
  document_.children_.reserve(text_bytes / 12);
}

DocumentBuilder::Handle DocumentBuilder::AddScalar(std::string_view text, NodeKind kind, bool quoted,
                                                   base::Position position) {
  Document::Data data;
  data.begin = static_cast<uint32_t>(document_.text_.size());
  data.size = static_cast<uint32_t>(text.size());
  data.quoted = quoted;
  data.kind = kind;
  document_.text_ += text;
  document_.nodes_.push_back(data);
  const Handle node = static_cast<Handle>(document_.nodes_.size() - 1);
  SetPosition(node, position);
  return node;
}

DocumentBuilder::Handle DocumentBuilder::AddContainer(NodeKind kind, std::span<const Handle> children,
                                                      base::Position position) {
  Document::Data data;
  data.begin = static_cast<uint32_t>(document_.children_.size());
  data.size = static_cast<uint32_t>(kind == NodeKind::kMap ? children.size() / 2 : children.size());
  data.kind = kind;
  document_.children_.insert(document_.children_.end(), children.begin(), children.end());
  document_.nodes_.push_back(data);
  const Handle node = static_cast<Handle>(document_.nodes_.size() - 1);
  SetPosition(node, position);
  return node;
}

void DocumentBuilder::SetPosition(Handle node, base::Position position) {
  document_.nodes_[node].line = static_cast<uint32_t>(position.line);
  document_.nodes_[node].column = std::min(static_cast<uint32_t>(position.column), kMaxColumn) & kMaxColumn;
}

Document DocumentBuilder::Finish(Handle root) {
  document_.root_ = root;
  return std::move(document_);
}

namespace {

DocumentBuilder::Handle AddJson(const base::Json& value, DocumentBuilder& builder) {
  using boost::json::kind;
  switch (value.kind()) {
    case kind::array: {
      std::vector<DocumentBuilder::Handle> items;
      for (const base::Json& item : value.get_array()) items.push_back(AddJson(item, builder));
      return builder.AddContainer(NodeKind::kList, items, {});
    }
    case kind::object: {
      std::vector<DocumentBuilder::Handle> members;
      for (const auto& [key, member] : value.get_object()) {
        members.push_back(builder.AddScalar({key.data(), key.size()}, NodeKind::kString, true, {}));
        members.push_back(AddJson(member, builder));
      }
      return builder.AddContainer(NodeKind::kMap, members, {});
    }
    case kind::string:
      return builder.AddScalar({value.get_string().data(), value.get_string().size()}, NodeKind::kString, true, {});
    case kind::null:
      return builder.AddScalar("", NodeKind::kNull, false, {});
    case kind::bool_:
      return builder.AddScalar(value.get_bool() ? "true" : "false", NodeKind::kBool, false, {});
    case kind::int64:
    case kind::uint64:
      return builder.AddScalar(base::CanonicalJson(value), NodeKind::kInteger, false, {});
    case kind::double_:
      return builder.AddScalar(base::CanonicalJson(value), NodeKind::kReal, false, {});
  }
  return 0;
}

}  // namespace

Document Document::FromJson(const base::Json& value) {
  DocumentBuilder builder;
  return builder.Finish(AddJson(value, builder));
}

base::Position Document::Locate(std::string_view pointer, bool of_key) const {
  Node node = root();
  base::Position place = node.position();
  for (const std::string& token : base::JsonPointerTokens(pointer)) {
    if (node.is_list()) {
      size_t i = 0;
      const auto [end, failed] = std::from_chars(token.data(), token.data() + token.size(), i);
      if (failed != std::errc() || end != token.data() + token.size() || i >= node.size()) return place;
      node = node.item(i);
      place = node.position();
      continue;
    }
    bool found = false;
    for (size_t i = 0; node.is_map() && i < node.size() && !found; ++i) {
      const Node::Member member = node.member(i);
      if (member.key != token) continue;
      found = true;
      node = member.value;
      place = of_key ? member.key_position : node.position();
    }
    if (!found) return place;
  }
  return place;
}

}  // namespace tasker::tmpl
