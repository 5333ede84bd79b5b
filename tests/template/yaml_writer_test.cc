#include "lib/template/yaml_writer.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "lib/base/issue_text.h"
#include "lib/template/yaml_reader.h"
#include "tests/support/document_json.h"

namespace tasker::tmpl {
namespace {

using base::Json;
using base::JsonArray;
using base::JsonObject;

// What ReadYaml makes of the text; the issues as a JSON string where it refuses it.
Json ReadBack(const std::string& yaml) {
  base::IssueList issues;
  ReadLimits limits;
  limits.depth = 600;
  const std::optional<Document> document = ReadYaml(yaml, limits, issues);
  if (!document) return Json(base::IssueTexts(issues.Sorted(), 0, "yaml", yaml));
  return testing::DocumentJson(document->root());
}

// Kinds and order included: 1 is not 1.0.
std::string Exact(const Json& value) { return base::PrettyJson(value); }

Json Parsed(std::string_view json) { return *base::ParseJson(json); }

TEST(YamlWriterTest, WritesBlockStyleInTheOrderOfTheKeys) {
  EXPECT_EQ(WriteYaml(Parsed(R"({"name": "pay", "empty": {}, "none": [], "steps": [{"name": "a", "after": ["b", "c"],
                                "retry": {"limit": 3, "factor": 2.0}}, [1, [true]], null], "text": "one\ntwo\n"})")),
            R"(name: pay
empty: {}
none: []
steps:
  - name: a
    after:
      - b
      - c
    retry:
      limit: 3
      factor: 2.0
  - - 1
    - - true
  - null
text: |
  one
  two
)");
}

TEST(YamlWriterTest, LeavesPlainWordsUnquoted) {
  for (const char* const word : {"payments", "Payments::Charge", "a b", "it's", "pkg.module:function", "x,y", "größer",
                                 "proc { |x| x }", "https://example.com/a?b=c#d", "nothing", "日本", "a-b"}) {
    EXPECT_EQ(WriteYaml(Json(word)), std::string(word) + "\n");
  }
}

class YamlWriterTextTest : public ::testing::TestWithParam<std::string> {};

