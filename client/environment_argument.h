#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>

#include "client/output.h"

namespace tasker::client {

/// The option -e.
inline void AddEnvironment(CLI::App& app, std::string& environment) {
  app.add_option("--environment,-e", environment, "The environment whose overrides apply")->type_name("NAME");
}

/// The flag that makes an undefined environment an error.
inline void AddRequireEnvironment(CLI::App& app, bool& required) {
  app.add_flag("--require-environment", required, "Fail when the template does not define the environment");
}

/// A misspelt environment silently gives the base template otherwise.
inline void NoteUndefinedEnvironment(const std::string& environment, bool is_defined) {
  if (environment.empty() || is_defined) return;
  PrintNote(fmt::format("note: the template does not define environment '{}'; this is the base template", environment));
}

}  // namespace tasker::client
