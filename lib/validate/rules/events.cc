#include <fmt/format.h>

#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "lib/validate/rules.h"

namespace tasker::validate {
namespace {

void CheckPublished(Context& context, const std::vector<std::string_view>& declared) {
  const std::unordered_set<std::string_view> known(declared.begin(), declared.end());
  const tmpl::TaskTemplate& tmpl = context.tmpl();
  for (size_t i = 0; i < tmpl.steps.size(); ++i) {
    const tmpl::StepDefinition& step = tmpl.steps[i];
    for (size_t j = 0; j < step.publishes_events.size(); ++j) {
      const tmpl::PublishedEvent& event = step.publishes_events[j];
      // One with a schema of its own is declared in place.
      if (event.name.empty() || event.schema || known.contains(event.name)) continue;
      const std::string path = fmt::format("/steps/{}/publishes_events/{}", i, j);
      const std::string_view nearest = context.Nearest(event.name, declared);
      context.Warning("EVENT_UNDECLARED", context.IsWritten(path + "/name") ? path + "/name" : path,
                      fmt::format("step {} publishes event {}, which domain_events does not declare", Quoted(step.name),
                                  Quoted(event.name)),
                      nearest.empty() ? "declare it under domain_events" : fmt::format("did you mean '{}'?", nearest));
    }
  }
}

}  // namespace

void CheckEvents(Context& context) {
  const tmpl::TaskTemplate& tmpl = context.tmpl();
  std::unordered_set<std::string_view> published;
  for (const tmpl::StepDefinition& step : tmpl.steps) {
    for (const tmpl::PublishedEvent& event : step.publishes_events) published.insert(event.name);
  }
  std::vector<std::string_view> declared;
  std::unordered_map<std::string_view, size_t> seen;
  for (size_t i = 0; i < tmpl.domain_events.size(); ++i) {
    const std::string& name = tmpl.domain_events[i].name;
    const std::string path = fmt::format("/domain_events/{}/name", i);
    declared.push_back(name);
    const auto [first, is_new] = seen.emplace(name, i);
    if (name.empty()) continue;
    if (!is_new) {
      context.Error("EVENT_DUPLICATE", path,
                    fmt::format("event {} is declared twice; first in {}", Quoted(name),
                                context.PlaceText(fmt::format("/domain_events/{}/name", first->second))),
                    "keep one of the two");
    } else if (!published.contains(name)) {
      context.Warning("EVENT_UNPUBLISHED", path,
                      fmt::format("event {} is declared, but no step publishes it", Quoted(name)),
                      "add it to the publishes_events of a step, or remove it");
    }
  }
  CheckPublished(context, declared);
}

}  // namespace tasker::validate
