#include "lib/json_schema/ecma_pattern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <re2/re2.h>

#include <random>
#include <vector>

#include "lib/json_schema/pattern.h"
#include "lib/json_schema/plain_pattern.h"

namespace tasker::json_schema {
namespace {

struct MatchCase {
  std::string pattern;
  std::vector<std::string> matching;
  std::vector<std::string> others;
};

TEST(PatternTest, MatchesAsEcma262Does) {
  const MatchCase kCases[] = {
      {"^abc$", {"abc"}, {"abc\n", "\nabc", "xabc"}},
      {"a.c", {"abc", "aäc", "a💩c"}, {"a\nc", "a\rc", "a\u2028c", "a\u2029c"}},
      {"^\\d$", {"0"}, {"\u07c0", "a"}},
      {"^\\D$", {"\u07c0", "a"}, {"0"}},
      {"^\\w+$", {"aZ_9"}, {"é", "-"}},
      {"^\\W$", {"é", "-"}, {"_"}},
      {"^\\s$", {" ", "\t", "\v", "\f", "\n", "\u00a0", "\ufeff", "\u2029", "\u2003"}, {"\u0001", "\u2013", "\u200b"}},
      {"^\\S$", {"\u0001", "\u2013", "a"}, {" ", "\ufeff", "\u2029"}},
      {"^[\\s\\d]+$", {" 1\u00a0"}, {"a"}},
      {"^[^\\s]$", {"a"}, {" ", "\u3000"}},
      {"^[\\S]$", {"a", "ä"}, {"\u3000"}},
      {"^\\cC\\cj$", {"\x03\n"}, {"cCcj"}},
      {"^\\x41\\u0042\\u{43}$", {"ABC"}, {"abc"}},
      {"^\\ud83d\\udca9\\u{1F4A9}$", {"💩💩"}, {"💩"}},
      {"^[\\ud83d\\udca9x]$", {"💩", "x"}, {"y"}},
      {"\\ud83d", {}, {"💩", "x"}},
      {"^[\\ud83dx]$", {"x"}, {"💩"}},
      {"^💩+$", {"💩💩"}, {"💩x"}},
      {"^\\p{Letter}+$", {"aπ"}, {"1"}},
      {"^\\p{Lu}\\P{Lu}$", {"Ab"}, {"AB"}},
      {"^\\p{Script=Greek}+\\p{sc=Grek}$", {"παπ"}, {"abc"}},
      {"^\\p{gc=Decimal_Number}\\p{digit}$", {"4৪"}, {"aa"}},
      {"^\\p{ASCII}\\P{ASCII}\\p{Any}$", {"aäx"}, {"aaa"}},
      {"^[]$", {}, {"", "a"}},
      {"^[^]$", {"\n", "a", "ä"}, {"", "ab"}},
      {"a{2}b{0,1}c{1,}", {"aabc", "aaccc"}, {"abc", "aab"}},
      {"^a{x}$", {"a{x}"}, {"a"}},
      {"^{}]$", {"{}]"}, {""}},
      {"^a{,2}$", {"a{,2}"}, {"aa"}},
      {"^[[:alpha:]]$", {"a]", ":]"}, {"b", "b]"}},
      {"^\\-\\/\\_\\@$", {"-/_@"}, {""}},
      {"^(?<year>\\d{4})-(?:x)$", {"2026-x"}, {"2026"}},
      {"^(|a)$", {"", "a"}, {"b"}},
      {"\\bfoo\\B", {"a foox"}, {"a foo"}},
      {"^[\\b]$", {"\b"}, {"b"}},
      {"^[\\w-x]+$", {"a-x"}, {"!"}},
      {"^[a\\-z]+$", {"a-z"}, {"b"}},
      {"^[-a]+$", {"-a"}, {"b"}},
      {"^a+?b*?$", {"aab"}, {"ba"}},
      {"^\\0$", {std::string(1, '\0')}, {"0"}},
      {"^.{1,3000}$", {std::string(3000, 'x')}, {"", std::string(3001, 'x')}},
      {"^(ab){1200}$", {}, {"ab"}},
      {"^[aä]{1500,}$", {std::string(1500, 'a')}, {std::string(1499, 'a')}},
  };
  for (const MatchCase& test : kCases) {
    const Pattern pattern(test.pattern);
    ASSERT_EQ(pattern.error() + pattern.unsupported(), "") << test.pattern;
    for (const std::string& text : test.matching) EXPECT_TRUE(pattern.Matches(text)) << test.pattern << " on " << text;
    for (const std::string& text : test.others) EXPECT_FALSE(pattern.Matches(text)) << test.pattern << " on " << text;
  }
}

TEST(PatternTest, RefusesWhatIsNoPattern) {
  for (const char* text :
       {"(",    ")",      "a)",  "[",    "[a",    "*",      "+a",    "a**", "a+*",   "a{2}{3}",     "^*",
        "(?a)", "(?<>x)", "\\",  "\\a",  "\\Z",   "\\z",    "\\A",   "\\Q", "\\u12", "\\u{110000}", "\\u{",
        "\\xg", "\\c1",   "\\p", "\\pL", "[z-a]", "a{2,1}", "[\\q]", "|*",  "(*)",   "\\01"}) {
    EXPECT_NE(Pattern(text).error(), "") << text;
  }
}

TEST(PatternTest, NamesWhatLinearTimeCannotDo) {
  const std::pair<const char*, const char*> kCases[] = {
      {"(?=a)", "look-ahead"},          {"x(?!a)", "look-ahead"},
      {"(?<=a)b", "look-behind"},       {"(?<!a)b", "look-behind"},
      {"(a)\\1", "back-reference"},     {"(?<n>a)\\k<n>", "back-reference"},
      {"\\p{Emoji}", "\\p{Emoji}"},     {"((a{500}){500}){500}", "repeats"},
      {"(x{0,99999}y){999}", "repeats"}};
  for (const auto& [text, words] : kCases) {
    const Pattern pattern(text);
    EXPECT_EQ(pattern.error(), "") << text;
    EXPECT_THAT(pattern.unsupported(), testing::HasSubstr(words)) << text;
  }
}

TEST(PatternTest, TranslatesInLinearSpaceUpToItsBound) {
  std::string text = "a";
  for (int i = 0; i < 200; ++i) text = "(" + text + "){2000}";
  const EcmaPattern translated = TranslatePattern(text);
  EXPECT_NE(translated.unsupported, "");
  EXPECT_LT(translated.re2.size(), size_t{4} << 20);
}

// A pattern that needs no automaton must agree with the automaton.
TEST(PlainPatternTest, AgreesWithRe2) {
  std::mt19937 random(20201);
  const auto pick = [&](const std::vector<std::string>& from) { return from[random() % from.size()]; };
  const std::vector<std::string> atoms = {"a",   "b",   "-",   "[ab]",   "[^a]",   "[a-c]",
                                          "\\d", "\\w", "\\.", "[0-9-]", "[^b-z]", "[]"};
  const std::vector<std::string> repeats = {"", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,3}", "{2,}"};
  const std::vector<std::string> letters = {"a", "b", "c", "-", ".", "1", "ä", "z", "_", "\n"};
  int plain_ones = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string text = "^";
    for (size_t parts = random() % 4; parts > 0; --parts) text += pick(atoms) + pick(repeats);
    if (random() % 2 == 0) text += "$";
    const std::optional<PlainPattern> plain = PlainPattern::Parse(text);
    if (!plain) continue;
    ++plain_ones;
    const EcmaPattern translated = TranslatePattern(text);
    ASSERT_EQ(translated.error + translated.unsupported, "") << text;
    const RE2 re2(translated.re2);
    ASSERT_TRUE(re2.ok()) << text << " as " << translated.re2;
    for (int i = 0; i < 20; ++i) {
      std::string subject;
      for (size_t length = random() % 6; length > 0; --length) subject += pick(letters);
      EXPECT_EQ(plain->Matches(subject), RE2::PartialMatch(subject, re2)) << text << " on " << subject;
    }
  }
  EXPECT_GT(plain_ones, 1000);
}

}  // namespace
}  // namespace tasker::json_schema
