#include <fmt/format.h>

#include <string_view>
#include <unordered_map>

#include "lib/validate/rules.h"

namespace tasker::validate {

void CheckSteps(Context& context) {
  const tmpl::TaskTemplate& tmpl = context.tmpl();
  const std::optional<tmpl::Node> written = context.Written("/steps");
  const bool has_other_type = written && !written->is_null() && !written->is_list();  // the reader reported that
  if (tmpl.steps.empty() && !has_other_type) {
    context.Error("STEPS_EMPTY", "/steps", "the template has no steps", "a template needs at least one step",
                  Context::At::kKey);
  }
  std::unordered_map<std::string_view, size_t> seen;
  for (size_t i = 0; i < tmpl.steps.size(); ++i) {
    const std::string& name = tmpl.steps[i].name;
    if (name == tmpl::kAllSteps) {
      context.Error("STEP_NAME_RESERVED", fmt::format("/steps/{}/name", i), "a step cannot be named 'ALL'",
                    "ALL stands for every step in the overrides of an environment");
    }
    if (name.empty()) continue;
    const auto [first, is_new] = seen.emplace(name, i);
    if (is_new) continue;
    context.Error("STEP_NAME_DUPLICATE", fmt::format("/steps/{}/name", i),
                  fmt::format("there are two steps named {}; the first in {}", Quoted(name),
                              context.PlaceText(fmt::format("/steps/{}/name", first->second))),
                  "give each step a name of its own");
  }
}

}  // namespace tasker::validate
