#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace tasker::client {

/// A template's text and the name that messages call it by: the path as given, "-" for stdin.
struct Source {
  std::string name;
  std::string text;
};

/// A path that gave no text, and why.
struct SourceProblem {
  std::string name;
  std::string message;
};

struct Sources {
  std::vector<Source> files;
  std::vector<SourceProblem> problems;
  std::vector<std::string> repeated;  ///< paths that name a file which was read already; it is there once
};

/// More than a batch may hold: a larger file is refused before it fills the memory.
inline constexpr size_t kMaxSourceBytes = size_t{64} << 20;

/// The texts of `paths` in order. A folder stands for every *.yaml, *.yml and *.json file in it and below, by path;
/// names that begin with a dot are passed over, and links to folders are not followed. "-" is stdin.
Sources ReadSources(std::span<const std::string> paths);

}  // namespace tasker::client
