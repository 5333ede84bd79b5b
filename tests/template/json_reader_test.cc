#include "lib/template/json_reader.h"

#include <gtest/gtest.h>

#include <string>

#include "lib/base/json.h"
#include "lib/template/load.h"
#include "tests/support/document_json.h"

namespace tasker::tmpl {
namespace {

TEST(ReadJsonbTest, GivesTheTreeThatTheOthersGive) {
  for (const char* text : {
           "null",
           "[]",
           "{}",
           R"("text")",
           R"("\u0001\n\"\\é\ud83d\ude00")",
           "[true, false, null, [], {}]",
           "[0, 3, 3.0, -7, 0.5, 19.99, 100000000000000000.0, 0.0000001, 1.7976931348623157]",
           "[9223372036854775807, 18446744073709551615, -9223372036854775808, 9007199254740993]",
           R"({"": 0, "b": {"a": [1, {"z": null}]}, "c": [[2], 3], "aa": "x", "é": 1})",
       }) {
    SCOPED_TRACE(text);
    const auto document = ReadJsonb(text);
    ASSERT_TRUE(document.has_value());
    const Document other = Document::FromJson(*base::ParseJson(text, base::HugeIntegers::kAsReals));
    EXPECT_EQ(base::CanonicalJson(tasker::testing::DocumentJson(document->root())),
              base::CanonicalJson(tasker::testing::DocumentJson(other.root())));
  }
}

TEST(ReadJsonbTest, LeavesWhatJsonbDoesNotWriteToOthers) {
  const std::string deep = std::string(600, '[') + std::string(600, ']');
  for (const std::string& text :
       {std::string(), std::string("1 2"), std::string("{"), std::string("\"\xff\""), deep, std::string("1e400"),
        std::string("18446744073709551616"), std::string(R"({"a": 1, "a": 2})"), std::string(R"({"b": 1, "a": 2})"),
        std::string(R"([{"aa": 1, "b": 2}])")}) {
    EXPECT_FALSE(ReadJsonb(text).has_value()) << text;
  }
}

TEST(ReadJsonbTest, ReadsLargeTextsToo) {
  std::string text = "[0";
  for (int i = 1; i < 400'000; ++i) text += ", " + std::to_string(i);
  const auto document = ReadJsonb(text + "]");
  ASSERT_TRUE(document.has_value());
  EXPECT_EQ(document->root().size(), 400'000u);
  EXPECT_EQ(document->root().item(399'999).text(), "399999");
  EXPECT_EQ(ReadJsonb("[7]")->root().item(0).text(), "7");
}

TEST(TemplateFromJsonbTest, ReadsWhatIsWrittenInAnyOrderOrTooLarge) {
  constexpr char kText[] =
      R"({"name": "pay", "version": "1.0.0", "namespace_name": "shop", "steps": [{"name": "a", "handler":)"
      R"( {"callable": "A", "initialization": {"n": 1000000000000000000000}}}]})";
  const absl::StatusOr<TaskTemplate> tmpl = TemplateFromJsonb(kText);
  ASSERT_TRUE(tmpl.ok()) << tmpl.status();
  EXPECT_EQ(tmpl->steps[0].handler.initialization.at("n").as_double(), 1e21);
  EXPECT_FALSE(TemplateFromJsonb("[]").ok());
  EXPECT_FALSE(TemplateFromJsonb(R"({"name": "a", "name": "b"})").ok());
  EXPECT_FALSE(TemplateFromJsonb("{").ok());
}

}  // namespace
}  // namespace tasker::tmpl
