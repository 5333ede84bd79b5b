#pragma once

#include <vector>

#include "lib/store/records.h"
#include "lib/template/model.h"

namespace tasker::registry {

/// What the store keeps of `tmpl` to find it by. Where it names callables, systems and events:
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
///
/// And the events themselves: each name with each of its schemas once; without a schema only where no place gives one.
struct TemplateIndex {
  std::vector<store::IndexEntry> entries;
  std::vector<store::DomainEvent> events;
};
TemplateIndex IndexTemplate(const tmpl::TaskTemplate& tmpl);

}  // namespace tasker::registry
