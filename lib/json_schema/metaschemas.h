#pragma once

#include <span>
#include <string_view>

namespace tasker::json_schema {

/// The texts of metaschemas/, put into the program by embed.cmake.
std::span<const std::string_view> MetaschemaTexts();

}  // namespace tasker::json_schema
