#include "lib/registry/index_entries.h"

#include <optional>
#include <string>
#include <string_view>

#include "lib/base/digest.h"
#include "lib/base/json.h"
#include "lib/template/callable.h"

namespace tasker::registry {
namespace {

using store::IndexEntry;
using store::Subject;

class Entries {
 public:
  void Add(Subject subject, const std::string& term, std::string_view role, const std::string& step = "",
           std::string detail = "") {
    if (!term.empty()) entries_.push_back({subject, term, std::string(role), step, "", std::move(detail)});
  }
  void AddCallable(const std::string& callable, std::string_view role, const std::string& step = "") {
    Add(Subject::kCallable, callable, role, step,
        std::string(tmpl::CallableKindName(tmpl::DetectCallableKind(callable))));
  }
  void AddEvent(const std::string& name, const std::optional<base::Json>& schema, std::string_view role,
                const std::string& step = "") {
    Add(Subject::kEvent, name, role, step, schema ? base::Sha256Digest(base::CanonicalJson(*schema)) : "");
  }
  std::vector<IndexEntry> Take() { return std::move(entries_); }

 private:
  std::vector<IndexEntry> entries_;
};

}  // namespace

std::vector<IndexEntry> IndexEntries(const tmpl::TaskTemplate& tmpl) {
  Entries entries;
  if (tmpl.task_handler) entries.AddCallable(tmpl.task_handler->callable, "task_handler");
  entries.Add(Subject::kSystem, tmpl.system_dependencies.primary, "primary");
  for (const std::string& system : tmpl.system_dependencies.secondary) {
    entries.Add(Subject::kSystem, system, "secondary");
  }
  for (const tmpl::DomainEventDefinition& event : tmpl.domain_events) {
    entries.AddEvent(event.name, event.schema, "declares");
  }
  for (const tmpl::StepDefinition& step : tmpl.steps) {
    entries.AddCallable(step.handler.callable, "step_handler", step.name);
    if (step.system_dependency) entries.Add(Subject::kSystem, *step.system_dependency, "step", step.name);
    for (const tmpl::PublishedEvent& event : step.publishes_events) {
      entries.AddEvent(event.name, event.schema, "publishes", step.name);
    }
  }
  return entries.Take();
}

}  // namespace tasker::registry
