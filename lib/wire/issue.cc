#include "lib/wire/issue.h"

#include <string>

namespace tasker::wire {

void ToProto(const base::Issue& issue, std::string_view file_name, pb::Issue& out) {
  out.set_severity(issue.severity == base::Severity::kError ? pb::SEVERITY_ERROR : pb::SEVERITY_WARNING);
  out.set_code(issue.code);
  out.set_path(issue.path);
  out.set_line(issue.position.line);
  out.set_column(issue.position.column);
  out.set_message(issue.message);
  out.set_hint(issue.hint);
  out.set_file_name(std::string(file_name));
}

base::Issue FromProto(const pb::Issue& issue) {
  return {issue.severity() == pb::SEVERITY_WARNING ? base::Severity::kWarning : base::Severity::kError,
          issue.code(),
          issue.path(),
          {issue.line(), issue.column()},
          issue.message(),
          issue.hint()};
}

// The numbers are the same on both sides; wire_test walks through all of them.
pb::CallableKind ToProto(tmpl::CallableKind kind) { return static_cast<pb::CallableKind>(kind); }

tmpl::CallableKind FromProto(pb::CallableKind kind) {
  return pb::CallableKind_IsValid(kind) ? static_cast<tmpl::CallableKind>(kind) : tmpl::CallableKind::kUnknown;
}

}  // namespace tasker::wire
