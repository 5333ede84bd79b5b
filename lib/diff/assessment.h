#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/diff/change_class.h"
#include "lib/diff/diff.h"

namespace tasker::diff {

struct AssessedChange {
  Change change;
  const ClassInfo* info = nullptr;  ///< lives forever
  /// For a changed schema, at its first change: why it breaks or why that could not be decided; else "".
  std::string reason;
  /// There, where one was found: an input that is refused now, or a payload or result that was not possible before.
  std::optional<Json> counterexample;
};

struct Assessment {
  std::vector<AssessedChange> changes;  ///< the gravest first, then as Diff orders them
  Bump bump = Bump::kNone;              ///< the largest of all
};

/// Diff, with the class of each change. A schema is judged as a whole, its changes share one class: `input_schema` must
/// accept all that it accepted; of an event or a result, the old schema must accept all that is possible now. A schema
/// that is absent accepts everything; what cannot be decided counts as breaking. Takes up to about a second for
/// each changed schema at worst. Pure; any thread.
Assessment Assess(const tmpl::TaskTemplate& old_template, const tmpl::TaskTemplate& new_template,
                  const DiffOptions& options = {});

/// The same over DiffResolved.
Assessment AssessResolved(const tmpl::ResolvedTaskTemplate& old_template,
                          const tmpl::ResolvedTaskTemplate& new_template, const DiffOptions& options = {});

}  // namespace tasker::diff
