#include "lib/json_schema/ecma_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <vector>

#include "lib/json_schema/unicode_property.h"

namespace tasker::json_schema {
namespace {

// RE2 refuses larger counts.
constexpr int kMostRepeats = 1000;
constexpr int kMostWrittenOut = 100'000;
constexpr size_t kMostBytes = 1 << 20;

constexpr uint32_t kHighestRune = 0x10FFFF;
// What \s means in ECMA-262: white space and line terminators, beyond RE2's five characters.
constexpr std::string_view kSpaces =
    "\\t-\\r\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}";
constexpr std::string_view kNoSpaces =
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{"
    "202e}"
    "\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}";
constexpr std::string_view kNoCharacter = "[^\\x{0}-\\x{10ffff}]";
constexpr std::string_view kAnyCharacter = "[\\x{0}-\\x{10ffff}]";
// '.' does not match ECMA-262's four line terminators; RE2's only spares \n.
constexpr std::string_view kDot = "[^\\n\\r\\x{2028}\\x{2029}]";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// One thing an escape or a character of a class stands for: a code point, or a set in class syntax.
struct Atom {
  uint32_t rune = 0;
  std::string set;         // "0-9", "\p{L}"; when not empty, `rune` means nothing
  bool nothing = false;    // a lone surrogate: no UTF-8 text has one
  bool assertion = false;  // \b, \B: no character at all
};

class Translator {
 public:
  explicit Translator(std::string_view text) : text_(text) {}

  EcmaPattern Run() {
    while (at_ < text_.size() && result_.error.empty()) {
      Next();
      if (result_.re2.size() > kMostBytes) Unsupported("repeats that large");
      if (!result_.unsupported.empty() && result_.re2.size() > kMostBytes) break;
    }
    if (result_.error.empty() && !groups_.empty()) Error("a '(' is not closed");
    return std::move(result_);
  }

 private:
  void Error(std::string_view what) {
    if (result_.error.empty()) result_.error = fmt::format("{} at byte {}", what, at_);
  }
  void Unsupported(std::string_view what) {
    if (result_.unsupported.empty()) result_.unsupported = what;
  }
  bool Has(std::string_view next) const { return text_.substr(at_).starts_with(next); }
  bool Take(std::string_view next) {
    if (!Has(next)) return false;
    at_ += next.size();
    return true;
  }
  void Emit(std::string_view atom) {
    atom_start_ = result_.re2.size();
    result_.re2 += atom;
    repeatable_ = true;
  }
  void EmitAssertion(std::string_view assertion) {
    result_.re2 += assertion;
    repeatable_ = false;
  }

  void Next() {
    const char c = text_[at_];
    switch (c) {
      case '^':
        ++at_;
        return EmitAssertion("\\A");
      case '$':
        ++at_;
        return EmitAssertion("\\z");
      case '|':
        ++at_;
        return EmitAssertion("|");
      case '.':
        ++at_;
        return Emit(kDot);
      case '(':
        return OpenGroup();
      case ')':
        return CloseGroup();
      case '[':
        return Class();
      case '*':
      case '+':
      case '?':
      case '{':
        return Repeat();
      case '\\':
        return EmitAtom(Escape(/*in_class=*/false));
      case '}':
      case ']':
        ++at_;
        return Emit(c == '}' ? "\\}" : "\\]");
      default:
        return Literal();
    }
  }

  // One character, with all its bytes, so that a repeat applies to the whole of it.
  void Literal() {
    size_t end = at_ + 1;
    while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xC0) == 0x80) ++end;
    Emit(text_.substr(at_, end - at_));
    at_ = end;
  }

