#pragma once

#include <string>
#include <string_view>
#include <vector>

/// The comments of a YAML text, which the reader does not see. Private to lib/legacy.
namespace tasker::legacy {

struct Comments {
  std::string head;         ///< the lines above the first value, each with '\n': comments, empty lines, a `---`
  std::vector<int> others;  ///< the numbers of the lines below that hold a comment
};

/// REQUIRES: `yaml` is well-formed YAML. A '#' inside quotes or a block scalar is no comment.
Comments FindComments(std::string_view yaml);

}  // namespace tasker::legacy
