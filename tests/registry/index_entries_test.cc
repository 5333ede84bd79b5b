#include "lib/registry/index_entries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lib/base/digest.h"
#include "lib/template/load.h"

namespace tasker::registry {
namespace {

using store::IndexEntry;
using store::Subject;

TEST(IndexEntriesTest, NamesEveryPlaceOfCallablesSystemsAndEvents) {
  constexpr char kYaml[] =
      "{name: t, namespace_name: n, version: 1.0.0, task_handler: {callable: Task},\n"
      " system_dependencies: {primary: bank, secondary: [mail]},\n"
      " domain_events: [{name: paid, schema: {type: object}}],\n"
      " steps: [{name: pay, handler: {callable: pay_it}, system_dependency: bank, publishes_events: [paid]}]}";
  base::IssueList issues;
  const auto loaded = tmpl::LoadTemplate(kYaml, {}, issues);
  ASSERT_TRUE(loaded);
  EXPECT_THAT(IndexEntries(loaded->tmpl),
              testing::ElementsAre(
                  IndexEntry{Subject::kCallable, "Task", "task_handler", "", "", "class"},
                  IndexEntry{Subject::kSystem, "bank", "primary", "", "", ""},
                  IndexEntry{Subject::kSystem, "mail", "secondary", "", "", ""},
                  IndexEntry{Subject::kEvent, "paid", "declares", "", "", base::Sha256Digest(R"({"type":"object"})")},
                  IndexEntry{Subject::kCallable, "pay_it", "step_handler", "pay", "", "key"},
                  IndexEntry{Subject::kSystem, "bank", "step", "pay", "", ""},
                  IndexEntry{Subject::kEvent, "paid", "publishes", "pay", "", ""}));
}

}  // namespace
}  // namespace tasker::registry
