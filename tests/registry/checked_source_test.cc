#include "lib/registry/checked_source.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "lib/wire/task_template.h"

namespace tasker::registry {
namespace {

constexpr char kYaml[] =
    "name: charge\nnamespace_name: payments\nversion: 1.0.0\nsteps: [{name: pay, handler: {callable: Pay}}]\n";

pb::TemplateSource Yaml(const std::string& text) {
  pb::TemplateSource source;
  source.set_yaml(text);
  return source;
}

TEST(CheckedSourceTest, TextAndMessageOfOneTemplateAreTheSame) {
  const CheckedSource text = CheckSource(Yaml(kYaml), {});
  ASSERT_TRUE(text.tmpl);
  pb::TemplateSource source;
  *source.mutable_template_() = wire::ToProto(*text.tmpl);
  const CheckedSource message = CheckSource(source, {});
  EXPECT_EQ(message.digest, text.digest);
  EXPECT_EQ(message.reference, "payments/charge:1.0.0");
}

TEST(CheckedSourceTest, AMessageIsHeldToTheRulesOfText) {
  pb::TemplateSource source;
  *source.mutable_template_() = wire::ToProto(*CheckSource(Yaml(kYaml), {}).tmpl);
  source.mutable_template_()->mutable_steps(0)->add_dependencies("nobody");
  const CheckedSource checked = CheckSource(source, {});
  EXPECT_FALSE(checked.tmpl);
  EXPECT_TRUE(checked.issues.has_errors());
}

TEST(CheckedSourceTest, UnknownKeysOfAMessageAreErrorsUnlessTheyAreKept) {
  pb::TemplateSource source;
  *source.mutable_template_() = wire::ToProto(*CheckSource(Yaml(kYaml), {}).tmpl);
  (*source.mutable_template_()->mutable_extensions()->mutable_fields())["colour"].set_string_value("red");
  EXPECT_TRUE(CheckSource(source, {}).issues.has_errors());
  source.set_keep_unknown_keys(true);
  const CheckedSource kept = CheckSource(source, {});
  ASSERT_TRUE(kept.tmpl);
  EXPECT_NE(kept.canonical.find("colour"), std::string::npos);
}

TEST(CheckedSourceTest, ABrokenTemplateStillTellsItsIdentity) {
  const CheckedSource checked = CheckSource(Yaml(std::string(kYaml) + "bogus: 1\n"), {});
  EXPECT_FALSE(checked.tmpl);
  EXPECT_EQ(checked.reference, "payments/charge:1.0.0");
  EXPECT_EQ(checked.digest, "");
}

TEST(CheckedSourceTest, NothingAtAllIsAnIssue) {
  EXPECT_EQ(CheckSource({}, {}).issues.Sorted().at(0).code, "SOURCE_MISSING");
  EXPECT_TRUE(CheckSource(Yaml(""), {}).issues.has_errors());
}

TEST(CheckedSourceTest, TheCharacterNulIsRefusedInEitherForm) {
  EXPECT_TRUE(CheckSource(Yaml(std::string(kYaml) + "description: \"a\\0b\"\n"), {}).issues.has_errors());
  pb::TemplateSource source;
  *source.mutable_template_() = wire::ToProto(*CheckSource(Yaml(kYaml), {}).tmpl);
  source.mutable_template_()->set_description(std::string("a\0b", 3));
  EXPECT_EQ(CheckSource(source, {}).issues.Sorted().at(0).code, "TEXT_NUL");
}

TEST(CheckedSourceTest, ManySourcesKeepTheirOrder) {
  std::vector<pb::TemplateSource> messages;
  for (int i = 0; i < 300; ++i) {
    messages.push_back(
        Yaml(fmt::format("name: t{}\nnamespace_name: n\nversion: 1.0.0\n"
                         "steps: [{{name: s, handler: {{callable: C}}}}]\n",
                         i)));
  }
  Sources sources;
  for (const pb::TemplateSource& message : messages) sources.push_back(&message);
  const std::vector<CheckedSource> checked = CheckSources(sources, {});
  ASSERT_EQ(checked.size(), messages.size());
  for (size_t i = 0; i < checked.size(); ++i) EXPECT_EQ(checked[i].reference, fmt::format("n/t{}:1.0.0", i));
}

}  // namespace
}  // namespace tasker::registry
