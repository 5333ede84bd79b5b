#include "lib/template/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tasker::tmpl {
namespace {

TEST(VersionTest, ReadsThreeNumbersAndOrdersThem) {
  EXPECT_EQ(ParseVersion("1.20.300"), (Version{1, 20, 300}));
  EXPECT_EQ(ParseVersion("2147483647.0.0"), (Version{2147483647, 0, 0}));
  for (const char* bad : {"", "1", "1.2", "1.2.3.4", "01.2.3", "1.2.3-rc1", "1.2.3+b", "v1.2.3", "1.2.x", "1..3",
                          "-1.2.3", " 1.2.3", "1.2.3\n", "2147483648.0.0"}) {
    EXPECT_EQ(ParseVersion(bad), std::nullopt) << bad;
  }
  EXPECT_LT((Version{1, 9, 0}), (Version{1, 10, 0}));
}

TEST(VersionTest, ExplainsWhatToWrite) {
  EXPECT_EQ(ExplainVersion("1.0").hint, "write 1.0.0");
  EXPECT_EQ(ExplainVersion("1").hint, "write 1.0.0");
  EXPECT_EQ(ExplainVersion("v2.1.0").hint, "write 2.1.0");
  EXPECT_EQ(ExplainVersion("1.2.3-rc1").hint, "write 1.2.3");
  EXPECT_EQ(ExplainVersion("01.2.3").hint, "write 1.2.3");
  EXPECT_EQ(ExplainVersion("soon").hint, "write 1.0.0, for example");
}

TEST(ReferenceTest, ReadsEveryForm) {
  struct Case {
    const char* text;
    SelectorKind kind;
    const char* selector;
  };
  const std::string digest = "sha256:" + std::string(64, 'a');
  const std::string by_digest = "a/b@" + digest;
  const Case cases[] = {{"payments/card:1.2.3", SelectorKind::kExact, "1.2.3"},
                        {"payments/card", SelectorKind::kLatest, ""},
                        {"payments/card:latest", SelectorKind::kLatest, "latest"},
                        {"payments/card:1", SelectorKind::kRange, "1"},
                        {"payments/card:1.2", SelectorKind::kRange, "1.2"},
                        {"payments/card:^1.2.3", SelectorKind::kRange, "^1.2.3"},
                        {"payments/card:~1.2", SelectorKind::kRange, "~1.2"},
                        {"payments/card:stable", SelectorKind::kChannel, "stable"},
                        {by_digest.c_str(), SelectorKind::kDigest, digest.c_str()}};
  for (const Case& c : cases) {
    const auto reference = ParseReference(c.text);
    ASSERT_TRUE(reference.ok()) << c.text << ": " << reference.status();
    EXPECT_EQ(reference->kind, c.kind) << c.text;
    EXPECT_EQ(reference->selector, c.selector) << c.text;
    EXPECT_EQ(reference->ToString(), c.text);
  }
}

TEST(ReferenceTest, RangesFollowCargo) {
  struct Case {
    const char* selector;
    Version lower;
    std::optional<Version> upper;
  };
  const Case cases[] = {
      {"1", {1, 0, 0}, Version{2, 0, 0}},
      {"1.2", {1, 2, 0}, Version{1, 3, 0}},
      {"0", {0, 0, 0}, Version{1, 0, 0}},
      {"^1.2.3", {1, 2, 3}, Version{2, 0, 0}},
      {"^1.2", {1, 2, 0}, Version{2, 0, 0}},
      {"^1", {1, 0, 0}, Version{2, 0, 0}},
      {"^0.2.3", {0, 2, 3}, Version{0, 3, 0}},
      {"^0.0.3", {0, 0, 3}, Version{0, 0, 4}},
      {"^0.0", {0, 0, 0}, Version{0, 1, 0}},
      {"^0", {0, 0, 0}, Version{1, 0, 0}},
      {"~1.2.3", {1, 2, 3}, Version{1, 3, 0}},
      {"~1.2", {1, 2, 0}, Version{1, 3, 0}},
      {"~1", {1, 0, 0}, Version{2, 0, 0}},
      {"2147483647", {2147483647, 0, 0}, std::nullopt},
      {"^1.2147483647", {1, 2147483647, 0}, Version{2, 0, 0}},
      {"1.2147483647", {1, 2147483647, 0}, Version{2, 0, 0}},
  };
  for (const Case& c : cases) {
    const auto reference = ParseReference(std::string("a/b:") + c.selector);
    ASSERT_TRUE(reference.ok()) << c.selector;
    EXPECT_EQ(reference->range, (VersionRange{c.lower, c.upper})) << c.selector;
  }
}

TEST(ReferenceTest, RefusesTheRestWithTheRightForm) {
  for (const char* bad : {"", "/", "card", "a/b/c", "a/", "/b", "a/b:", "a/b@", "a/b@sha256:12", "a/b:1.2.3.4", "a/b:^",
                          "a/b:~x", "a/b:1x", "a b/c", "a/b c", "a/b:1.2.3:x", "-a/b", "a/b:>=1", "a/b:*"}) {
    const auto reference = ParseReference(bad);
    ASSERT_FALSE(reference.ok()) << bad;
    EXPECT_EQ(reference.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(reference.status().message()), testing::HasSubstr("NAMESPACE/NAME")) << bad;
  }
  EXPECT_LT(ParseReference(std::string(1 << 20, 'x')).status().message().size(), 1024u);
}

TEST(NameTest, FollowsTheGrammar) {
  for (const char* good : {"a", "_a", "0", "credit_card.v2-x", "A"}) EXPECT_TRUE(IsName(good)) << good;
  for (const char* bad : {"", "-a", ".a", "a/b", "a b", "é"}) EXPECT_FALSE(IsName(bad)) << bad;
  EXPECT_TRUE(IsName(std::string(255, 'a')));
  EXPECT_FALSE(IsName(std::string(256, 'a')));
}

}  // namespace
}  // namespace tasker::tmpl
