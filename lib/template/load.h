#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lib/base/issue.h"
#include "lib/base/json.h"
#include "lib/template/document.h"
#include "lib/template/model.h"
#include "lib/template/yaml_reader.h"

namespace tasker::tmpl {

struct LoadOptions {
  /// Unknown keys are kept in `extensions` and reported as warnings, instead of being errors.
  bool keep_unknown_keys = false;
  ReadLimits limits;
};

/// A template and the document it was read from, which knows the position of every field.
struct LoadedTemplate {
  TaskTemplate tmpl;
  Document document;
};

/// Text → model: reads YAML, checks keys, types and required fields, fills in defaults. All mistakes are reported, not
/// only the first; so that later rules can add theirs, a model comes back even where `issues` got errors, with what is
/// wrong left out (required text is "" then, and rules say nothing of it). nullopt, with an error, only where the text
/// is no YAML map at all. What is wrong beyond shape (names, versions, graph) is for lib/validate. Safe from any
/// thread.
std::optional<LoadedTemplate> LoadTemplate(std::string_view yaml, const LoadOptions& options, base::IssueList& issues);

/// The same for a tree that exists already.
std::optional<TaskTemplate> BuildTemplate(const Document& document, const LoadOptions& options,
                                          base::IssueList& issues);

/// Text that was accepted when it was registered: unknown keys and its size are fine. nullopt where this version of the
/// rules has grown stricter.
std::optional<LoadedTemplate> LoadAccepted(std::string_view yaml);

/// A model that has no text: no position in its document is known.
LoadedTemplate WithoutPositions(TaskTemplate tmpl);

/// A template's own canonical JSON → model. INVALID_ARGUMENT when it is not one (damaged storage). Accepts kept
/// unknown keys silently, since they were reported when the template was registered.
absl::StatusOr<TaskTemplate> TemplateFromJson(const base::Json& canonical);

/// The same of the text that PostgreSQL writes of the canonical JSON it keeps as jsonb.
absl::StatusOr<TaskTemplate> TemplateFromJsonb(std::string_view text);

}  // namespace tasker::tmpl