  void OpenGroup() {
    ++at_;
    if (Take("?")) {
      if (Has("=") || Has("!")) {
        Unsupported(fmt::format("look-ahead '(?{}'", text_[at_]));
        ++at_;
      } else if (Has("<=") || Has("<!")) {
        Unsupported(fmt::format("look-behind '(?{}'", text_.substr(at_, 2)));
        at_ += 2;
      } else if (Take("<")) {
        const size_t end = text_.find('>', at_);
        if (end == std::string_view::npos || end == at_ || IsDigit(text_[at_])) return Error("a group's name is wrong");
        at_ = end + 1;
      } else if (!Take(":")) {
        return Error("after '(?' must come ':', '=', '!' or '<'");
      }
    }
    groups_.push_back(result_.re2.size());
    EmitAssertion("(?:");
  }

  void CloseGroup() {
    if (groups_.empty()) return Error("a ')' has no '('");
    ++at_;
    result_.re2 += ')';
    atom_start_ = groups_.back();
    groups_.pop_back();
    repeatable_ = true;
  }

  struct Count {
    int least = 0;
    int most = -1;  // -1: no bound
  };

  std::optional<int> Number() {
    if (at_ >= text_.size() || !IsDigit(text_[at_])) return std::nullopt;
    int64_t value = 0;
    while (at_ < text_.size() && IsDigit(text_[at_]))
      value = std::min<int64_t>(value * 10 + (text_[at_++] - '0'), 1 << 30);
    return static_cast<int>(value);
  }

  // {n}, {n,} or {n,m}; anything else is a literal brace.
  std::optional<Count> Braces() {
    const size_t start = at_++;
    const std::optional<int> least = Number();
    if (least && Take("}")) return Count{.least = *least, .most = *least};
    if (least && Take(",")) {
      const std::optional<int> most = Number();
      if (Take("}")) return Count{.least = *least, .most = most.value_or(-1)};
    }
    at_ = start;
    return std::nullopt;
  }

  void Repeat() {
    const char c = text_[at_];
    std::optional<Count> count;
    if (c == '{') {
      count = Braces();
      if (!count) {
        ++at_;
        return Emit("\\{");
      }
    } else {
      ++at_;
    }
    if (!repeatable_) return Error("a repeat has nothing to repeat");
    repeatable_ = false;
    const bool lazy = Take("?");
    // Whether a text matches at all does not depend on greed.
    static_cast<void>(lazy);
    if (!count) {
      result_.re2 += c;
    } else if (count->most >= 0 && count->most < count->least) {
      Error("a repeat's bounds are out of order");
    } else {
      EmitCount(*count);
    }
  }

  void EmitCount(Count count) {
    if (count.least <= kMostRepeats && count.most <= kMostRepeats) {
      if (count.most < 0) {
        result_.re2 += fmt::format("{{{},}}", count.least);
      } else {
        result_.re2 += fmt::format("{{{},{}}}", count.least, count.most);
      }
      return;
    }
    const std::string atom = result_.re2.substr(atom_start_);
    const int copies = std::max(count.least, count.most) / kMostRepeats + 2;
    if (std::max(count.least, count.most) > kMostWrittenOut || atom.size() * static_cast<size_t>(copies) > kMostBytes) {
      return Unsupported("repeats that large");
    }
    std::string out = "(?:";
    for (int rest = count.least; rest > 0; rest -= kMostRepeats) {
      out += fmt::format("{}{{{}}}", atom, std::min(rest, kMostRepeats));
    }
    if (count.most < 0) out += atom + "*";
    for (int rest = count.most - count.least; rest > 0; rest -= kMostRepeats) {
      out += fmt::format("{}{{0,{}}}", atom, std::min(rest, kMostRepeats));
    }
    result_.re2.resize(atom_start_);
    result_.re2 += out + ")";
  }

  static std::string Rune(uint32_t rune) {
    if (rune < 0x80 && (IsDigit(static_cast<char>(rune)) || IsLetter(static_cast<char>(rune)))) {
      return std::string(1, static_cast<char>(rune));
    }
    return fmt::format("\\x{{{:x}}}", rune);
  }

  void EmitAtom(const Atom& atom) {
    if (atom.assertion) return EmitAssertion(atom.set);
    if (atom.nothing) return Emit(kNoCharacter);
    Emit(atom.set.empty() ? Rune(atom.rune) : fmt::format("[{}]", atom.set));
  }

