#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/template/model.h"

namespace tasker::tmpl {

/// A template with one environment's overrides applied.
struct ResolvedTaskTemplate {
  TaskTemplate tmpl;
  std::string environment;
  bool environment_defined = false;  ///< false: the template knows no such environment, and this is the base template
};

/// Applies `environment`'s overrides in the order listed, as the specification's Rust code does (DESIGN §4): ALL is
/// every step; `initialization` is merged one level deep; a `retry` override replaces the whole block; an override of a
/// missing task_handler or of an unknown step has no effect. Pure; any thread.
ResolvedTaskTemplate ResolveForEnvironment(TaskTemplate tmpl, std::string_view environment);

/// The specification's `all_callables`: the task handler's, then each step's, in order, repeated where they repeat.
std::vector<std::string> AllCallables(const TaskTemplate& tmpl);

}  // namespace tasker::tmpl
