#include "client/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/template/load.h"

namespace tasker::client {
namespace {

tmpl::LoadedTemplate Load(const std::string& version, const std::string& callable) {
  base::IssueList issues;
  auto loaded = tmpl::LoadTemplate("name: pay\nnamespace_name: shop\nversion: " + version +
                                       "\nsteps: [{name: a, handler: {callable: " + callable + "}}]\n",
                                   {}, issues);
  EXPECT_FALSE(issues.has_errors());
  return *std::move(loaded);
}

PlanItem Item(PlanOutcome outcome, const std::string& old_version, const std::string& new_version,
              const std::string& callable) {
  PlanItem item;
  item.file = "pay.yaml";
  item.reference = "shop/pay:" + new_version;
  item.version = *tmpl::ParseVersion(new_version);
  item.outcome = outcome;
  if (old_version.empty()) return item;
  item.base = "shop/pay:" + old_version;
  item.base_version = *tmpl::ParseVersion(old_version);
  item.comparison = diff::CompareSides({Load(old_version, "A")}, {Load(new_version, callable)});
  return item;
}

Plan Example() {
  Plan plan;
  plan.items = {Item(PlanOutcome::kCreated, "1.0.0", "1.1.0", "B"), Item(PlanOutcome::kUnchanged, "", "1.0.0", ""),
                Item(PlanOutcome::kConflict, "2.0.0", "2.0.0", "B"), Item(PlanOutcome::kCreated, "", "0.1.0", "")};
  plan.moves = {{"shop/pay", "stable", "1.0.0", "2.0.0"}, {"shop/pay", "new", "", "2.0.0"}};
  plan.refusal = "because | `so`";
  return plan;
}

TEST(PlanTest, TextTellsEachTemplateThenTheChannelsThenAll) {
  EXPECT_EQ(RenderPlanText(Example(), false),
            "created shop/pay:1.1.0 (pay.yaml)\n"
            "--- shop/pay:1.0.0\n"
            "+++ shop/pay:1.1.0\n"
            "~ steps[a].handler.callable  major CALLABLE_CHANGED, breaks workers\n"
            "    - \"A\"  (line 4)\n"
            "    + \"B\"  (line 4)\n"
            "~ version  none VERSION_CHANGED\n"
            "    - \"1.0.0\"  (line 3)\n"
            "    + \"1.1.0\"  (line 3)\n"
            "2 changes: 1 major; needs a major version: 2.0.0 or higher; 1.1.0 is too low\n"
            "\n"
            "unchanged shop/pay:1.0.0 (pay.yaml)\n"
            "conflict shop/pay:2.0.0 (pay.yaml)\n"
            "--- shop/pay:2.0.0\n"
            "+++ shop/pay:2.0.0\n"
            "~ steps[a].handler.callable  major CALLABLE_CHANGED, breaks workers\n"
            "    - \"A\"  (line 4)\n"
            "    + \"B\"  (line 4)\n"
            "1 change: 1 major; needs a major version: 3.0.0 or higher; 2.0.0 is too low\n"
            "\n"
            "created shop/pay:0.1.0 (pay.yaml): no lower version\n"
            "channel shop/pay stable: 1.0.0 -> 2.0.0\n"
            "channel shop/pay new: (new) -> 2.0.0\n"
            "2 created, 1 unchanged, 1 conflict, 2 channels moved; breaks workers; 2 versions are too low\n"
            "the registry would refuse this: because | `so`\n");
}

TEST(PlanTest, MarkdownHasATableAndFoldsTheChanges) {
  const std::string markdown = RenderPlanMarkdown(Example());
  EXPECT_THAT(markdown,
              testing::StartsWith("## Template plan\n\n"
                                  "**2 created, 1 unchanged, 1 conflict, 2 channels moved; breaks workers; 2 versions "
                                  "are too low.** The registry would refuse this: `` because \\| `so` ``\n\n"));
  EXPECT_THAT(markdown, testing::HasSubstr("| `shop/pay:1.1.0` | `pay.yaml` | created | `shop/pay:1.0.0` | major | "
                                           "workers | **too low: 2.0.0 or higher** |\n"));
  EXPECT_THAT(markdown, testing::HasSubstr("| `shop/pay:1.0.0` | `pay.yaml` | unchanged |  |  |  |  |\n"));
  EXPECT_THAT(markdown, testing::HasSubstr("- channel `shop/pay stable: 1.0.0 -> 2.0.0`\n"));
  EXPECT_THAT(markdown, testing::HasSubstr("<details><summary>shop/pay:1.0.0 → 1.1.0</summary>\n\n### "));
}

TEST(PlanTest, MarkdownFitsIntoAComment) {
  Plan plan = Example();
  for (int i = 0; i < 2000; ++i) plan.items.push_back(plan.items.front());
  for (int i = 0; i < 2000; ++i) plan.moves.push_back(plan.moves.front());
  const std::string markdown = RenderPlanMarkdown(plan);
  EXPECT_LT(markdown.size(), 62'000u);
  EXPECT_THAT(markdown, testing::ContainsRegex("and [0-9]+ more"));
  EXPECT_THAT(markdown, testing::ContainsRegex("The changes of [0-9]+ more have no room here"));
}

TEST(PlanTest, JsonHasEverything) {
  const base::Json json = RenderPlanJson(Example());
  EXPECT_EQ(json.at("accepted"), base::Json(false));
  EXPECT_EQ(json.at("refusal"), base::Json("because | `so`"));
  const base::JsonObject& created = json.at("items").as_array().at(0).as_object();
  EXPECT_EQ(created.at("outcome"), base::Json("created"));
  EXPECT_EQ(created.at("base"), base::Json("shop/pay:1.0.0"));
  EXPECT_EQ(created.at("bump"), base::Json("major"));
  EXPECT_EQ(created.at("next_version"), base::Json("2.0.0"));
  EXPECT_EQ(created.at("is_bump_enough"), base::Json(false));
  EXPECT_EQ(created.at("breaks"), base::Json(base::JsonArray{"workers"}));
  EXPECT_EQ(created.at("changes").as_array().size(), 2u);
  EXPECT_FALSE(json.at("items").as_array().at(3).as_object().contains("bump"));
  EXPECT_EQ(json.at("channel_moves").as_array().at(1).as_object().at("old_version"), base::Json(""));
}

}  // namespace
}  // namespace tasker::client
