#pragma once

#include <optional>
#include <vector>

#include "lib/legacy/block.h"
#include "lib/legacy/step.h"

/// Private to lib/legacy.
namespace tasker::legacy {

/// `environments` → the same by name, each {task_handler, steps}. `task_handler` is the converted one, when there is
/// any. An override from `step_templates`, `step_overrides` or `handler_config` meant a deep merge, and a retry key
/// only that key; so nested maps are written out merged with the step's, and retry blocks whole.
JsonObject ConvertEnvironments(Context& context, Node environments, const std::vector<Step>& steps,
                               const JsonObject* task_handler);

}  // namespace tasker::legacy