  std::optional<uint32_t> Hex(size_t digits) {
    if (text_.size() - at_ < digits) return std::nullopt;
    uint32_t value = 0;
    for (size_t i = 0; i < digits; ++i) {
      const char c = text_[at_ + i];
      const char lower = static_cast<char>(c | 0x20);
      if (!IsDigit(c) && (lower < 'a' || lower > 'f')) return std::nullopt;
      value = value * 16 + static_cast<uint32_t>(IsDigit(c) ? c - '0' : lower - 'a' + 10);
    }
    at_ += digits;
    return value;
  }

  // After "\u": four digits, a pair of surrogates, or {…}.
  Atom UnicodeEscape() {
    if (Take("{")) {
      const size_t end = text_.find('}', at_);
      const size_t digits = end == std::string_view::npos ? 0 : end - at_;
      const std::optional<uint32_t> rune = digits >= 1 && digits <= 8 ? Hex(digits) : std::nullopt;
      if (!rune || *rune > kHighestRune || !Take("}")) Error("'\\u{' needs a code point up to 10FFFF and '}'");
      return RuneAtom(rune.value_or(0));
    }
    const std::optional<uint32_t> unit = Hex(4);
    if (!unit) Error("'\\u' needs four hexadecimal digits");
    if (unit && *unit >= 0xD800 && *unit <= 0xDBFF && Has("\\u")) {
      const size_t start = at_;
      at_ += 2;
      const std::optional<uint32_t> low = Hex(4);
      if (low && *low >= 0xDC00 && *low <= 0xDFFF) {
        return RuneAtom(0x10000 + ((*unit - 0xD800) << 10) + (*low - 0xDC00));
      }
      at_ = start;
    }
    return RuneAtom(unit.value_or(0));
  }

  static Atom RuneAtom(uint32_t rune) {
    Atom atom;
    atom.rune = rune;
    atom.nothing = rune >= 0xD800 && rune <= 0xDFFF;
    return atom;
  }
  static Atom SetAtom(std::string_view set) {
    Atom atom;
    atom.set = set;
    return atom;
  }
  static Atom AssertionAtom(std::string_view assertion) {
    Atom atom = SetAtom(assertion);
    atom.assertion = true;
    return atom;
  }

  Atom PropertyEscape(bool negated) {
    const size_t end = Take("{") ? text_.find('}', at_) : std::string_view::npos;
    if (end == std::string_view::npos) {
      Error("'\\p' needs a property in braces");
      return {};
    }
    const std::string_view property = text_.substr(at_, end - at_);
    at_ = end + 1;
    const std::string set = UnicodePropertySet(property, negated);
    if (set.empty()) Unsupported(fmt::format("the property '\\p{{{}}}'", property));
    return SetAtom(set.empty() ? "a" : set);
  }

  Atom Escape(bool in_class) {
    ++at_;
    if (at_ >= text_.size()) {
      Error("a '\\' ends the pattern");
      return {};
    }
    const char c = text_[at_++];
    switch (c) {
      case 'd':
        return SetAtom("0-9");
      case 'D':
        return SetAtom("\\D");
      case 'w':
        return SetAtom("0-9A-Za-z_");
      case 'W':
        return SetAtom("\\W");
      case 's':
        return SetAtom(kSpaces);
      case 'S':
        return SetAtom(kNoSpaces);
      case 't':
        return RuneAtom('\t');
      case 'n':
        return RuneAtom('\n');
      case 'v':
        return RuneAtom('\v');
      case 'f':
        return RuneAtom('\f');
      case 'r':
        return RuneAtom('\r');
      case 'b':
        return in_class ? RuneAtom('\b') : AssertionAtom("\\b");
      case 'p':
      case 'P':
        return PropertyEscape(c == 'P');
      case 'u':
        return UnicodeEscape();
      case 'x':
        if (const std::optional<uint32_t> rune = Hex(2)) return RuneAtom(*rune);
        Error("'\\x' needs two hexadecimal digits");
        return {};
      case 'c':
        if (at_ < text_.size() && IsLetter(text_[at_])) return RuneAtom(static_cast<uint32_t>(text_[at_++]) % 32);
        Error("'\\c' needs a letter");
        return {};
      default:
        return OtherEscape(c, in_class);
    }
  }

