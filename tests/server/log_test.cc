#include "server/log.h"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "lib/base/json.h"

namespace tasker::server {
namespace {

std::string Logged(LogFormat format, std::string_view level, const AccessLine& line) {
  testing::internal::CaptureStderr();
  SetUpLog(format, level);
  LogAccess(line);
  spdlog::info("all {}", "well");
  return testing::internal::GetCapturedStderr();
}

TEST(LogTest, EveryJsonLineIsOneObjectHoweverHostileTheCall) {
  const std::string text =
      Logged(LogFormat::kJson, "info", {"S/M", "OK", 1.5, "ipv4:1.2.3.4:5", "a\n\"b\\\xff{}", "bad\r\n%s"});
  size_t lines = 0;
  for (size_t at = 0; at < text.size(); ++lines) {
    const size_t end = text.find('\n', at);
    const auto json = base::ParseJson(text.substr(at, end - at));
    EXPECT_TRUE(json.ok()) << json.status() << text;
    at = end + 1;
  }
  EXPECT_EQ(lines, 2u) << text;
}

TEST(LogTest, ATextLineStaysOneLine) {
  const std::string text = Logged(LogFormat::kText, "info", {"S/M", "OK", 1.5, "peer", "a\nb", ""});
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << text;
  EXPECT_NE(text.find(R"(call method=S/M code=OK ms=1.500 peer=peer reference="a\nb")"), std::string::npos) << text;
}

TEST(LogTest, AHigherLevelWritesNoAccessLines) {
  EXPECT_EQ(Logged(LogFormat::kText, "warn", {"S/M", "OK", 1, "p", "", ""}), "");
  EXPECT_FALSE(LogsAccess());
}

}  // namespace
}  // namespace tasker::server
