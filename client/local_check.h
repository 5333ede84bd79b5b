#pragma once

#include <optional>

#include "client/report.h"
#include "client/sources.h"
#include "lib/template/load.h"

namespace tasker::client {

/// What the server would find in the text, found here. The report refers to the source's text. `loaded`, where given,
/// is set to a template without errors.
FileReport CheckLocally(const Source& source, bool keep_unknown_keys,
                        std::optional<tmpl::LoadedTemplate>* loaded = nullptr);

/// A path without a text, as one error.
FileReport UnreadableReport(const SourceProblem& problem);

}  // namespace tasker::client
