#pragma once

#include "client/report.h"
#include "client/sources.h"

namespace tasker::client {

/// What the server would find in the text, found here. The report refers to the source's text.
FileReport CheckLocally(const Source& source, bool keep_unknown_keys);

/// A path without a text, as one error.
FileReport UnreadableReport(const SourceProblem& problem);

}  // namespace tasker::client
