#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "lib/diff/compare.h"

namespace tasker::client {

/// What makes diff and plan end with 1, for pipelines.
enum class FailOn {
  kBump,      ///< the version is too low for what changed
  kBreaking,  ///< a change is major, whatever the version
  kAny,       ///< there is a change
};

inline void AddFailOn(CLI::App& app, FailOn& fail_on) {
  app.add_option_function<std::string>(
         "--fail-on",
         [&fail_on](const std::string& word) {
           if (word != "bump" && word != "breaking" && word != "any") {
             throw CLI::ValidationError("--fail-on", "is bump, breaking or any");
           }
           fail_on = word == "any" ? FailOn::kAny : word == "breaking" ? FailOn::kBreaking : FailOn::kBump;
         },
         "End with 1 when the version is too low for what changed (bump), when a change\nbreaks somebody (breaking), "
         "or "
         "when there is a change (any)")
      ->type_name("bump|breaking|any")
      ->default_str("bump");
}

inline bool Fails(FailOn fail_on, const diff::SideComparison& comparison) {
  switch (fail_on) {
    case FailOn::kBump:
      return !comparison.is_bump_enough;
    case FailOn::kBreaking:
      return comparison.assessment.bump == diff::Bump::kMajor;
    case FailOn::kAny:
      return !comparison.assessment.changes.empty();
  }
  return false;
}

}  // namespace tasker::client
