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
/// An environment's override has no key for any of these. Where one was kept that looks like it (`callable` of a
/// handler, `system_dependency` of a step: RegisterTemplate's keep_unknown_keys), it changes no resolution, but has its
/// row, with the environment: whoever asks who names a system should see it.
///
/// And the events themselves: each name with each of its schemas once; without a schema only where no place gives one.
struct TemplateIndex {
  std::vector<store::IndexEntry> entries;
  std::vector<store::DomainEvent> events;
};
TemplateIndex IndexTemplate(const tmpl::TaskTemplate& tmpl);

}  // namespace tasker::registry
