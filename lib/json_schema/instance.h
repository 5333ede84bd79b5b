#pragma once

#include <simdjson.h>

#include <string_view>

#include "lib/base/json.h"

/// One way to look at an instance, whether it is a value of the project's or lies in simdjson's parsed text.
namespace tasker::json_schema {

using boost::json::kind;
using ParsedText = simdjson::dom::element;

inline std::string_view View(boost::json::string_view text) { return {text.data(), text.size()}; }

inline kind KindOf(const base::Json& value) { return value.kind(); }
inline kind KindOf(const ParsedText& value) {
  switch (value.type()) {
    case simdjson::dom::element_type::NULL_VALUE:
      return kind::null;
    case simdjson::dom::element_type::BOOL:
      return kind::bool_;
    case simdjson::dom::element_type::INT64:
      return kind::int64;
    case simdjson::dom::element_type::UINT64:
      return kind::uint64;
    case simdjson::dom::element_type::DOUBLE:
      return kind::double_;
    case simdjson::dom::element_type::STRING:
      return kind::string;
    case simdjson::dom::element_type::ARRAY:
      return kind::array;
    case simdjson::dom::element_type::OBJECT:
      return kind::object;
  }
  return kind::null;
}

/// Of a string.
inline std::string_view TextOf(const base::Json& value) { return View(value.get_string()); }
inline std::string_view TextOf(const ParsedText& value) { return value.get_string().value_unsafe(); }

/// Calls `visit` with each item, in order, until it returns false; returns whether it never did.
template <typename Visit>
bool EachItem(const base::Json& array, const Visit& visit) {
  for (const base::Json& item : array.get_array()) {
    if (!visit(item)) return false;
  }
  return true;
}
template <typename Visit>
bool EachItem(const ParsedText& array, const Visit& visit) {
  const simdjson::dom::array items = array.get_array().value_unsafe();
  for (const ParsedText item : items) {
    if (!visit(item)) return false;
  }
  return true;
}

/// The same for an object's members, as `visit(name, value)`.
template <typename Visit>
bool EachMember(const base::Json& object, const Visit& visit) {
  for (const auto& member : object.get_object()) {
    if (!visit(View(member.key()), member.value())) return false;
  }
  return true;
}
template <typename Visit>
bool EachMember(const ParsedText& object, const Visit& visit) {
  const simdjson::dom::object members = object.get_object().value_unsafe();
  for (const simdjson::dom::key_value_pair member : members) {
    if (!visit(member.key, member.value)) return false;
  }
  return true;
}

/// How many items an array, or members an object, has.
inline size_t SizeOf(const base::Json& value) {
  return value.is_array() ? value.get_array().size() : value.get_object().size();
}
inline size_t SizeOf(const ParsedText& value) {
  // simdjson counts no further than this; only then is the walk needed.
  constexpr size_t kSaturated = 0xFFFFFF;
  const bool is_array = value.is_array();
  size_t size = 0;
  if (is_array) {
    const simdjson::dom::array array = value.get_array().value_unsafe();
    size = array.size();
  } else {
    const simdjson::dom::object object = value.get_object().value_unsafe();
    size = object.size();
  }
  if (size < kSaturated) return size;
  size_t count = 0;
  if (is_array) {
    EachItem(value, [&](const auto&) { return ++count > 0; });
  } else {
    EachMember(value, [&](std::string_view, const auto&) { return ++count > 0; });
  }
  return count;
}

inline bool HasMember(const base::Json& object, std::string_view name) {
  return object.get_object().contains(boost::json::string_view(name.data(), name.size()));
}
inline bool HasMember(const ParsedText& object, std::string_view name) {
  const simdjson::dom::object members = object.get_object().value_unsafe();
  return members.at_key(name).error() == simdjson::SUCCESS;
}

/// The value as one of the project's; allocates for containers and long strings of a parsed text.
inline const base::Json& AsJson(const base::Json& value) { return value; }
base::Json AsJson(const ParsedText& value);

/// Whether each object has each of its names once.
bool HasDistinctNames(const ParsedText& value);

}  // namespace tasker::json_schema
