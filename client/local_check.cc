#include "client/local_check.h"

#include <utility>

#include "lib/template/reference.h"
#include "lib/validate/check.h"

namespace tasker::client {

FileReport CheckLocally(const Source& source, bool keep_unknown_keys, std::optional<tmpl::LoadedTemplate>* kept) {
  tmpl::LoadOptions options;
  options.keep_unknown_keys = keep_unknown_keys;
  base::IssueList issues;
  std::optional<tmpl::LoadedTemplate> loaded = validate::LoadAndCheck(source.text, options, issues);
  FileReport report;
  report.file = source.name;
  report.text = source.text;
  if (loaded) {
    report.reference = tmpl::ExactReference(loaded->tmpl.namespace_name, loaded->tmpl.name, loaded->tmpl.version);
  }
  SetIssues(issues, report);
  if (kept != nullptr) *kept = std::move(loaded);
  return report;
}

FileReport UnreadableReport(const SourceProblem& problem) {
  base::IssueList issues;
  issues.AddError(kFileUnreadable, "", {}, problem.message);
  FileReport report;
  report.file = problem.name;
  SetIssues(issues, report);
  return report;
}

}  // namespace tasker::client
