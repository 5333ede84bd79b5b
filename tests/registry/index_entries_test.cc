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
  EXPECT_THAT(IndexTemplate(loaded->tmpl).entries,
              testing::ElementsAre(
                  IndexEntry{Subject::kCallable, "Task", "task_handler", "", "", "class"},
                  IndexEntry{Subject::kSystem, "bank", "primary", "", "", ""},
                  IndexEntry{Subject::kSystem, "mail", "secondary", "", "", ""},
                  IndexEntry{Subject::kEvent, "paid", "declares", "", "", base::Sha256Digest(R"({"type":"object"})")},
                  IndexEntry{Subject::kCallable, "pay_it", "step_handler", "pay", "", "key"},
                  IndexEntry{Subject::kSystem, "bank", "step", "pay", "", ""},
                  IndexEntry{Subject::kEvent, "paid", "publishes", "pay", "", ""}));
}

TEST(IndexEntriesTest, GivesEachEventWithEachOfItsSchemasOnce) {
  constexpr char kYaml[] =
      "{name: t, namespace_name: n, version: 1.0.0,\n"
      " domain_events: [{name: paid, description: Money, schema: {type: object}}, {name: bare}],\n"
      " steps: [{name: a, handler: {callable: A}, publishes_events: [paid, bare, {name: paid, schema: {type: "
      "object}}]},"
      "\n {name: b, handler: {callable: B}, publishes_events: [{name: bare, schema: true}]}]}";
  base::IssueList issues;
  const auto loaded = tmpl::LoadTemplate(kYaml, {}, issues);
  ASSERT_TRUE(loaded);
  const std::string object = R"({"type":"object"})";
  EXPECT_THAT(IndexTemplate(loaded->tmpl).events,
              testing::ElementsAre(store::DomainEvent{"bare", "", base::Sha256Digest("true"), "true"},
                                   store::DomainEvent{"paid", "Money", base::Sha256Digest(object), object}));
}

TEST(IndexEntriesTest, WhatAnOverrideNamesByAKeyThatWasKeptIsFoundWithItsEnvironment) {
  constexpr char kYaml[] =
      "{name: t, namespace_name: n, version: 1.0.0, task_handler: {callable: T},\n"
      " steps: [{name: pay, handler: {callable: A}}],\n"
      " environments: {test: {task_handler: {callable: FakeTask, x-callable: no}, steps: [{name: pay, handler: "
      "{callable: Fake}, system_dependency: sandbox}]}}}";
  base::IssueList issues;
  tmpl::LoadOptions options;
  options.keep_unknown_keys = true;
  const auto loaded = tmpl::LoadTemplate(kYaml, options, issues);
  ASSERT_TRUE(loaded);
  std::vector<IndexEntry> entries = IndexTemplate(loaded->tmpl).entries;
  entries.erase(entries.begin(), entries.begin() + 3);  // the task's, the default system, the step's
  EXPECT_THAT(entries,
              testing::ElementsAre(IndexEntry{Subject::kCallable, "FakeTask", "task_handler", "", "test", "class"},
                                   IndexEntry{Subject::kCallable, "Fake", "step_handler", "pay", "test", "class"},
                                   IndexEntry{Subject::kSystem, "sandbox", "step", "pay", "test", ""}));
}

}  // namespace
}  // namespace tasker::registry
