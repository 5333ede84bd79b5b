#pragma once

#include <string>
#include <vector>

#include "lib/legacy/block.h"

/// Private to lib/legacy.
namespace tasker::legacy {

/// The converted template as a JSON object whose keys stand in the order of the specification's example, and where its
/// steps stood, for errors about them. Errors go to the context.
struct ConvertedTask {
  JsonObject json;
  std::vector<Position> steps;
};
ConvertedTask ConvertTask(Context& context, Node root, const std::string& default_namespace);

}  // namespace tasker::legacy
