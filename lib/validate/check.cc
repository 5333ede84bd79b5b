#include "lib/validate/check.h"

#include "lib/validate/rules.h"

namespace tasker::validate {

void CheckTemplate(const tmpl::TaskTemplate& tmpl, const tmpl::Document& document, base::IssueList& issues) {
  Context context(tmpl, document, issues);
  CheckNames(context);
  CheckSteps(context);
  CheckDependencies(context);
  CheckStepTypes(context);
  CheckRanges(context);
  CheckEvents(context);
  CheckSystems(context);
  CheckSchemas(context);
  CheckFreeForm(context);
  CheckEnvironments(context);
}

std::vector<base::Issue> EnvironmentLints(const tmpl::TaskTemplate& tmpl, const tmpl::Document& document,
                                          std::string_view environment) {
  base::IssueList issues;
  Context context(tmpl, document, issues);
  CheckEnvironments(context, environment);
  return issues.Sorted();
}

std::optional<tmpl::LoadedTemplate> LoadAndCheck(std::string_view yaml, const tmpl::LoadOptions& options,
                                                 base::IssueList& issues) {
  const size_t errors_before = issues.error_count();
  std::optional<tmpl::LoadedTemplate> loaded = tmpl::LoadTemplate(yaml, options, issues);
  if (!loaded) return std::nullopt;
  CheckTemplate(loaded->tmpl, loaded->document, issues);
  if (issues.error_count() > errors_before) return std::nullopt;
  return loaded;
}

}  // namespace tasker::validate
