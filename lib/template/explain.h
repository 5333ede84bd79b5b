#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/issue.h"
#include "lib/base/json.h"
#include "lib/template/document.h"
#include "lib/template/model.h"

namespace tasker::tmpl {

/// Who gave a field its value.
enum class ValueLayer {
  kDefault,              ///< nobody wrote it
  kBase,                 ///< the template itself
  kTaskHandlerOverride,  ///< the environment's task_handler
  kAllOverride,          ///< an override of ALL
  kStepOverride,         ///< an override of one step by name
};

/// "default", "base", "task_handler override", "ALL override", "step override".
std::string_view ValueLayerName(ValueLayer layer);

/// A value that a field has or had.
struct ExplainedValue {
  ValueLayer layer = ValueLayer::kDefault;
  std::optional<base::Json>
      value;                ///< absent: the field was left out, because a retry override replaces the whole block
  std::string source_path;  ///< JSON pointer of what the author wrote; "" for a default of the base
  base::Position position;  ///< of that; unknown for a default and where the template was not read from text
};

/// One field of the resolved template. What resolution moves as a whole is one field: a key of `initialization` with
/// everything in it, an embedded schema, a list of names, an environment.
struct ExplainedField {
  std::string path;  ///< JSON pointer in the resolved template
  ExplainedValue current;
  std::vector<ExplainedValue> replaced;  ///< what it had before, the latest first
};

struct Explanation {
  std::string environment;
  bool environment_defined = false;    ///< false: the template knows no such environment, and this is the base
  std::vector<ExplainedField> fields;  ///< in the order of the template; together `ResolveForEnvironment`'s answer
};

/// Where each field of `ResolveForEnvironment(tmpl, environment)` comes from. `document` is what `tmpl` was read from.
/// Linear in the size of the template and of what is resolved. Pure; any thread.
Explanation ExplainResolution(const TaskTemplate& tmpl, const Document& document, std::string_view environment);

/// {"environment", "environment_defined", "fields": [{"path", "value", "layer", "source_path", "line", "column",
/// "replaced": [...]}]}; "value" is missing where it is absent, "line" and "column" where they are unknown.
base::Json ToJson(const Explanation& explanation);

}  // namespace tasker::tmpl
