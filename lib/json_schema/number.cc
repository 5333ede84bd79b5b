#include "lib/json_schema/number.h"

#include <absl/hash/hash.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace tasker::json_schema {
namespace {

using boost::json::kind;

// Products of two 64-bit numbers need 128 bits, which ISO C++ does not name.
__extension__ using Wide = unsigned __int128;

constexpr double kTwoTo63 = 9223372036854775808.0;
constexpr double kTwoTo64 = 18446744073709551616.0;

template <typename T>
int Order(T a, T b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

int CompareIntegers(const Json& a, const Json& b) {
  if (a.is_int64() && b.is_int64()) return Order(a.get_int64(), b.get_int64());
  if (a.is_uint64() && b.is_uint64()) return Order(a.get_uint64(), b.get_uint64());
  if (a.is_int64()) return a.get_int64() < 0 ? -1 : Order(static_cast<uint64_t>(a.get_int64()), b.get_uint64());
  return b.get_int64() < 0 ? 1 : Order(a.get_uint64(), static_cast<uint64_t>(b.get_int64()));
}

// The double's whole part is compared as an integer, exactly, and its fraction decides between equals.
int CompareIntegerToDouble(const Json& integer, double real) {
  if (integer.is_int64()) {
    if (!(real < kTwoTo63)) return -1;  // NaN, too
    if (real < -kTwoTo63) return 1;
    const int whole = Order(integer.get_int64(), static_cast<int64_t>(real));
    return whole != 0 ? whole : Order(0.0, real - std::trunc(real));
  }
  if (!(real < kTwoTo64)) return -1;
  if (real < 0) return 1;
  const int whole = Order(integer.get_uint64(), static_cast<uint64_t>(real));
  return whole != 0 ? whole : Order(0.0, real - std::trunc(real));
}

// digits × 10^exponent, without trailing zeros in `digits`.
struct Decimal {
  uint64_t digits = 0;
  int exponent = 0;
};

Decimal Normalised(uint64_t digits, int exponent) {
  while (digits != 0 && digits % 10 == 0) {
    digits /= 10;
    ++exponent;
  }
  return {.digits = digits, .exponent = exponent};
}

Decimal DecimalOf(const Json& number) {
  if (number.is_uint64()) return Normalised(number.get_uint64(), 0);
  if (number.is_int64()) {
    const int64_t value = number.get_int64();
    return Normalised(value < 0 ? uint64_t{0} - static_cast<uint64_t>(value) : static_cast<uint64_t>(value), 0);
  }
  // "1.999e+01": at most 17 digits.
  char buffer[40];
  char* const end =
      std::to_chars(buffer, buffer + sizeof buffer - 1, std::abs(number.get_double()), std::chars_format::scientific)
          .ptr;
  uint64_t digits = 0;
  int exponent = 0;
  bool after_point = false;
  const char* at = buffer;
  for (; at < end && *at != 'e'; ++at) {
    if (*at == '.') {
      after_point = true;
      continue;
    }
    digits = digits * 10 + static_cast<uint64_t>(*at - '0');
    if (after_point) --exponent;
  }
  if (at < end) {
    *end = '\0';
    exponent += std::atoi(at + 1);
  }
  return Normalised(digits, exponent);
}

uint64_t TimesPowerOfTenModulo(uint64_t value, int power, uint64_t modulus) {
  Wide result = value % modulus;
  Wide square = 10 % modulus;
  for (; power > 0; power >>= 1) {
    if ((power & 1) != 0) result = result * square % modulus;
    square = square * square % modulus;
  }
  return static_cast<uint64_t>(result);
}

size_t HashNumber(const Json& number) {
  if (number.is_double()) {
    const double real = number.get_double();
    if (!IsInteger(number) || real < -kTwoTo63 || real >= kTwoTo64) return absl::HashOf(real);
    // The same value may come as any of the three kinds.
    return real < 0 ? absl::HashOf(static_cast<int64_t>(real)) : absl::HashOf(static_cast<uint64_t>(real));
  }
  if (number.is_uint64()) return absl::HashOf(number.get_uint64());
  const int64_t value = number.get_int64();
  return value < 0 ? absl::HashOf(value) : absl::HashOf(static_cast<uint64_t>(value));
}

}  // namespace

bool IsInteger(const Json& number) {
  return !number.is_double() ||
         (std::isfinite(number.get_double()) && number.get_double() == std::trunc(number.get_double()));
}

int CompareMixedNumbers(const Json& a, const Json& b) {
  if (a.is_double()) {
    return b.is_double() ? Order(a.get_double(), b.get_double()) : -CompareIntegerToDouble(b, a.get_double());
  }
  return b.is_double() ? CompareIntegerToDouble(a, b.get_double()) : CompareIntegers(a, b);
}

bool IsMultipleOf(const Json& number, const Json& divisor) {
  if (number.is_int64() && divisor.is_int64()) return number.get_int64() % divisor.get_int64() == 0;
  if (number.is_double() && !std::isfinite(number.get_double())) return false;
  const Decimal value = DecimalOf(number);
  const Decimal unit = DecimalOf(divisor);
  if (value.digits == 0) return true;
  // value / unit = value.digits × 10^shift / unit.digits; with shift < 0 a factor 10 would have to come from digits
  // that end in no zero.
  const int shift = value.exponent - unit.exponent;
  return shift >= 0 && TimesPowerOfTenModulo(value.digits, shift, unit.digits) == 0;
}

bool Equal(const Json& a, const Json& b) {
  if (a.is_number()) return b.is_number() && CompareNumbers(a, b) == 0;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case kind::bool_:
      return a.get_bool() == b.get_bool();
    case kind::string:
      return a.get_string() == b.get_string();
    case kind::array: {
      const auto& left = a.get_array();
      const auto& right = b.get_array();
      if (left.size() != right.size()) return false;
      for (size_t i = 0; i < left.size(); ++i) {
        if (!Equal(left[i], right[i])) return false;
      }
      return true;
    }
    case kind::object: {
      const auto& left = a.get_object();
      const auto& right = b.get_object();
      if (left.size() != right.size()) return false;
      for (const auto& [key, member] : left) {
        const Json* other = right.if_contains(key);
        if (other == nullptr || !Equal(member, *other)) return false;
      }
      return true;
    }
    default:
      return true;
  }
}

size_t Hash(const Json& value, size_t& steps) {
  ++steps;
  switch (value.kind()) {
    case kind::null:
      return absl::HashOf(0);
    case kind::bool_:
      return absl::HashOf(value.get_bool(), 1);
    case kind::int64:
    case kind::uint64:
    case kind::double_:
      return HashNumber(value);
    case kind::string:
      steps += value.get_string().size() / 64;
      return absl::HashOf(absl::string_view(value.get_string().data(), value.get_string().size()));
    case kind::array: {
      size_t hash = absl::HashOf(value.get_array().size(), 2);
      for (const Json& item : value.get_array()) hash = absl::HashOf(hash, Hash(item, steps));
      return hash;
    }
    case kind::object: {
      size_t sum = absl::HashOf(value.get_object().size(), 3);
      for (const auto& [key, member] : value.get_object()) {
        sum += absl::HashOf(absl::string_view(key.data(), key.size()), Hash(member, steps));
      }
      return sum;
    }
  }
  return 0;
}

}  // namespace tasker::json_schema
