#pragma once

#include <string>

#include "lib/base/json.h"

/// Private to lib/legacy.
namespace tasker::legacy {

/// The template as YAML for people: an empty line before each section and between steps, events and environments.
std::string LayOut(const base::JsonObject& task);

}  // namespace tasker::legacy
