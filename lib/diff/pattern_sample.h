#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tasker::diff {

/// A few short strings that some part of matches the ECMA-262 pattern, the shortest first. Empty for patterns beyond
/// literals, classes, groups, alternatives and quantifiers.
std::vector<std::string> SamplePattern(std::string_view pattern);

}  // namespace tasker::diff
