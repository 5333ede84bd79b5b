#include "lib/json_schema/plain_pattern.h"

#include <cstdint>

namespace tasker::json_schema {
namespace {

constexpr size_t kNoBound = SIZE_MAX;
// Beyond this a repeat is left to the translator, which knows what can be done.
constexpr size_t kMostRepeats = 100'000;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlnum(char c) { return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsPunctuation(char c) { return c > ' ' && c < 0x7F && !IsAlnum(c); }

}  // namespace

// Reads the few forms of ECMA-262 that a plain pattern may have; every method gives up at anything else.
class PlainPattern::Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool Done() const { return text_.empty(); }
  bool Take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }

  bool ReadPart(Part& part) {
    if (Take('[')) return ReadClass(part) && ReadRepeat(part);
    if (Take('\\')) return ReadEscape(part) && ReadRepeat(part);
    const char c = text_.front();
    constexpr std::string_view kSpecial = "^$.*+?()[]{}|";
    if (static_cast<unsigned char>(c) >= 0x80 || kSpecial.find(c) != std::string_view::npos) return false;
    text_.remove_prefix(1);
    part.ascii.set(static_cast<size_t>(c));
    return ReadRepeat(part);
  }

 private:
  static void AddRange(Part& part, char low, char high) {
    for (int c = low; c <= high; ++c) part.ascii.set(static_cast<size_t>(c));
  }

  // \d, \w and escaped punctuation.
  bool ReadEscape(Part& part) {
    if (text_.empty()) return false;
    const char c = text_.front();
    text_.remove_prefix(1);
    if (c == 'd' || c == 'w') AddRange(part, '0', '9');
    if (c == 'w') {
      AddRange(part, 'a', 'z');
      AddRange(part, 'A', 'Z');
      part.ascii.set('_');
    }
    if (IsPunctuation(c)) part.ascii.set(static_cast<size_t>(c));
    return c == 'd' || c == 'w' || IsPunctuation(c);
  }

  bool ReadClass(Part& part) {
    const bool negated = Take('^');
    while (!Take(']')) {
      if (text_.empty() || static_cast<unsigned char>(text_.front()) >= 0x80) return false;
      if (Take('\\')) {
        // A range from or to an escape is rare.
        if (!ReadEscape(part) || (text_.size() > 1 && text_[0] == '-' && text_[1] != ']')) return false;
        continue;
      }
      const char low = text_.front();
      text_.remove_prefix(1);
      if (text_.size() > 1 && text_[0] == '-' && text_[1] != ']') {
        const char high = text_[1];
        if (!IsAlnum(low) || !IsAlnum(high) || low > high) return false;
        text_.remove_prefix(2);
        AddRange(part, low, high);
      } else {
        part.ascii.set(static_cast<size_t>(low));
      }
    }
    if (negated) part.ascii.flip();
    part.beyond_ascii = negated;
    return true;
  }

  bool ReadNumber(size_t& number) {
    if (text_.empty() || !IsDigit(text_.front())) return false;
    number = 0;
    while (!text_.empty() && IsDigit(text_.front())) {
      number = number * 10 + static_cast<size_t>(text_.front() - '0');
      if (number > kMostRepeats) return false;
      text_.remove_prefix(1);
    }
    return true;
  }

  bool ReadRepeat(Part& part) {
    if (Take('*')) {
      part.least = 0;
      part.most = kNoBound;
    } else if (Take('+')) {
      part.most = kNoBound;
    } else if (Take('?')) {
      part.least = 0;
    } else if (Take('{')) {
      if (!ReadNumber(part.least)) return false;
      part.most = part.least;
      if (Take(',')) {
        part.most = kNoBound;
        if (!text_.empty() && IsDigit(text_.front()) && !ReadNumber(part.most)) return false;
      }
      if (!Take('}') || part.most < part.least) return false;
    } else {
      return true;
    }
    // A lazy or a doubled repeat.
    return text_.empty() || std::string_view("*+?{").find(text_.front()) == std::string_view::npos;
  }

  std::string_view text_;
};

std::optional<PlainPattern> PlainPattern::Parse(std::string_view ecma) {
  Reader reader(ecma);
  PlainPattern pattern;
  if (!reader.Take('^')) return std::nullopt;
  while (!reader.Done() && !pattern.to_end_) {
    if (reader.Take('$')) {
      pattern.to_end_ = true;
    } else if (!reader.ReadPart(pattern.parts_.emplace_back())) {
      return std::nullopt;
    }
  }
  if (!reader.Done() || !pattern.IsDetermined()) return std::nullopt;
  return pattern;
}

// A repeat may take all it can get when nothing that may come next could have wanted any of it.
bool PlainPattern::IsDetermined() const {
  for (size_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i].least == parts_[i].most) continue;
    for (size_t next = i + 1; next < parts_.size(); ++next) {
      if ((parts_[i].ascii & parts_[next].ascii).any()) return false;
      if (parts_[i].beyond_ascii && parts_[next].beyond_ascii) return false;
      if (parts_[next].least > 0) break;
    }
  }
  return true;
}

bool PlainPattern::Matches(std::string_view text) const {
  const char* at = text.data();
  const char* const end = at + text.size();
  for (const Part& part : parts_) {
    size_t count = 0;
    while (count < part.most && at != end) {
      const unsigned char c = static_cast<unsigned char>(*at);
      if (c < 0x80) {
        if (!part.ascii[c]) break;
        ++at;
      } else {
        if (!part.beyond_ascii) break;
        do {
          ++at;
        } while (at != end && (static_cast<unsigned char>(*at) & 0xC0) == 0x80);
      }
      ++count;
    }
    if (count < part.least) return false;
  }
  return !to_end_ || at == end;
}

}  // namespace tasker::json_schema
