#pragma once

#include <string>

#include "lib/base/json.h"
#include "lib/template/model.h"

namespace tasker::tmpl {

/// The template in the specification's shape (DESIGN §4): snake_case keys, defaults filled in, absent options left out.
/// `LoadTemplate` of its text gives an equal model.
base::Json ToJson(const TaskTemplate& tmpl);
base::Json ToJson(const HandlerDefinition& handler);
base::Json ToJson(const RetryConfiguration& retry);
base::Json ToJson(const StepDefinition& step);
base::Json ToJson(const PublishedEvent& event);

/// The text that is stored and hashed: keys sorted, no white space.
std::string CanonicalText(const TaskTemplate& tmpl);

/// "sha256:" + hex of CanonicalText: what makes two registrations the same.
std::string TemplateDigest(const TaskTemplate& tmpl);

}  // namespace tasker::tmpl
