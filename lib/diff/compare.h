#pragma once

#include <optional>
#include <string>

#include "lib/diff/assessment.h"
#include "lib/template/load.h"
#include "lib/template/reference.h"

namespace tasker::diff {

/// A template, and as what it is compared.
struct Side {
  const tmpl::LoadedTemplate& loaded;
  /// What workers see in this environment, "" being the base template; none: the template as it is written. Either both
  /// sides have one or neither has.
  std::optional<std::string> environment = std::nullopt;
};

/// What changed, and which version that asks for.
struct SideComparison {
  Assessment assessment;
  /// The lowest version that the new side may have; the old one's where nothing asks for another, as between two
  /// environments of one version. None where there is no higher version.
  std::optional<tmpl::Version> next_version;
  bool is_bump_enough = true;  ///< whether the new side's version is at least that
};

/// Both sides' changes with their classes. Positions are those of the text that gave each value its content, an
/// environment's override included. REQUIRES: both versions are well-formed. Cost and threads as Assess.
SideComparison CompareSides(const Side& old_side, const Side& new_side);

/// Whether `environment` means the base template, or one of the sides defines it: a name that neither knows is a
/// mistake.
bool IsKnownEnvironment(const std::string& environment, const tmpl::TaskTemplate& old_template,
                        const tmpl::TaskTemplate& new_template);

}  // namespace tasker::diff
