#pragma once

#include <string>
#include <string_view>

namespace tasker::json_schema {

/// What stands between the braces of ECMA-262's \p{…} ("L", "Letter", "gc=Lu", "Script=Greek", "ASCII") as an item of
/// a character class of RE2. "" for a property that RE2 has no tables for.
std::string UnicodePropertySet(std::string_view property, bool negated);

}  // namespace tasker::json_schema
