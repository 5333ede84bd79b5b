#include "lib/template/step_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tasker::tmpl {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TaskTemplate WithSteps(const std::vector<std::pair<std::string, std::vector<std::string>>>& steps) {
  TaskTemplate tmpl;
  for (const auto& [name, dependencies] : steps) {
    StepDefinition step;
    step.name = name;
    step.dependencies = dependencies;
    tmpl.steps.push_back(step);
  }
  return tmpl;
}

TEST(StepGraphTest, IgnoresUnknownRepeatedAndOwnNames) {
  const TaskTemplate tmpl = WithSteps({{"a", {}}, {"b", {"a", "zzz", "a", "b"}}});
  const StepGraph graph(tmpl);
  EXPECT_THAT(graph.DependenciesOf(1), ElementsAre(0));
  EXPECT_THAT(graph.DependentsOf(0), ElementsAre(1));
  EXPECT_EQ(graph.Find("zzz"), StepGraph::npos);
}

TEST(StepGraphTest, FindsAShortestCycleOfEachGroup) {
  const TaskTemplate tmpl =
      WithSteps({{"a", {"b"}}, {"b", {"c"}}, {"c", {"a", "b"}}, {"alone", {"a"}}, {"x", {"y"}}, {"y", {"x"}}});
  EXPECT_THAT(StepGraph(tmpl).Cycles(), ElementsAre(ElementsAre(1, 2), ElementsAre(4, 5)));
}

TEST(StepGraphTest, PutsStepsIntoWaves) {
  const TaskTemplate tmpl =
      WithSteps({{"d", {"b", "c"}}, {"a", {}}, {"b", {"a"}}, {"c", {"a"}}, {"loop", {"loop2"}}, {"loop2", {"loop"}}});
  EXPECT_THAT(StepGraph(tmpl).Waves(), ElementsAre(ElementsAre(1), ElementsAre(2, 3), ElementsAre(0)));
  EXPECT_THAT(StepGraph(WithSteps({})).Cycles(), IsEmpty());
}

TEST(StepGraphTest, TakesALongChainAndALongCycle) {
  std::vector<std::pair<std::string, std::vector<std::string>>> steps;
  for (int i = 0; i < 10000; ++i) steps.push_back({std::to_string(i), {std::to_string(i + 1)}});
  EXPECT_THAT(StepGraph(WithSteps(steps)).Cycles(), IsEmpty());
  EXPECT_EQ(StepGraph(WithSteps(steps)).Waves().size(), 10000u);
  steps.back().second = {"0"};
  const TaskTemplate looped = WithSteps(steps);
  ASSERT_EQ(StepGraph(looped).Cycles().size(), 1u);
  EXPECT_EQ(StepGraph(looped).Cycles()[0].size(), 10000u);
}

}  // namespace
}  // namespace tasker::tmpl