  Atom OtherEscape(char c, bool in_class) {
    if (c == 'B' && !in_class) return AssertionAtom("\\B");
    if (c == '0' && (at_ >= text_.size() || !IsDigit(text_[at_]))) return RuneAtom(0);
    if (c == 'k' && Has("<") && !in_class) {
      Unsupported("the back-reference '\\k<'");
      at_ = std::min(text_.find('>', at_), text_.size() - 1) + 1;
      return RuneAtom('k');
    }
    if (IsDigit(c) && c != '0' && !in_class) {
      Unsupported(fmt::format("the back-reference '\\{}'", c));
      Number();
      return RuneAtom('1');
    }
    if (IsDigit(c) || IsLetter(c)) {
      Error(fmt::format("'\\{}' is not an escape of ECMA-262", c));
      return {};
    }
    --at_;
    return Character();
  }

  // A character that stands for itself.
  Atom Character() {
    const unsigned char lead = static_cast<unsigned char>(text_[at_]);
    const size_t size = lead < 0x80 ? 1 : (lead < 0xE0 ? 2 : (lead < 0xF0 ? 3 : 4));
    uint32_t rune = lead < 0x80 ? lead : (lead & (0x7Fu >> size));
    ++at_;
    for (size_t i = 1; i < size && at_ < text_.size(); ++i) {
      rune = (rune << 6) | (static_cast<unsigned char>(text_[at_++]) & 0x3Fu);
    }
    return RuneAtom(rune);
  }

  Atom ClassAtom() { return text_[at_] == '\\' ? Escape(/*in_class=*/true) : Character(); }

  void Class() {
    ++at_;
    const bool negated = Take("^");
    std::string body;
    while (at_ < text_.size() && text_[at_] != ']') {
      const Atom low = ClassAtom();
      if (Has("-") && !Has("-]") && at_ + 1 < text_.size()) {
        ++at_;
        const Atom high = ClassAtom();
        AppendRange(low, high, body);
      } else {
        AppendSingle(low, body);
      }
      if (!result_.error.empty()) return;
    }
    if (!Take("]")) return Error("a '[' is not closed");
    if (body.empty()) return Emit(negated ? kAnyCharacter : kNoCharacter);
    Emit(fmt::format("[{}{}]", negated ? "^" : "", body));
  }

  static void AppendSingle(const Atom& atom, std::string& body) {
    if (!atom.nothing) body += atom.set.empty() ? Rune(atom.rune) : atom.set;
  }

  void AppendRange(const Atom& low, const Atom& high, std::string& body) {
    if (!low.set.empty() || !high.set.empty()) {  // [\w-x]: the '-' is one
      AppendSingle(low, body);
      body += "\\x{2d}";
      return AppendSingle(high, body);
    }
    if (low.rune > high.rune) return Error("a range's ends are out of order");
    // RE2 refuses surrogates as ends; they match nothing.
    const uint32_t first = low.nothing ? 0xE000 : low.rune;
    const uint32_t last = high.nothing ? 0xD7FF : high.rune;
    if (first <= last) body += fmt::format("{}-{}", Rune(first), Rune(last));
  }

  std::string_view text_;
  size_t at_ = 0;
  EcmaPattern result_;
  std::vector<size_t> groups_;  // where in re2 each open group starts
  size_t atom_start_ = 0;       // where in re2 the last atom starts
  bool repeatable_ = false;
};

}  // namespace

EcmaPattern TranslatePattern(std::string_view pattern) { return Translator(pattern).Run(); }

}  // namespace tasker::json_schema
