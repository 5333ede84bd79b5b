#pragma once

#include <fmt/format.h>

#include <exception>
#include <functional>
#include <string>

namespace tasker::bench {

/// What the command line of a benchmark may ask for.
struct Arguments {
  bool smoke = false;     ///< one short round, to see that it works
  bool large = false;     ///< registry_bench: the rows at a million versions, too
  std::string only;       ///< registry_bench: rows whose name holds it
  std::string json_file;  ///< where the results go as JSON; empty: nowhere
};

/// `main` of a benchmark: reads the command line, runs `run` and gives its exit status; 2 for an option that is none, 1
/// for an exception. `has_rows`: --large and --only mean something.
inline int BenchMain(int argc, char** argv, const std::function<int(const Arguments&)>& run, bool has_rows = false) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--smoke") {
      arguments.smoke = true;
    } else if (word == "--json" && i + 1 < argc) {
      arguments.json_file = argv[++i];
    } else if (has_rows && word == "--large") {
      arguments.large = true;
    } else if (has_rows && word == "--only" && i + 1 < argc) {
      arguments.only = argv[++i];
    } else {
      fmt::print(stderr, "usage: {} [--smoke]{} [--json FILE]\n", argv[0], has_rows ? " [--large] [--only WORD]" : "");
      return 2;
    }
  }
  try {
    return run(arguments);
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}: {}\n", argv[0], e.what());
    return 1;
  }
}

}  // namespace tasker::bench
