#include "lib/json_schema/formats.h"

/// Dates, times and durations: RFC 3339.
namespace tasker::json_schema {
namespace {

// Reads a fixed grammar from the front of a text.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool Done() const { return text_.empty(); }
  bool Take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  // ABNF's literals ignore case: "T" is "t".
  bool TakeLetter(char upper) { return Take(upper) || Take(static_cast<char>(upper | 0x20)); }
  // Exactly `count` digits; -1 otherwise.
  int Digits(size_t count) {
    if (text_.size() < count) return -1;
    int value = 0;
    for (size_t i = 0; i < count; ++i) {
      if (text_[i] < '0' || text_[i] > '9') return -1;
      value = value * 10 + (text_[i] - '0');
    }
    text_.remove_prefix(count);
    return value;
  }
  // As many digits as there are; whether there was one.
  bool TakeDigits() {
    size_t count = 0;
    while (count < text_.size() && text_[count] >= '0' && text_[count] <= '9') ++count;
    text_.remove_prefix(count);
    return count > 0;
  }

 private:
  std::string_view text_;
};

bool ReadDate(Reader& in) {
  const int year = in.Digits(4);
  if (year < 0 || !in.Take('-')) return false;
  const int month = in.Digits(2);
  if (month < 1 || month > 12 || !in.Take('-')) return false;
  const int day = in.Digits(2);
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day >= 1 && day <= kDays[month - 1] + (leap && month == 2 ? 1 : 0);
}

bool ReadTime(Reader& in) {
  const int hour = in.Digits(2);
  if (hour < 0 || hour > 23 || !in.Take(':')) return false;
  const int minute = in.Digits(2);
  if (minute < 0 || minute > 59 || !in.Take(':')) return false;
  const int second = in.Digits(2);
  if (second < 0 || second > 60) return false;
  if (in.Take('.') && !in.TakeDigits()) return false;
  int offset = 0;
  if (!in.TakeLetter('Z')) {
    const bool plus = in.Take('+');
    if (!plus && !in.Take('-')) return false;
    const int offset_hour = in.Digits(2);
    if (offset_hour < 0 || offset_hour > 23 || !in.Take(':')) return false;
    const int offset_minute = in.Digits(2);
    if (offset_minute < 0 || offset_minute > 59) return false;
    offset = (offset_hour * 60 + offset_minute) * (plus ? 1 : -1);
  }
  constexpr int kDay = 24 * 60;
  // Leap seconds are inserted at the end of a day in UTC.
  return second < 60 || (hour * 60 + minute - offset + kDay) % kDay == kDay - 1;
}

}  // namespace

bool IsDateTime(std::string_view text) {
  Reader in(text);
  return ReadDate(in) && in.TakeLetter('T') && ReadTime(in) && in.Done();
}

bool IsDate(std::string_view text) {
  Reader in(text);
  return ReadDate(in) && in.Done();
}

bool IsTime(std::string_view text) {
  Reader in(text);
  return ReadTime(in) && in.Done();
}

// "P" then weeks alone, or years, months, days and after "T" hours, minutes, seconds; units may be left out at both
// ends but not between.
bool IsDuration(std::string_view text) {
  if (text.size() < 3 || text[0] != 'P') return false;
  std::string_view units = "YMD";
  bool in_time = false;
  bool any_weeks = false;
  size_t last = 0;  // 1 + the place of the last unit in `units`
  for (size_t i = 1; i < text.size();) {
    if (text[i] == 'T' && !in_time) {
      in_time = true;
      units = "HMS";
      last = 0;
      if (++i == text.size()) return false;
      continue;
    }
    const size_t digits = i;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
    if (i == digits || i == text.size() || any_weeks) return false;
    const char unit = text[i++];
    if (unit == 'W') {
      if (digits != 1 || i != text.size()) return false;
      any_weeks = true;
      continue;
    }
    const size_t place = units.find(unit);
    if (place == std::string_view::npos || place < last || (last > 0 && place > last)) return false;
    last = place + 1;
  }
  return true;
}

}  // namespace tasker::json_schema
