#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "lib/base/issue.h"
#include "lib/template/load.h"

namespace tasker::validate {

/// Every rule and lint of DESIGN §4 that goes beyond shape. Adds errors and warnings to `issues` with the positions
/// that `document` knows. Linear in the size of the template. Pure; any thread.
void CheckTemplate(const tmpl::TaskTemplate& tmpl, const tmpl::Document& document, base::IssueList& issues);

/// The lints of one environment's overrides, in the order of the text: what belongs beside its ExplainResolution.
/// Empty for an environment that the template does not define.
std::vector<base::Issue> EnvironmentLints(const tmpl::TaskTemplate& tmpl, const tmpl::Document& document,
                                          std::string_view environment);

/// LoadTemplate, then CheckTemplate: the one path that registration, ValidateTemplate and the offline command take.
/// nullopt when the text has errors of any kind.
std::optional<tmpl::LoadedTemplate> LoadAndCheck(std::string_view yaml, const tmpl::LoadOptions& options,
                                                 base::IssueList& issues);

}  // namespace tasker::validate
