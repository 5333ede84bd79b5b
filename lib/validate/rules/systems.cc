#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "lib/validate/rules.h"

namespace tasker::validate {
namespace {

constexpr std::string_view kDefaultSystem = "default";  // what the template's Ruby workers call "none in particular"

void CheckUsed(Context& context, const std::vector<std::string_view>& declared) {
  const std::unordered_set<std::string_view> known(declared.begin(), declared.end());
  const tmpl::TaskTemplate& tmpl = context.tmpl();
  for (size_t i = 0; i < tmpl.steps.size(); ++i) {
    const tmpl::StepDefinition& step = tmpl.steps[i];
    if (!step.system_dependency) continue;
    const std::string path = fmt::format("/steps/{}/system_dependency", i);
    if (step.system_dependency->empty()) {
      context.Error("SYSTEM_NAME_EMPTY", path, fmt::format("step {} names an empty system", Quoted(step.name)),
                    "name a system or remove the key");
    } else if (*step.system_dependency != kDefaultSystem && !known.contains(*step.system_dependency)) {
      const std::string_view nearest = context.Nearest(*step.system_dependency, declared);
      context.Warning("SYSTEM_UNDECLARED", path,
                      fmt::format("step {} uses system {}, which system_dependencies does not declare",
                                  Quoted(step.name), Quoted(*step.system_dependency)),
                      nearest.empty() ? "add it to system_dependencies: as primary, or to the list secondary"
                                      : fmt::format("did you mean '{}'?", nearest));
    }
  }
}

}  // namespace

void CheckSystems(Context& context) {
  const tmpl::TaskTemplate& tmpl = context.tmpl();
  const tmpl::SystemDependencies& systems = tmpl.system_dependencies;
  std::unordered_set<std::string_view> used;
  for (const tmpl::StepDefinition& step : tmpl.steps)
    used.insert(step.system_dependency ? std::string_view(*step.system_dependency) : "");
  // A step without a system of its own works with the primary one.
  if (used.contains("")) used.insert(systems.primary);
  std::vector<std::string_view> declared;
  const auto check_declared = [&](const std::string& name, const std::string& path) {
    declared.push_back(name);
    if (name.empty()) {
      context.Error("SYSTEM_NAME_EMPTY", path, "a system has no name", "name it or remove it");
    } else if (name != kDefaultSystem && !used.contains(name)) {
      context.Warning("SYSTEM_UNUSED", path, fmt::format("system {} is declared, but no step uses it", Quoted(name)),
                      "name it as system_dependency of a step, or remove it");
    }
  };
  check_declared(systems.primary, "/system_dependencies/primary");
  for (size_t i = 0; i < systems.secondary.size(); ++i) {
    check_declared(systems.secondary[i], fmt::format("/system_dependencies/secondary/{}", i));
  }
  CheckUsed(context, declared);
}

}  // namespace tasker::validate
