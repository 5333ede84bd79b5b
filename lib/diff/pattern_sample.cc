#include "lib/diff/pattern_sample.h"

#include <algorithm>
#include <bitset>
#include <charconv>
#include <optional>

#include "lib/diff/conjunction.h"

namespace tasker::diff {
namespace {

constexpr size_t kMaxSampleBytes = 200;

// Writes one string by walking through the pattern. What it does not know, it gives up on; whether the result matches
// is checked afterwards, so it may be sloppy.
class Sampler {
 public:
  // `extra`: how many more repeats than the least; `last`: the last character of each class instead of the first.
  Sampler(std::string_view pattern, size_t extra, bool last) : pattern_(pattern), extra_(extra), last_(last) {}

  std::optional<std::string> Run() {
    std::string out;
    if (!Alternatives(out) || at_ != pattern_.size()) return std::nullopt;
    return out;
  }

 private:
  static constexpr int kMaxDepth = 50;

  bool Done() const { return at_ >= pattern_.size(); }
  char Peek() const { return Done() ? '\0' : pattern_[at_]; }
  bool Take(char c) {
    if (Peek() != c || Done()) return false;
    ++at_;
    return true;
  }

  bool Alternatives(std::string& out) {
    if (++depth_ > kMaxDepth) return false;
    std::vector<std::string> branches(1);
    do {
      if (!Sequence(branches.back())) return false;
      if (Peek() == '|') branches.emplace_back();
    } while (Take('|'));
    --depth_;
    out += branches[extra_ % branches.size()];
    return out.size() <= kMaxSampleBytes;
  }

  bool Sequence(std::string& out) {
    while (!Done() && Peek() != '|' && Peek() != ')') {
      std::string atom;
      if (Take('^') || Take('$')) continue;
      if (!Atom(atom)) return false;
      size_t least = 1, most = 1;
      if (!Quantifier(least, most)) return false;
      const size_t times = std::min({least + extra_, most, kMaxSampleBytes});
      if (times < least) return false;
      for (size_t i = 0; i < times; ++i) out += atom;
      if (out.size() > kMaxSampleBytes) return false;
    }
    return true;
  }

  bool Atom(std::string& out) {
    if (Take('(')) {
      if (Take('?') && !Take(':')) return false;
      return Alternatives(out) && Take(')');
    }
    if (Take('[')) return Class(out);
    if (Take('.')) return out += 'a', true;
    if (Take('\\')) {
      std::bitset<128> set;
      if (!Escape(set)) return false;
      return Pick(set, out);
    }
    out += pattern_[at_++];
    return true;
  }

  bool Class(std::string& out) {
    std::bitset<128> set;
    const bool negated = Take('^');
    while (!Done() && Peek() != ']') {
      std::bitset<128> item;
      const size_t start = at_;
      if (Take('\\')) {
        if (!Escape(item)) return false;
      } else {
        if (static_cast<unsigned char>(Peek()) >= 128) return false;
        item.set(static_cast<unsigned char>(pattern_[at_++]));
      }
      const bool range = item.count() == 1 && Peek() == '-' && at_ + 1 < pattern_.size() && pattern_[at_ + 1] != ']';
      if (range) {
        const unsigned char from = static_cast<unsigned char>(pattern_[start]);
        const unsigned char to = static_cast<unsigned char>(pattern_[at_ + 1]);
        if (to >= 128 || to == '\\' || from == '\\') return false;
        at_ += 2;
        for (unsigned c = from; c <= to; ++c) item.set(c);
      }
      set |= item;
    }
    if (negated) set.flip();
    return Take(']') && Pick(set, out);
  }

  bool Escape(std::bitset<128>& set) {
    if (Done()) return false;
    const char c = pattern_[at_++];
    const auto add = [&](char from, char to) {
      for (char x = from; x <= to; ++x) set.set(static_cast<unsigned char>(x));
    };
    switch (c) {
      case 'd':
        add('0', '9');
        return true;
      case 'w':
        add('0', '9'), add('a', 'z'), add('A', 'Z'), add('_', '_');
        return true;
      case 's':
        set.set(' ');
        return true;
      default:
        if ((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z')) return false;
        set.set(static_cast<unsigned char>(c) & 127u);
        return true;
    }
  }

  // A letter or digit of the set where there is one.
  bool Pick(const std::bitset<128>& set, std::string& out) const {
    std::string members;
    for (const auto& [from, to] :
         {std::pair('a', 'z'), std::pair('0', '9'), std::pair('A', 'Z'), std::pair(' ', '~')}) {
      for (char c = from; c <= to; ++c) {
        if (set.test(static_cast<unsigned char>(c))) members += c;
      }
    }
    if (members.empty()) return false;
    out += last_ ? members.back() : members.front();
    return true;
  }

  bool Quantifier(size_t& least, size_t& most) {
    constexpr size_t kMany = kMaxSampleBytes;
    if (Take('*')) {
      least = 0, most = kMany;
    } else if (Take('+')) {
      least = 1, most = kMany;
    } else if (Take('?')) {
      least = 0, most = 1;
    } else if (Peek() == '{') {
      ++at_;
      if (!Number(least)) return false;
      most = least;
      if (Take(',')) {
        most = kMany;
        if (Peek() != '}' && !Number(most)) return false;
      }
      if (!Take('}')) return false;
    }
    Take('?');
    return least <= kMaxSampleBytes;
  }

  bool Number(size_t& out) {
    const char* const begin = pattern_.data() + at_;
    const auto [end, failed] = std::from_chars(begin, pattern_.data() + pattern_.size(), out);
    at_ += static_cast<size_t>(end - begin);
    return failed == std::errc();
  }

  std::string_view pattern_;
  const size_t extra_;
  const bool last_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

std::vector<std::string> SamplePattern(std::string_view pattern) {
  std::vector<std::string> samples;
  for (const size_t extra : {0, 1, 2, 3, 5, 8, 13}) {
    for (const bool last : {false, true}) {
      std::optional<std::string> sample = Sampler(pattern, extra, last).Run();
      if (!sample || !PatternMatches(std::string(pattern), *sample)) continue;
      if (std::find(samples.begin(), samples.end(), *sample) == samples.end()) samples.push_back(std::move(*sample));
    }
  }
  return samples;
}

}  // namespace tasker::diff
