#pragma once

#include <vector>

#include "lib/diff/diff.h"
#include "lib/diff/walk.h"

namespace tasker::diff {

/// Diff over two templates in canonical JSON, and where each change is in both, also where a side lacks the value.
std::vector<LocatedChange> LocatedDiff(const Json& old_template, const Json& new_template, const DiffOptions& options);

/// What DiffResolved looks at.
Json ResolvedJson(const tmpl::ResolvedTaskTemplate& resolved);

}  // namespace tasker::diff
