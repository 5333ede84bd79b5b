#include "lib/json_schema/instance.h"

#include <algorithm>
#include <vector>

namespace tasker::json_schema {
namespace {

bool AreDistinct(const ParsedText& object) {
  // Few names are compared in pairs, without memory.
  constexpr size_t kFew = 16;
  if (SizeOf(object) > kFew) {
    std::vector<std::string_view> names;
    EachMember(object, [&](std::string_view name, const ParsedText&) {
      names.push_back(name);
      return true;
    });
    std::sort(names.begin(), names.end());
    return std::adjacent_find(names.begin(), names.end()) == names.end();
  }
  std::string_view names[kFew];
  size_t count = 0;
  return EachMember(object, [&](std::string_view name, const ParsedText&) {
    for (size_t i = 0; i < count; ++i) {
      if (names[i] == name) return false;
    }
    names[count++] = name;
    return true;
  });
}

}  // namespace

base::Json AsJson(const ParsedText& value) {
  switch (KindOf(value)) {
    case kind::null:
      return nullptr;
    case kind::bool_:
      return value.get_bool().value_unsafe();
    case kind::int64:
      return value.get_int64().value_unsafe();
    case kind::uint64:
      return value.get_uint64().value_unsafe();
    case kind::double_:
      return value.get_double().value_unsafe();
    case kind::string:
      return boost::json::string_view(TextOf(value).data(), TextOf(value).size());
    case kind::array: {
      base::JsonArray array;
      EachItem(value, [&](const ParsedText& item) {
        array.push_back(AsJson(item));
        return true;
      });
      return array;
    }
    case kind::object: {
      base::JsonObject object;
      EachMember(value, [&](std::string_view name, const ParsedText& member) {
        object.emplace(boost::json::string_view(name.data(), name.size()), AsJson(member));
        return true;
      });
      return object;
    }
  }
  return nullptr;
}

bool HasDistinctNames(const ParsedText& value) {
  if (value.is_array()) return EachItem(value, [](const ParsedText& item) { return HasDistinctNames(item); });
  if (!value.is_object()) return true;
  return AreDistinct(value) &&
         EachMember(value, [](std::string_view, const ParsedText& member) { return HasDistinctNames(member); });
}

}  // namespace tasker::json_schema
