#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "lib/template/keys.h"
#include "tests/validate/support.h"

namespace tasker::validate {
namespace {

TEST(LanguageDocTest, NamesEveryKeyOfTheReader) {
  const std::string page = ReadFile(std::filesystem::path(TASKER_SOURCE_DIR) / "docs" / "template-language.md");
  for (const tmpl::KeyBlock& block :
       {tmpl::kTemplateKeys, tmpl::kMetadataKeys, tmpl::kHandlerKeys, tmpl::kSystemsKeys, tmpl::kDomainEventKeys,
        tmpl::kStepKeys, tmpl::kRetryKeys, tmpl::kPublishedEventKeys, tmpl::kBatchConfigKeys, tmpl::kEnvironmentKeys,
        tmpl::kHandlerOverrideKeys, tmpl::kStepOverrideKeys}) {
    for (const std::string_view key : block.keys) {
      EXPECT_THAT(page, testing::HasSubstr("`" + std::string(key) + "`")) << block.name;
    }
  }
}

}  // namespace
}  // namespace tasker::validate
