// JSON text in, verdict out: the same as parsing first.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/json_schema/support.h"

namespace tasker::json_schema {
namespace {

TEST(ValidateTextTest, RefusesWhatParsingRefusesWithTheSameWords) {
  const auto schema = Compiled("{}");
  for (const std::string& text :
       {std::string("{\"a\":1,\"a\":2}"), std::string("[{\"b\":{\"a\":1,\"a\":2}}]"),
        std::string("18446744073709551616"), std::string("-9223372036854775809"), std::string("1e999"), std::string(""),
        std::string("  "), std::string("{"), std::string("1 2"), std::string("nul"), std::string("\"\xff\""),
        std::string("[1,]"), std::string("\"\\ud800\""), std::string("01"), std::string("\"a\nb\""),
        std::string(600, '[') + std::string(600, ']')}) {
    const absl::Status expected = base::ParseJson(text).status();
    EXPECT_EQ(schema->ValidateText(text).status(), expected) << text;
    EXPECT_FALSE(expected.ok()) << text;
  }
}

TEST(ValidateTextTest, FindsDuplicatesAmongManyNames) {
  std::string text = "{\"k0\":0";
  for (int i = 1; i < 100; ++i) text += ",\"k" + std::to_string(i) + "\":0";
  const auto schema = Compiled("{}");
  EXPECT_TRUE(schema->ValidateText(text + "}").ok());
  EXPECT_FALSE(schema->ValidateText(text + ",\"k50\":1}").ok());
}

TEST(ValidateTextTest, KeepsNumbersExact) {
  const auto integer = Compiled(R"({"const":9007199254740993})");
  EXPECT_EQ(*integer->ValidateText("9007199254740993"), Verdict::kValid);
  EXPECT_EQ(*integer->ValidateText("9007199254740992"), Verdict::kInvalid);
  EXPECT_EQ(*Compiled(R"({"const":18446744073709551615})")->ValidateText("18446744073709551615"), Verdict::kValid);
  EXPECT_EQ(*Compiled(R"({"multipleOf":0.01})")->ValidateText(" 19.99\n"), Verdict::kValid);
}

TEST(ValidateTextTest, TakesTextsBeyondTheMemoryItKeeps) {
  const auto schema = Compiled(R"({"items":{"maxLength":3000000}})");
  const std::string large = "[\"" + std::string(2'000'000, 'x') + "\"]";
  EXPECT_EQ(*schema->ValidateText(large), Verdict::kValid);
  EXPECT_EQ(*schema->ValidateText("[\"x\"]"), Verdict::kValid);
  EXPECT_EQ(*schema->ValidateText(large), Verdict::kValid);
}

TEST(ValidateTextTest, ServesManyThreadsAtOnce) {
  const auto schema = Compiled(R"({"properties":{"a":{"pattern":"(x|y)+z"},"b":{"type":"integer"}},"required":["a"]})");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        EXPECT_EQ(*schema->ValidateText(R"({"a":"xyz","b":1})"), Verdict::kValid);
        EXPECT_EQ(*schema->ValidateText(R"({"a":"xy"})"), Verdict::kInvalid);
        EXPECT_EQ(schema->Explain(Parsed(R"({"b":"1"})")).units.size(), 2u);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace tasker::json_schema
