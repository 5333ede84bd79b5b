#pragma once

#include <fmt/format.h>

#include <algorithm>

#include "lib/json_schema/evaluation_internal.h"
#include "lib/json_schema/excerpt.h"
#include "lib/json_schema/number.h"

/// Evaluation's members for type, enum, const, numbers and strings.
namespace tasker::json_schema {

inline std::string TypeNames(uint8_t types) {
  constexpr std::string_view kNames[] = {"null", "boolean", "integer", "number", "string", "array", "object"};
  std::string out;
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if ((types >> i & 1) == 0) continue;
    if (!out.empty()) out += " or ";
    out += kNames[i];
  }
  return out;
}

template <bool kExplain>
template <typename Value>
bool Evaluation<kExplain>::CheckType(const Node& node, const Value& value) {
  uint8_t bits = 0;
  switch (KindOf(value)) {
    case kind::null:
      bits = kNull;
      break;
    case kind::bool_:
      bits = kBoolean;
      break;
    case kind::int64:
    case kind::uint64:
      bits = kInteger | kNumber;
      break;
    case kind::double_:
      bits = IsInteger(AsJson(value)) ? kInteger | kNumber : kNumber;
      break;
    case kind::string:
      bits = kString;
      break;
    case kind::array:
      bits = kArray;
      break;
    case kind::object:
      bits = kObject;
      break;
  }
  if ((node.types & bits) != 0) return true;
  return Fail(node, "type", [&] {
    return fmt::format("{} is {}, but must be {}", Excerpt(AsJson(value)), base::JsonKindName(AsJson(value)),
                       TypeNames(node.types));
  });
}

template <bool kExplain>
template <typename Value>
bool Evaluation<kExplain>::CheckValues(const Node& node, const Values& values, const Value& value,
                                       std::string_view keyword) {
  bool found = false;
  if (value.is_string()) {
    found = values.strings.Find(TextOf(value)) != NameTable::kNone;
  } else if (!values.others.empty()) {
    size_t steps = 0;
    const Json& json = AsJson(value);
    const size_t hash = Hash(json, steps);
    auto other = std::lower_bound(values.others.begin(), values.others.end(), hash,
                                  [](const auto& entry, size_t wanted) { return entry.first < wanted; });
    for (; other != values.others.end() && other->first == hash && !found; ++other) found = Equal(other->second, json);
    if (!Spend(node, steps)) return false;
  }
  if (found) return true;
  return Fail(node, keyword, [&] {
    if (values.count == 1) return fmt::format("{} must be {}", Excerpt(AsJson(value)), values.shown.front());
    const std::string more = values.count > values.shown.size() ? ", …" : "";
    return fmt::format("{} is none of {}{}", Excerpt(AsJson(value)), fmt::join(values.shown, ", "), more);
  });
}

template <bool kExplain>
bool Evaluation<kExplain>::CheckNumber(const Node& node, const NumberRules& rules, const Json& value) {
  bool ok = true;
  const auto fail = [&](std::string_view keyword, std::string_view wanted, const Json& bound) {
    ok = Fail(node, keyword,
              [&] { return fmt::format("{} must be {} {}", Excerpt(AsJson(value)), wanted, Excerpt(bound)); });
  };
  // A number that is not (NaN, from a caller's own value) is within no bound.
  if (rules.minimum && !(CompareNumbers(value, *rules.minimum) >= 0)) fail("minimum", "at least", *rules.minimum);
  if (Stop(ok)) return false;
  if (rules.maximum && !(CompareNumbers(value, *rules.maximum) <= 0)) fail("maximum", "at most", *rules.maximum);
  if (Stop(ok)) return false;
  if (rules.exclusive_minimum && CompareNumbers(value, *rules.exclusive_minimum) <= 0) {
    fail("exclusiveMinimum", "greater than", *rules.exclusive_minimum);
  }
  if (Stop(ok)) return false;
  if (rules.exclusive_maximum && CompareNumbers(value, *rules.exclusive_maximum) >= 0) {
    fail("exclusiveMaximum", "less than", *rules.exclusive_maximum);
  }
  if (Stop(ok)) return false;
  if (rules.multiple_of && !IsMultipleOf(value, *rules.multiple_of))
    fail("multipleOf", "a multiple of", *rules.multiple_of);
  return ok;
}

inline size_t CodePoints(std::string_view text) {
  size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

template <bool kExplain>
template <typename Value>
bool Evaluation<kExplain>::CheckString(const Node& node, const StringRules& rules, const Value& value) {
  const std::string_view text = TextOf(value);
  bool ok = true;
  // Long texts cost what they take to read.
  if (text.size() >= 256 && !Spend(node, text.size() / 256)) return false;
  if (rules.min_length || rules.max_length) {
    // A character takes one to four bytes, which mostly settles it.
    const bool settled =
        text.size() / 4 >= rules.min_length.value_or(0) && text.size() <= rules.max_length.value_or(SIZE_MAX);
    const size_t length = settled ? text.size() : CodePoints(text);
    if (rules.min_length && length < *rules.min_length) {
      ok = Fail(node, "minLength", [&] {
        return fmt::format("{} has {} characters, but must have at least {}", Excerpt(AsJson(value)), length,
                           *rules.min_length);
      });
    }
    if (Stop(ok)) return false;
    if (rules.max_length && length > *rules.max_length) {
      ok = Fail(node, "maxLength", [&] {
        return fmt::format("{} has {} characters, but must have at most {}", Excerpt(AsJson(value)), length,
                           *rules.max_length);
      });
    }
    if (Stop(ok)) return false;
  }
  if (rules.pattern != nullptr && !rules.pattern->Matches(text)) {
    ok = Fail(node, "pattern", [&] {
      return fmt::format("{} does not match the pattern '{}'", Excerpt(AsJson(value)), rules.pattern->text());
    });
  }
  if (Stop(ok)) return false;
  if (rules.format != nullptr && !rules.format(text)) {
    ok = Fail(node, "format",
              [&] { return fmt::format("{} is no valid {}", Excerpt(AsJson(value)), rules.format_name); });
  }
  return ok;
}

}  // namespace tasker::json_schema
