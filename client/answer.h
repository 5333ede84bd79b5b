#pragma once

#include "client/output.h"
#include "lib/base/json.h"

namespace tasker::client {

/// One answer: names with a value each, or a document with them.
void PrintAnswer(const base::JsonObject& answer, OutputFormat format);

}  // namespace tasker::client
