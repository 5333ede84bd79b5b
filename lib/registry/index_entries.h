#pragma once

#include <vector>

#include "lib/store/records.h"
#include "lib/template/model.h"

namespace tasker::registry {

/// Where `tmpl` names callables, systems and events, for the store's index:
///
///     subject   role                      step      detail
///     callable  task_handler              -         the callable's kind
///     callable  step_handler              its name  the callable's kind
///     system    primary, secondary        -         -
///     system    step                      its name  -
///     event     declares                  -         digest of its schema, where it has one
///     event     publishes                 its name  digest of its schema, where it has one
///
/// Environments cannot override any of these.
std::vector<store::IndexEntry> IndexEntries(const tmpl::TaskTemplate& tmpl);

}  // namespace tasker::registry
