#pragma once

#include <boost/json/storage_ptr.hpp>
#include <optional>
#include <string_view>

#include "lib/base/json.h"

namespace tasker::json_schema {

/// Parses `text` into memory of `storage`, to the same value as base::ParseJson. Nothing when the text is no JSON or
/// anything about it is unusual: ask base::ParseJson, which says what.
std::optional<base::Json> ParsePlainJson(std::string_view text, boost::json::storage_ptr storage);

}  // namespace tasker::json_schema
