#pragma once

#include <random>
#include <string>

#include "lib/base/json.h"

namespace tasker::diff {

using base::Json;
using base::JsonArray;
using base::JsonObject;

/// Makes small schemas and instances out of so few names, numbers and texts that they meet each other often.
class RandomSchemas {
 public:
  explicit RandomSchemas(uint64_t seed) : random_(seed) {}

  size_t Pick(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random_); }
  bool Chance(size_t n) { return Pick(n) == 0; }

  /// With `$defs` that references lead to.
  Json Document() {
    Json schema = Chance(3) ? Schema(0) : Focused();
    if (schema.is_object()) {
      schema.get_object()["$defs"] = JsonObject{{"d", Schema(1)}, {"e", Schema(2)}};
    }
    return schema;
  }

  /// Of one type, with several keywords for that type, so that they work on the same values.
  Json Focused() {
    // Numbers of AddKeyword.
    static constexpr size_t kObject[] = {13, 14, 15, 15, 19, 20, 20, 21, 21, 22, 23, 23, 24, 25, 26};
    static constexpr size_t kArray[] = {10, 11, 12, 16, 16, 17, 17, 18, 18, 11};
    static constexpr size_t kNumber[] = {0, 2, 3, 4, 5, 6, 6};
    static constexpr size_t kInPlace[] = {27, 28, 29, 30, 31};
    JsonObject schema;
    const size_t type = Pick(7);
    schema["type"] = type < 4 ? "object" : type < 6 ? "array" : "number";
    for (size_t i = 2 + Pick(3); i > 0; --i) {
      const size_t keyword = type < 4 ? kObject[Pick(15)] : type < 6 ? kArray[Pick(10)] : kNumber[Pick(7)];
      AddKeyword(schema, 2, Chance(6) ? kInPlace[Pick(5)] : keyword);
    }
    return schema;
  }

  Json Schema(int depth) {
    if (Chance(depth == 0 ? 40 : 10)) return Chance(3) ? Json(false) : Json(true);
    JsonObject schema;
    if (!Chance(3)) schema["type"] = Type();
    const size_t keywords = Pick(depth == 0 ? 5 : 4);
    for (size_t i = 0; i < keywords; ++i) AddKeyword(schema, depth);
    return schema;
  }

  /// `schema` with one keyword more, less or other somewhere.
  Json Mutated(const Json& schema, int depth = 0) {
    if (!schema.is_object() || schema.get_object().empty() || depth > 3) return Schema(depth);
    JsonObject object = schema.get_object();
    const auto member = object.begin() + static_cast<std::ptrdiff_t>(Pick(object.size()));
    switch (Pick(7)) {
      case 0:
        object.erase(member->key());
        return object;
      case 1:
        AddKeyword(object, depth + 1);
        return object;
      case 2:
        return JsonObject{{"anyOf", JsonArray{schema, Schema(depth + 1)}}};
      case 3:
        return JsonObject{{"not", JsonObject{{"not", schema}}}};
      default:
        Tweak(member->value(), std::string(member->key().data(), member->key().size()), depth);
        return object;
    }
  }

  Json Instance(int depth = 0) {
    switch (Pick(depth > 2 ? 5 : 9)) {
      case 0:
        return nullptr;
      case 1:
        return Chance(2);
      case 2:
        return Integer();
      case 3:
        return Real();
      case 4:
        return Text();
      case 5:
      case 6: {
        JsonArray array;
        for (size_t i = Pick(5); i > 0; --i) array.push_back(Instance(depth + 1));
        return array;
      }
      default: {
        JsonObject object;
        for (size_t i = Pick(5); i > 0; --i) object[Name()] = Instance(depth + 1);
        return object;
      }
    }
  }

 private:
  static constexpr const char* kNames[] = {"a", "b", "ab", "c", "x1"};
  static constexpr const char* kPatterns[] = {"^a", "b$", "^[ab]+$", "[0-9]", "^x", ""};

