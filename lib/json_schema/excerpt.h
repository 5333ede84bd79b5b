#pragma once

#include <string>

#include "lib/base/json.h"

namespace tasker::json_schema {

/// The value as JSON, cut after some 60 bytes: for messages. Takes time bounded by what it shows.
std::string Excerpt(const base::Json& value);

}  // namespace tasker::json_schema
