#include "lib/template/yaml_reader.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/template/document.h"

namespace tasker::tmpl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The issues as "line:column CODE message".
std::vector<std::string> Problems(std::string_view yaml, ReadLimits limits = {}) {
  base::IssueList issues;
  ReadYaml(yaml, limits, issues);
  std::vector<std::string> out;
  for (const base::Issue& issue : issues.Sorted()) {
    out.push_back(fmt::format("{}:{} {} {}", issue.position.line, issue.position.column, issue.code, issue.message));
  }
  return out;
}

Document Read(std::string_view yaml) {
  base::IssueList issues;
  auto document = ReadYaml(yaml, {}, issues);
  EXPECT_TRUE(document.has_value()) << yaml;
  return document ? std::move(*document) : Document();
}

TEST(YamlScalarTest, FollowsTheCoreSchema) {
  struct Case {
    const char* text;
    NodeKind kind;
  };
  using enum NodeKind;
  const Case cases[] = {
      {"true", kBool},
      {"FALSE", kBool},
      {"yes", kString},
      {"off", kString},
      {"tRue", kString},
      {"null", kNull},
      {"~", kNull},
      {"nULL", kString},
      {"0", kInteger},
      {"-17", kInteger},
      {"+5", kInteger},
      {"0o17", kInteger},
      {"0x1F", kInteger},
      {"0123", kString},
      {"-0123", kString},
      {"1_000", kString},
      {"12:30", kString},
      {"1.0", kReal},
      {".5", kReal},
      {"1.", kReal},
      {"1e3", kReal},
      {"1e", kString},
      {"1.2.3", kString},
      {".", kString},
      {"-", kString},
      {".nan", kNotFiniteReal},
      {"-.inf", kNotFiniteReal},
      {"1e999", kNotFiniteReal},
      {"1e-999", kReal},
      {"18446744073709551615", kInteger},
      {"18446744073709551616", kHugeInteger},
      {"-9223372036854775808", kInteger},
      {"-9223372036854775809", kHugeInteger},
      {"nan", kString},
      {"inf", kString},
      {"0x", kString},
      {"0o8", kString},
      {"0b1", kString},
  };
  for (const Case& c : cases) EXPECT_EQ(ClassifyPlain(c.text), c.kind) << c.text;
}

TEST(YamlScalarTest, GivesTheValues) {
  const Document document = Read("[0o17, 0x1F, -5, 18446744073709551615, 1.5, TRUE, '5', \"a\\tb\"]");
  EXPECT_EQ(std::get<int64_t>(document.root().item(0).integer_value()), 15);
  EXPECT_EQ(std::get<int64_t>(document.root().item(1).integer_value()), 31);
  EXPECT_EQ(std::get<int64_t>(document.root().item(2).integer_value()), -5);
  EXPECT_EQ(std::get<uint64_t>(document.root().item(3).integer_value()), 18446744073709551615u);
  EXPECT_EQ(document.root().item(4).real_value(), 1.5);
  EXPECT_TRUE(document.root().item(5).bool_value());
  EXPECT_EQ(document.root().item(6).kind(), NodeKind::kString);
  EXPECT_EQ(document.root().item(7).text(), "a\tb");
}

TEST(YamlReaderTest, KnowsWhereThingsAre) {
  const Document document = Read("# head\n---\na:\n  b: [x, yé, z]\n  c:\n");
  EXPECT_EQ(document.Locate("/a/b/1"), (base::Position{4, 10}));
  EXPECT_EQ(document.Locate("/a/b/2"), (base::Position{4, 15}));  // columns are bytes
  EXPECT_EQ(document.Locate("/a/b", /*of_key=*/true), (base::Position{4, 3}));
  EXPECT_EQ(document.Locate("/a/c"), (base::Position{5, 3}));
  EXPECT_EQ(document.Locate("/a/b/9"), (base::Position{4, 6}));
}

TEST(YamlReaderTest, AppliesAliasesAndMergeKeys) {
  const Document document = Read("base: &b {x: 1, y: 2}\nuse: *b\nmerged: {<<: *b, y: 3}\nboth: {<<: [{x: 9}, *b]}\n");
  const Node root = document.root();
  EXPECT_EQ(root.member(1).value.size(), 2u);
  const Node merged = root.member(2).value;
  ASSERT_EQ(merged.size(), 2u);
  EXPECT_EQ(merged.member(0).key, "y");
  EXPECT_EQ(merged.member(0).value.text(), "3");
  EXPECT_EQ(merged.member(1).key, "x");
  const Node both = root.member(3).value;
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both.member(0).value.text(), "9");
  EXPECT_EQ(both.member(1).value.text(), "2");
}

