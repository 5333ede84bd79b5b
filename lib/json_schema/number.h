#pragma once

#include "lib/json_schema/schema.h"

namespace tasker::json_schema {

/// A number of any of Boost.JSON's three kinds.
inline bool IsNumber(const Json& value) { return value.is_number(); }

/// Whether the number has no fractional part: 1.0 and 1e300 are integers.
bool IsInteger(const Json& number);

/// The exact order of two numbers, whatever their kinds: <0, 0, >0.
int CompareMixedNumbers(const Json& a, const Json& b);
inline int CompareNumbers(const Json& a, const Json& b) {
  const auto order = [](auto x, auto y) { return x < y ? -1 : (y < x ? 1 : 0); };
  if (a.is_int64() && b.is_int64()) return order(a.get_int64(), b.get_int64());
  if (a.is_double() && b.is_double()) return order(a.get_double(), b.get_double());
  return CompareMixedNumbers(a, b);
}

/// Whether `number` is an integer times `divisor` (> 0), both taken as the shortest decimals that read back as the same
/// doubles: 19.99 is a multiple of 0.01.
bool IsMultipleOf(const Json& number, const Json& divisor);

/// JSON Schema's equality: numbers by value, objects without order.
bool Equal(const Json& a, const Json& b);

/// Equal values have equal hashes. Adds the number of values and every 64th byte of strings to `steps`.
size_t Hash(const Json& value, size_t& steps);

}  // namespace tasker::json_schema
