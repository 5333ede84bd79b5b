#include "lib/wire/json_value.h"

#include <absl/status/status.h>
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <utility>

namespace tasker::wire {
namespace {

using google::protobuf::ListValue;
using google::protobuf::Struct;
using google::protobuf::Value;

constexpr int64_t kMaxExact = (int64_t{1} << 53) - 1;

bool PutObject(const base::JsonObject& object, Struct& out, int depth);

bool PutArray(const base::JsonArray& array, ListValue& out, int depth);

bool PutValue(const base::Json& value, Value& out, int depth) {
  using boost::json::kind;
  switch (value.kind()) {
    case kind::null:
      out.set_null_value(google::protobuf::NULL_VALUE);
      return true;
    case kind::bool_:
      out.set_bool_value(value.get_bool());
      return true;
    case kind::int64: {
      const int64_t number = value.get_int64();
      out.set_number_value(static_cast<double>(number));
      return number >= -kMaxExact && number <= kMaxExact;
    }
    case kind::uint64: {
      const uint64_t number = value.get_uint64();
      out.set_number_value(static_cast<double>(number));
      return number <= static_cast<uint64_t>(kMaxExact);
    }
    case kind::double_: {
      const double number = value.get_double();
      out.set_number_value(number);
      return std::abs(number) > static_cast<double>(kMaxExact) || std::trunc(number) != number;
    }
    case kind::string:
      out.set_string_value(value.get_string().data(), value.get_string().size());
      return true;
    case kind::array:
    case kind::object:
      break;
  }
  if (depth >= kMaxStructDepth) {
    out.set_null_value(google::protobuf::NULL_VALUE);
    return false;
  }
  return value.is_array() ? PutArray(value.get_array(), *out.mutable_list_value(), depth)
                          : PutObject(value.get_object(), *out.mutable_struct_value(), depth);
}

bool PutArray(const base::JsonArray& array, ListValue& out, int depth) {
  bool exact = true;
  out.mutable_values()->Reserve(static_cast<int>(array.size()));
  for (const base::Json& item : array) exact &= PutValue(item, *out.add_values(), depth + 1);
  return exact;
}

bool PutObject(const base::JsonObject& object, Struct& out, int depth) {
  bool exact = true;
  for (const auto& [key, value] : object) {
    exact &= PutValue(value, (*out.mutable_fields())[std::string(key.data(), key.size())], depth + 1);
  }
  return exact;
}

absl::StatusOr<base::Json> ReadNumber(double number, const Path& path) {
  if (!std::isfinite(number)) {
    return absl::InvalidArgumentError(fmt::format("{} is {}, which JSON cannot hold", path.ToString(), number));
  }
  if (std::trunc(number) == number && std::abs(number) <= static_cast<double>(kMaxExact)) {
    return base::Json(static_cast<int64_t>(number));
  }
  return base::Json(number);
}

absl::StatusOr<base::Json> ReadList(const ListValue& list, const Path& path) {
  base::JsonArray array;
  array.reserve(static_cast<size_t>(list.values_size()));
  for (int i = 0; i < list.values_size(); ++i) {
    absl::StatusOr<base::Json> item = FromValue(list.values(i), Path{&path, {}, static_cast<size_t>(i)});
    if (!item.ok()) return item.status();
    array.push_back(*std::move(item));
  }
  return base::Json(std::move(array));
}

}  // namespace

std::string Path::ToString() const {
  std::string out = parent != nullptr ? parent->ToString() : "";
  if (key.empty()) return parent == nullptr ? out : fmt::format("{}[{}]", out, index);
  return out.empty() ? std::string(key) : fmt::format("{}.{}", out, key);
}

bool ToValue(const base::Json& value, Value& out) { return PutValue(value, out, 0); }
bool ToStruct(const base::JsonObject& object, Struct& out) { return PutObject(object, out, 0); }

absl::StatusOr<base::Json> FromValue(const Value& value, const Path& path) {
  switch (value.kind_case()) {
    case Value::kNullValue:
    case Value::KIND_NOT_SET:
      return base::Json(nullptr);
    case Value::kBoolValue:
      return base::Json(value.bool_value());
    case Value::kNumberValue:
      return ReadNumber(value.number_value(), path);
    case Value::kStringValue:
      return base::Json(value.string_value());
    case Value::kListValue:
      return ReadList(value.list_value(), path);
    case Value::kStructValue:
      break;
  }
  absl::StatusOr<base::JsonObject> object = FromStruct(value.struct_value(), path);
  if (!object.ok()) return object.status();
  return base::Json(*std::move(object));
}

absl::StatusOr<base::JsonObject> FromStruct(const Struct& object, const Path& path) {
  base::JsonObject out;
  out.reserve(object.fields().size());
  for (const auto& [key, value] : object.fields()) {
    absl::StatusOr<base::Json> member = FromValue(value, Path{&path, key});
    if (!member.ok()) return member.status();
    out.emplace(key, *std::move(member));
  }
  return out;
}

}  // namespace tasker::wire
