#pragma once

#include <string_view>
#include <vector>

#include "lib/diff/diff.h"
#include "lib/diff/walk.h"

namespace tasker::diff {

/// Diff over two templates in canonical JSON, and where each change is in both, also where a side lacks the value.
std::vector<LocatedChange> LocatedDiff(const Json& old_template, const Json& new_template, const DiffOptions& options);

/// Document::Locate for a pointer into canonical JSON: other spellings of a key count as the key they stand for.
base::Position LocateValue(const tmpl::Document& document, std::string_view pointer);

/// What DiffResolved looks at.
Json ResolvedJson(const tmpl::ResolvedTaskTemplate& resolved);

}  // namespace tasker::diff
