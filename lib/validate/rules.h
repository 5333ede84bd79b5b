#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lib/validate/context.h"

/// The rules of the template language, one file in rules/ for each small group. docs/issues.md documents every code.
/// Text that the reader requires and did not get is "" in the model and was reported, so rules say nothing about it.
namespace tasker::validate {

/// `name` in quotes, cut to a length fit for messages.
std::string Quoted(std::string_view name);

void CheckNames(Context& context);         ///< names, version, timestamps, callables
void CheckSteps(Context& context);         ///< there are steps, with names of their own
void CheckDependencies(Context& context);  ///< dependencies exist, once each, without cycles
void CheckStepTypes(Context& context);     ///< decision and batch steps
void CheckRanges(Context& context);        ///< retry limits, waits, timeouts
void CheckEvents(Context& context);        ///< declared and published events
void CheckSystems(Context& context);       ///< declared and used systems
void CheckSchemas(Context& context);       ///< the JSON Schemas inside
void CheckFreeForm(Context& context);      ///< what the structured view on the wire cannot hold

/// Lints of the overrides: of all environments, or of `only` that one.
void CheckEnvironments(Context& context, std::optional<std::string_view> only = std::nullopt);

}  // namespace tasker::validate