  std::string Name() { return kNames[Pick(5)]; }
  Json Integer() { return static_cast<int64_t>(Pick(7)) - 2; }
  Json Real() {
    static constexpr double kReals[] = {0.5, 1.0, 1.5, 2.5, -0.5, 3.0};
    return kReals[Pick(6)];
  }
  Json Number() { return Chance(3) ? Real() : Integer(); }
  Json Text() {
    static constexpr const char* kTexts[] = {"", "a", "b", "ab", "abb", "x1", "aaaa"};
    return kTexts[Pick(7)];
  }
  Json TypeName() {
    static constexpr const char* kTypes[] = {"null", "boolean", "integer", "number", "string", "array", "object"};
    return kTypes[Pick(7)];
  }
  Json Type() {
    if (!Chance(4)) return TypeName();
    const Json one = TypeName();
    const Json other = TypeName();
    return one == other ? JsonArray{one} : JsonArray{one, other};
  }
  Json Schemas(int depth) {
    JsonArray list;
    for (size_t i = 1 + Pick(3); i > 0; --i) list.push_back(Schema(depth + 1));
    return list;
  }
  Json Values() {
    JsonArray values;
    for (size_t i = 1 + Pick(3); i > 0; --i) {
      const Json value = Chance(6) ? Instance(1) : Chance(2) ? Text() : Number();
      if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
    }
    return values;
  }
  Json NameList() {
    JsonArray names;
    for (size_t i = 1 + Pick(2); i > 0; --i) {
      const Json name(Name());
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    return names;
  }
  Json SchemaMap(int depth, bool patterns) {
    JsonObject map;
    for (size_t i = 1 + Pick(3); i > 0; --i) map[patterns ? kPatterns[Pick(6)] : kNames[Pick(5)]] = Schema(depth + 1);
    return map;
  }

  void AddKeyword(JsonObject& schema, int depth) { AddKeyword(schema, depth, Pick(depth < 3 ? 34 : 16)); }

  void AddKeyword(JsonObject& schema, int depth, size_t keyword) {
    switch (keyword) {
      case 0:
        schema["enum"] = Values();
        return;
      case 1:
        schema["const"] = Chance(2) ? Number() : Instance(1);
        return;
      case 2:
        schema["minimum"] = Number();
        return;
      case 3:
        schema["maximum"] = Number();
        return;
      case 4:
        schema["exclusiveMinimum"] = Number();
        return;
      case 5:
        schema["exclusiveMaximum"] = Number();
        return;
      case 6: {
        static constexpr double kSteps[] = {1, 2, 3, 0.5, 1.5, 4};
        const double step = kSteps[Pick(6)];
        schema["multipleOf"] = step == static_cast<int64_t>(step) ? Json(static_cast<int64_t>(step)) : Json(step);
        return;
      }
      case 7:
        schema["minLength"] = Pick(4);
        return;
      case 8:
        schema["maxLength"] = Pick(4);
        return;
      case 9:
        schema["pattern"] = kPatterns[Pick(6)];
        return;
      case 10:
        schema["minItems"] = Pick(3);
        return;
      case 11:
        schema["maxItems"] = Pick(4);
        return;
      case 12:
        schema["uniqueItems"] = !Chance(4);
        return;
      case 13:
        schema["minProperties"] = Pick(3);
        return;
      case 14:
        schema["maxProperties"] = Pick(4);
        return;
      case 15:
        schema["required"] = NameList();
        return;
      case 16:
        schema["items"] = Schema(depth + 1);
        return;
      case 17:
        schema["prefixItems"] = Schemas(depth);
        return;
      case 18:
        schema["contains"] = Schema(depth + 1);
        if (Chance(2)) schema["minContains"] = Pick(3);
        if (Chance(3)) schema["maxContains"] = Pick(3);
        return;
      case 19:
      case 20:
        schema["properties"] = SchemaMap(depth, false);
        return;
      case 21:
        schema["patternProperties"] = SchemaMap(depth, true);
        return;
      case 22:
      case 23:
        schema["additionalProperties"] = Chance(2) ? Json(false) : Schema(depth + 1);
        return;
      case 24:
        schema["propertyNames"] = Schema(depth + 1);
        return;
      case 25:
        schema["dependentRequired"] = JsonObject{{Name(), NameList()}};
        return;
      case 26:
        schema["dependentSchemas"] = SchemaMap(depth, false);
        return;
      case 27:
        schema["allOf"] = Schemas(depth);
        return;
      case 28:
        schema["anyOf"] = Schemas(depth);
        return;
      case 29:
        schema["oneOf"] = Schemas(depth);
        return;
      case 30:
        schema["not"] = Schema(depth + 1);
        return;
      case 31:
        schema["if"] = Schema(depth + 1);
        if (!Chance(4)) schema["then"] = Schema(depth + 1);
        if (!Chance(4)) schema["else"] = Schema(depth + 1);
        return;
      case 32:
        // Below `properties` or `items`, a reference to the whole is no endless loop.
        schema["properties"] = JsonObject{{Name(), JsonObject{{"$ref", "#"}}}};
        return;
      default:
        schema[Chance(2) ? "items" : "additionalProperties"] =
            JsonObject{{"$ref", Chance(2) ? "#/$defs/d" : "#/$defs/e"}};
    }
  }

  // Another value of the same keyword.
  void Tweak(Json& value, const std::string& keyword, int depth) {
    if (value.is_int64())
      value = std::max<int64_t>(keyword.starts_with("m") && keyword != "minimum" && keyword != "maximum"
                                    ? (keyword == "multipleOf" ? 1 : 0)
                                    : -100,
                                value.get_int64() + (Chance(2) ? 1 : -1));
    if (value.is_uint64()) value = value.get_uint64() + (Chance(2) && value.get_uint64() > 0 ? -1 : 1);
    const bool map = keyword == "properties" || keyword == "patternProperties" || keyword == "dependentSchemas" ||
                     keyword == "$defs";
    const bool list = keyword == "allOf" || keyword == "anyOf" || keyword == "oneOf" || keyword == "prefixItems";
    if (map && !value.get_object().empty()) {
      auto& object = value.get_object();
      Json& child = (object.begin() + static_cast<std::ptrdiff_t>(Pick(object.size())))->value();
      child = Mutated(child, depth + 1);
    } else if (list) {
      Json& child = value.get_array()[Pick(value.get_array().size())];
      child = Mutated(child, depth + 1);
    } else if (keyword == "type") {
      value = Type();
    } else if (keyword == "enum") {
      value = Values();
    } else if (keyword == "required") {
      value = NameList();
    } else if (value.is_object() && keyword != "const" && keyword != "dependentRequired") {
      value = Mutated(value, depth + 1);
    }
  }

  std::mt19937_64 random_;
};

}  // namespace tasker::diff