TEST_P(YamlWriterTextTest, ReadsBackAsValueKeyAndItem) {
  const std::string& text = GetParam();
  const boost::json::string_view view(text.data(), text.size());
  JsonObject object;
  object.emplace(view, Json(view));
  object.emplace("last", JsonArray{Json(view), JsonArray{Json(view)}, JsonObject{{view, Json(view)}}});
  for (const Json& value : {Json(view), Json(object)}) {
    const std::string yaml = WriteYaml(value);
    EXPECT_EQ(Exact(ReadBack(yaml)), Exact(value)) << yaml;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Texts, YamlWriterTextTest,
    ::testing::Values("", " ", "  two blanks", "trailing ", "yes", "No", "on", "y", "true", "False", "null", "~",
                      "NULL", "0123", "0o17", "0x1f", "1.0", "1e3", "1_000", "12:30", "12:30:45", "2024-01-01",
                      "2024-01-01T00:00:00Z", "-5", "+1", ".5", ".nan", "-.inf", "<<", "=", "-", "- a", "? a", "a: b",
                      "a:", ": a", "a #b", "#a", "&a", "*a", "!a", "!!str a", "|", ">", "%a", "@a", "`a", "'a'",
                      "\"a\"", "[a]", "{a}", "a, b", "]", "---", "...", "... a", "--- a", "a\\b", "a\tb", "\ta", "a\t",
                      "a\nb", "a\nb\n", "a\n\nb", "a\n", "\na", "\n", "a\n\n", " a\nb", "a\n b", "a \nb", "a\n  \nb",
                      "a\n\tb", "#a\n#b", "- a\n- b\n", "---\na", "a\n---\nb", "a\r\nb", "a\rb",
                      "a\x01"
                      "b",
                      "\x7f", "\xC2\x85",
                      "a\xC2\x85"
                      "b\nc",
                      "\xC2\xA0", "\xE2\x80\xA8", "\xE2\x80\xA9", "\xEF\xBB\xBF",
                      "\xEF\xBB\xBF"
                      "a",
                      "\xEF\xBF\xBE", "\xF0\x9F\x98\x80", "\x1b[31m", std::string(990, 'k'), std::string(490, '"')));

TEST(YamlWriterTest, KeepsLongTextOnOneLine) {
  for (const std::string& text : {std::string(100'000, 'k'), std::string(2'000, '"')}) {
    EXPECT_EQ(ReadBack(WriteYaml(Json(text))), Json(text));
  }
}

// YAML looks at most 1,024 characters ahead for the ':' of a key that no '?' announces.
TEST(YamlWriterTest, AnnouncesALongKey) {
  const std::string key(1'001, 'k');
  EXPECT_EQ(WriteYaml(JsonArray{JsonObject{{key, 1}}}), "- ? " + key + "\n  : 1\n");
}

TEST(YamlWriterTest, KeepsNumbersExact) {
  const Json value = Parsed(
      R"([0, -1, 9223372036854775807, -9223372036854775808, 18446744073709551615, 0.1, 1.0, 1e21, 1.5e-9, -0.25,
          123456789012345680.0, 1.7976931348623157e308, 5e-324])");
  EXPECT_EQ(Exact(ReadBack(WriteYaml(value))), Exact(value));
}

// Random values of every kind, with texts made of what is hard in YAML.
class Generator {
 public:
  explicit Generator(uint32_t seed) : random_(seed) {}

  Json Value(int depth) {
    switch (Below(depth > 0 ? 9 : 7)) {
      case 0:
        return nullptr;
      case 1:
        return Below(2) == 0;
      case 2:
        return static_cast<int64_t>(random_()) * (Below(2) == 0 ? 1 : -1);
      case 3:
        return (static_cast<double>(random_()) - 2e9) / static_cast<double>(1 + Below(1000));
      case 7: {
        JsonArray array;
        for (uint32_t i = Below(4); i > 0; --i) array.push_back(Value(depth - 1));
        return array;
      }
      case 8: {
        JsonObject object;
        for (uint32_t i = Below(4); i > 0; --i) object.insert_or_assign(Text(), Value(depth - 1));
        return object;
      }
      default:
        return Json(Text());
    }
  }

 private:
  uint32_t Below(uint32_t limit) { return static_cast<uint32_t>(random_() % limit); }

  boost::json::string Text() {
    static const std::vector<std::string> kPieces = {"a",
                                                     "b",
                                                     " ",
                                                     "  ",
                                                     "\n",
                                                     "\t",
                                                     ":",
                                                     ": ",
                                                     " #",
                                                     "-",
                                                     "- ",
                                                     "?",
                                                     "0",
                                                     "1",
                                                     ".",
                                                     "e",
                                                     "_",
                                                     "\"",
                                                     "'",
                                                     "\\",
                                                     "#",
                                                     "[",
                                                     "]",
                                                     "{",
                                                     "}",
                                                     ",",
                                                     "&",
                                                     "*",
                                                     "!",
                                                     "|",
                                                     ">",
                                                     "%",
                                                     "@",
                                                     "`",
                                                     "~",
                                                     "no",
                                                     "<<",
                                                     "=",
                                                     "\r",
                                                     "é",
                                                     "語",
                                                     "\xC2\x85",
                                                     "\xEF\xBB\xBF",
                                                     "😀",
                                                     "\x7f",
                                                     "\x01",
                                                     "---",
                                                     "..."};
    boost::json::string text;
    for (uint32_t i = Below(7); i > 0; --i) text += kPieces[Below(static_cast<uint32_t>(kPieces.size()))];
    return text;
  }

  std::mt19937 random_;
};

TEST(YamlWriterTest, ReadsBackRandomValues) {
  for (uint32_t seed = 0; seed < 10'000; ++seed) {
    Generator generator(seed);
    const Json value = JsonArray{generator.Value(4), generator.Value(4), generator.Value(4)};
    const std::string yaml = WriteYaml(value);
    ASSERT_EQ(Exact(ReadBack(yaml)), Exact(value)) << "seed " << seed << "\n" << yaml;
  }
}

TEST(YamlWriterTest, ReadsBackDeeplyNestedValues) {
  Json value = "deep";
  for (int level = 0; level < 60; ++level) {
    value = level % 2 == 0 ? Json(JsonArray{value}) : Json(JsonObject{{"key", value}});
  }
  EXPECT_EQ(Exact(ReadBack(WriteYaml(value))), Exact(value));
}

}  // namespace
}  // namespace tasker::tmpl