TEST(YamlReaderTest, TakesTheCoreTagsOnly) {
  const Document document = Read("[!!str 5, !!int 5, !!float 5, !!null '', ! x]");
  EXPECT_EQ(document.root().item(0).kind(), NodeKind::kString);
  EXPECT_EQ(document.root().item(1).kind(), NodeKind::kInteger);
  EXPECT_EQ(document.root().item(2).kind(), NodeKind::kReal);
  EXPECT_THAT(Problems("a: !!binary aGk="), ElementsAre(HasSubstr("1:4 YAML_TAG tag '!!binary' is not of")));
  EXPECT_THAT(Problems("a: !mine x"), ElementsAre(HasSubstr("YAML_TAG tag '!mine'")));
  EXPECT_THAT(Problems("a: !!set {x}"), ElementsAre(HasSubstr("YAML_TAG")));
  EXPECT_THAT(Problems("a: !!int x"), ElementsAre("1:4 YAML_TAG 'x' is not what its tag !!int says"));
}

TEST(YamlReaderTest, ReportsEveryDuplicateKey) {
  EXPECT_THAT(Problems("a: 1\nb: {c: 1, \"c\": 2}\na: 2\n"),
              ElementsAre("2:11 YAML_DUPLICATE_KEY key 'c' is written twice; first in line 2",
                          "3:1 YAML_DUPLICATE_KEY key 'a' is written twice; first in line 1"));
}

TEST(YamlReaderTest, RefusesWhatItCannotHold) {
  struct Case {
    std::string yaml;
    const char* problem;
  };
  using namespace std::string_literals;
  const Case cases[] = {
      {"a: 1\n---\nb: 2\n", "2:1 YAML_MULTIPLE_DOCUMENTS"},
      {"a: &x [*x]", "1:8 YAML_ALIAS_CYCLE"},
      {"a: *nowhere", "1:4 YAML_ALIAS_UNKNOWN"},
      {"{[1]: 2}", "1:2 YAML_KEY_NOT_TEXT"},
      {"? {a: 1}\n: 2", "YAML_KEY_NOT_TEXT"},
      {"~: 2", "YAML_KEY_NOT_TEXT"},
      {"a: \xff", "1:4 YAML_INVALID_UTF8 byte 0xff is not valid UTF-8"},
      {"a: 1\nb: \0"s, "2:4 YAML_NUL"},
      {"a: \"\\0\"", "1:4 YAML_NUL"},
      {"a: {<<: 5}", "YAML_MERGE '<<' merges maps, and this is an integer"},
      {"a: [1", "YAML_SYNTAX"},
      {"a: 1\n\tb: 2", "YAML_SYNTAX"},
  };
  for (const Case& c : cases) EXPECT_THAT(Problems(c.yaml), ElementsAre(HasSubstr(c.problem))) << c.yaml;
}

TEST(YamlReaderTest, StopsAtItsLimits) {
  EXPECT_THAT(Problems("abcdef", {.text_bytes = 5}), ElementsAre(HasSubstr("YAML_TOO_LARGE")));
  EXPECT_THAT(Problems("[[[1]]]", {.depth = 2}), ElementsAre(HasSubstr("1:3 YAML_TOO_DEEP")));
  EXPECT_THAT(Problems("[1, 2, 3]", {.nodes = 3}), ElementsAre(HasSubstr("YAML_TOO_MANY_NODES")));
  EXPECT_THAT(Problems(std::string(1000, '[') + std::string(1000, ']')), ElementsAre(HasSubstr("YAML_TOO_DEEP")));
  EXPECT_EQ(Problems(std::string(100000, '[')).size(), 1u);
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += fmt::format("a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i, i - 1);
  }
  EXPECT_THAT(Problems(bomb), ElementsAre(HasSubstr("YAML_TOO_MANY_NODES")));
  std::string fat = "big: &big \"" + std::string(1 << 20, 'x') + "\"\nuse: [*big, *big, *big, *big, *big]\n";
  EXPECT_THAT(Problems(fat), ElementsAre(HasSubstr("YAML_TOO_LARGE")));
  std::string deep = "a: &a [[[[1]]]]\nb: [[*a]]\n";
  EXPECT_THAT(Problems(deep, {.depth = 6}), ElementsAre(HasSubstr("2:6 YAML_TOO_DEEP")));
}

TEST(YamlReaderTest, ReadsJsonAndByteOrderMarksAndCrlf) {
  EXPECT_EQ(Read("{\"a\": [1, 2.0, null]}").root().member(0).value.size(), 3u);
  EXPECT_EQ(Read("\xEF\xBB\xBF"
                 "a: 1\r\nb: 2\r\n")
                .root()
                .size(),
            2u);
  EXPECT_TRUE(Read("").root().is_null());
  EXPECT_TRUE(Read("# nothing\n").root().is_null());
}

}  // namespace
}  // namespace tasker::tmpl
