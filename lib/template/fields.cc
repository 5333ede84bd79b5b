#include "lib/template/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "lib/base/nearest.h"
#include "lib/base/utf8.h"

namespace tasker::tmpl {
namespace {

std::string Described(Node node) {
  const std::string_view kind = NodeKindPhrase(node.kind());
  if (!node.is_scalar() || node.is_null()) return std::string(kind);
  return fmt::format("{} ('{}')", kind, base::Shortened(node.text(), 40));
}

bool IsYamlOneBoolean(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower == "yes" || lower == "no" || lower == "on" || lower == "off" || lower == "y" || lower == "n";
}

bool IsRubySymbolKey(std::string_view key) { return key.size() > 1 && key.front() == ':'; }

}  // namespace

std::string Path::ToString() const {
  if (parent == nullptr) return "";
  const std::string before = parent->ToString();
  return is_index ? base::JsonPointer(before, index) : base::JsonPointer(before, key);
}

void AddTypeError(BuildContext& context, const Path& path, Node node, std::string_view key, std::string_view wanted,
                  std::string hint) {
  context.Error("TYPE_MISMATCH", path, node.position(),
                fmt::format("'{}' must be {}, but is {}", key, wanted, Described(node)), std::move(hint));
}

base::Json ToJsonValue(BuildContext& context, const Path& path, Node node) {
  switch (node.kind()) {
    case NodeKind::kNull:
      return nullptr;
    case NodeKind::kBool:
      return node.bool_value();
    case NodeKind::kInteger:
      return std::visit([](auto integer) { return base::Json(integer); }, node.integer_value());
    case NodeKind::kReal:
      return node.real_value();
    case NodeKind::kString:
      return base::Json(boost::json::string_view(node.text().data(), node.text().size()));
    case NodeKind::kList: {
      base::JsonArray array;
      array.reserve(node.size());
      for (size_t i = 0; i < node.size(); ++i) array.push_back(ToJsonValue(context, path.Index(i), node.item(i)));
      return array;
    }
    case NodeKind::kMap: {
      base::JsonObject object;
      object.reserve(node.size());
      for (size_t i = 0; i < node.size(); ++i) {
        const Node::Member member = node.member(i);
        object.insert_or_assign({member.key.data(), member.key.size()},
                                ToJsonValue(context, path.Key(member.key), member.value));
      }
      return object;
    }
    case NodeKind::kHugeInteger:
      context.Error("NUMBER_TOO_LARGE", path, node.position(),
                    fmt::format("integer {} does not fit 64 bits", base::Shortened(node.text(), 40)),
                    "quote it to keep it as text");
      return nullptr;
    case NodeKind::kNotFiniteReal:
      context.Error("NUMBER_NOT_FINITE", path, node.position(),
                    fmt::format("{} is not a finite number", base::Shortened(node.text(), 40)),
                    "quote it to keep it as text");
      return nullptr;
  }
  return nullptr;
}

std::optional<std::string> ToText(BuildContext& context, const Path& path, Node node, std::string_view key) {
  if (node.is_null()) return std::nullopt;
  if (node.is_scalar()) return std::string(node.text());
  AddTypeError(context, path, node, key, "text");
  return std::nullopt;
}

std::optional<Node::Member> Fields::Find(std::string_view key) const {
  for (size_t i = 0; i < map_.size(); ++i) {
    const Node::Member member = map_.member(i);
    if (member.key == key) return member;
  }
  return std::nullopt;
}

std::optional<Node::Member> Fields::Find(std::string_view key, std::string_view alias) const {
  std::optional<Node::Member> by_key = Find(key);
  const std::optional<Node::Member> by_alias = Find(alias);
  if (by_key && by_alias) {
    context_.Error("KEY_ALIAS_CONFLICT", path_.Key(alias), by_alias->key_position,
                   fmt::format("'{}' and '{}' are two spellings of one key, and both are written", key, alias),
                   fmt::format("keep '{}'", key));
  }
  return by_key ? by_key : by_alias;
}

void Fields::Required(std::string_view key, std::string& out) const {
  const std::optional<Node::Member> member = Find(key);
  if (!member || member->value.is_null()) {
    const base::Position position = member ? member->key_position : map_.position();
    context_.Error("FIELD_REQUIRED", path_.Key(key), position, fmt::format("{} needs '{}'", block_.name, key),
                   fmt::format("add '{}: …'", key));
    return;
  }
  const Path path = path_.Key(key);
  if (const auto text = ToText(context_, path, member->value, key)) out = *text;
  if (out.empty() && member->value.is_scalar()) {
    context_.Error("FIELD_EMPTY", path, member->value.position(), fmt::format("'{}' must not be empty", key));
  }
}

void Fields::Text(std::string_view key, std::string& out) const {
  std::optional<std::string> text;
  Text(key, text);
  if (text) out = std::move(*text);
}

void Fields::Text(std::string_view key, std::optional<std::string>& out) const {
  const std::optional<Node::Member> member = Find(key);
  if (!member) return;
  if (auto text = ToText(context_, path_.Key(member->key), member->value, key)) out = std::move(text);
}

void Fields::Texts(std::optional<Node::Member> member, std::vector<std::string>& out) const {
  if (!member || !IsList(*member)) return;
  const Path path = path_.Key(member->key);
  out.reserve(member->value.size());
  for (size_t i = 0; i < member->value.size(); ++i) {
    const Node item = member->value.item(i);
    const Path item_path = path.Index(i);
    if (item.is_null()) {
      AddTypeError(context_, item_path, item, member->key, "a list of texts");
    } else if (auto text = ToText(context_, item_path, item, member->key)) {
      out.push_back(std::move(*text));
    }
  }
}

void Fields::Bool(std::string_view key, bool& out) const {
  const std::optional<Node::Member> member = Find(key);
  if (!member || member->value.is_null()) return;
  if (member->value.kind() == NodeKind::kBool) {
    out = member->value.bool_value();
    return;
  }
  const bool is_word = member->value.is_scalar() && IsYamlOneBoolean(member->value.text());
  const bool is_quoted = member->value.is_scalar() && ClassifyPlain(member->value.text()) == NodeKind::kBool;
  AddTypeError(context_, path_.Key(key), member->value, key, "true or false",
               is_quoted ? "remove the quotes"
               : is_word ? "write true or false"
                         : "");
}

void Fields::Unsigned(std::optional<Node::Member> member, uint64_t most, std::optional<uint64_t>& out) const {
  if (!member || member->value.is_null()) return;
  const Node value = member->value;
  const Path path = path_.Key(member->key);
  if (value.kind() == NodeKind::kInteger) {
    const auto integer = value.integer_value();
    const int64_t* const as_signed = std::get_if<int64_t>(&integer);
    const bool negative = as_signed != nullptr && *as_signed < 0;
    const uint64_t magnitude = as_signed != nullptr ? static_cast<uint64_t>(*as_signed) : std::get<uint64_t>(integer);
    if (!negative && magnitude <= most) {
      out = magnitude;
      return;
    }
  } else if (value.kind() != NodeKind::kHugeInteger) {
    const bool is_quoted = value.quoted() && ClassifyPlain(value.text()) == NodeKind::kInteger;
    AddTypeError(context_, path, value, member->key, "a whole number", is_quoted ? "remove the quotes" : "");
    return;
  }
  context_.Error(
      "NUMBER_OUT_OF_RANGE", path, value.position(),
      fmt::format("'{}' must be between 0 and {}, but is {}", member->key, most, base::Shortened(value.text(), 40)));
}

void Fields::Unsigned32(std::optional<Node::Member> member, std::optional<uint32_t>& out) const {
  std::optional<uint64_t> value;
  Unsigned(member, std::numeric_limits<uint32_t>::max(), value);
  if (value) out = static_cast<uint32_t>(*value);
}

void Fields::Any(std::string_view key, std::optional<base::Json>& out) const {
  const std::optional<Node::Member> member = Find(key);
  if (member && !member->value.is_null()) out = ToJsonValue(context_, path_.Key(key), member->value);
}

void Fields::Object(std::string_view key, std::optional<base::JsonObject>& out) const {
  const std::optional<Node::Member> member = Find(key);
  if (!member) return;
  const Path path = path_.Key(key);
  if (member->value.is_map()) {
    out = std::move(ToJsonValue(context_, path, member->value).as_object());
  } else if (member->value.is_null()) {
    out.emplace();
  } else {
    AddTypeError(context_, path, member->value, key, "a map");
  }
}

std::optional<Node> Fields::Map(std::string_view key) const {
  const std::optional<Node::Member> member = Find(key);
  if (!member || member->value.is_null()) return std::nullopt;
  if (member->value.is_map()) return member->value;
  std::string hint;
  if (key.ends_with("handler") && member->value.is_scalar()) {
    hint = fmt::format("write {}: {{callable: {}}}", key, base::Shortened(member->value.text()));
  }
  AddTypeError(context_, path_.Key(key), member->value, key, "a map", std::move(hint));
  return std::nullopt;
}

bool Fields::IsList(const Node::Member& member) const {
  if (member.value.is_list()) return true;
  if (member.value.is_null()) return false;
  std::string hint;
  if (member.value.is_scalar()) {
    hint = fmt::format("write {}: [{}]", member.key, base::Shortened(member.value.text()));
  } else {
    hint = "begin each item with '- '";
  }
  AddTypeError(context_, path_.Key(member.key), member.value, member.key, "a list", std::move(hint));
  return false;
}

size_t Fields::CheckCount(const Path& list, const Node::Member& member, std::string_view too_many_code) const {
  const size_t most = context_.options.limits.steps;
  if (member.value.size() <= most) return member.value.size();
  context_.Error(too_many_code, list.Index(most), member.value.item(most).position(),
                 fmt::format("'{}' has {} items; at most {} are allowed", member.key, member.value.size(), most),
                 "split the workflow into several templates");
  return most;
}

bool Fields::IsKnown(std::string_view key) const {
  return std::find(block_.keys.begin(), block_.keys.end(), key) != block_.keys.end();
}

base::JsonObject Fields::Extensions(bool free_form) const {
  base::JsonObject extensions;
  for (size_t i = 0; i < map_.size(); ++i) {
    const Node::Member member = map_.member(i);
    if (IsKnown(member.key)) continue;
    if (!free_form && !member.key.starts_with("x-")) ReportUnknown(member);
    if (!free_form && !member.key.starts_with("x-") && !context_.options.keep_unknown_keys) continue;
    extensions.insert_or_assign({member.key.data(), member.key.size()},
                                ToJsonValue(context_, path_.Key(member.key), member.value));
  }
  return extensions;
}

void Fields::ReportUnknown(const Node::Member& member) const {
  const bool keep = context_.options.keep_unknown_keys;
  const base::Severity severity = keep ? base::Severity::kWarning : base::Severity::kError;
  if (!context_.issues.Lists(severity)) return context_.issues.Add({severity, {}, {}, {}, {}, {}});
  const std::string key = base::Shortened(member.key);
  const std::string_view convert = "convert the file with 'tasker-registryctl convert'";
  base::Issue issue{severity,
                    "KEY_UNKNOWN",
                    path_.Key(member.key).ToString(),
                    member.key_position,
                    fmt::format("{} has no key '{}'{}", block_.name, key, keep ? "; it is kept" : ""),
                    base::DidYouMean(member.key, block_.keys)};
  if (IsRubySymbolKey(member.key)) {
    issue.code = "KEY_RUBY_SYMBOL";
    issue.message = fmt::format("'{}' is a Ruby symbol; {} has keys without colons in front", key, block_.name);
    issue.hint = convert;
  } else if (std::find(kLegacyKeys.begin(), kLegacyKeys.end(), member.key) != kLegacyKeys.end()) {
    issue.code = "KEY_LEGACY";
    issue.message = fmt::format("'{}' is a key of the old template format", key);
    issue.hint = convert;
  } else if (issue.hint.empty()) {
    issue.hint = fmt::format("known here: {}; name your own keys x-…", fmt::join(block_.keys, ", "));
  }
  context_.issues.Add(std::move(issue));
}

}  // namespace tasker::tmpl
