#pragma once

#include <absl/status/statusor.h>

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace tasker::base {

/// The project's one JSON value. Integers (int64, uint64) and reals (double) stay apart: 3 is not 3.0.
using Json = boost::json::value;
using JsonObject = boost::json::object;
using JsonArray = boost::json::array;

/// How a number that fits neither int64 nor uint64, and was written without fraction and exponent, is read.
enum class HugeIntegers {
  kRefuse,   ///< an error, instead of rounding silently: what authors and callers send
  kAsReals,  ///< a double: PostgreSQL writes the real 1e+21 back as 1000000000000000000000
};

/// Reads one JSON text (RFC 8259, UTF-8). INVALID_ARGUMENT naming the byte offset for anything else: trailing text,
/// duplicate keys, nesting deeper than `max_depth`, a number beyond double's range, invalid UTF-8. A value whose
/// `HugeIntegers` rule is broken is INVALID_ARGUMENT, too. Safe to call from any thread.
absl::StatusOr<Json> ParseJson(std::string_view text, HugeIntegers huge = HugeIntegers::kRefuse, int max_depth = 512);

/// Canonical JSON: keys sorted by bytes, no white space, the shortest escape of each character (also of
/// those that YAML readers refuse or fold raw: DEL, C1 controls, U+2028, U+2029, U+FFFE, U+FFFF), integers as they are,
/// reals as the shortest text that reads back as the same double and always with '.' or 'e' so that they stay reals.
/// Reals below 2^64 in size are written without exponent where they are whole, because PostgreSQL's jsonb would turn
/// 1e+17 into an integer; -0.0 is written 0.0, which jsonb cannot tell apart.
std::string CanonicalJson(const Json& value);
void AppendCanonicalJson(const Json& value, std::string& out);
void AppendCanonicalJson(const JsonObject& value, std::string& out);

/// One string, quoted and escaped as in canonical JSON.
void AppendJsonString(std::string_view text, std::string& out);
std::string JsonString(std::string_view text);

/// JSON with two blanks of indentation, keys in their own order: for people.
std::string PrettyJson(const Json& value);

/// "null", "boolean", "integer", "number", "string", "array" or "object": the kind's name in messages.
std::string_view JsonKindName(const Json& value);

/// `key` as one reference token appended to the JSON pointer `path` (RFC 6901: ~ and / escaped).
std::string JsonPointer(std::string_view path, std::string_view key);
std::string JsonPointer(std::string_view path, size_t index);

/// The unescaped reference tokens of a JSON pointer: "/a~1b/0" gives {"a/b", "0"}.
std::vector<std::string> JsonPointerTokens(std::string_view pointer);

}  // namespace tasker::base
