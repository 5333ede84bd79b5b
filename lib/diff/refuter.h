#pragma once

#include <optional>

#include "lib/diff/schema_view.h"

namespace tasker::diff {

/// An instance of `a` that is none of `b`, as short as it was found; nullopt when a bounded search near the edges of
/// what both schemas say found none. REQUIRES: both documents have validators.
std::optional<Json> FindCounterexample(SchemaDocument& a, SchemaDocument& b);

}  // namespace tasker::diff
