#include "lib/registry/index_entries.h"

#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "lib/base/digest.h"
#include "lib/base/json.h"
#include "lib/template/callable.h"

namespace tasker::registry {
namespace {

using store::DomainEvent;
using store::IndexEntry;
using store::Subject;

class Entries {
 public:
  void Add(Subject subject, const std::string& term, std::string_view role, const std::string& step = "",
           std::string detail = "", const std::string& environment = "") {
    if (!term.empty()) entries_.push_back({subject, term, std::string(role), step, environment, std::move(detail)});
  }
  void AddCallable(const std::string& callable, std::string_view role, const std::string& step = "",
                   const std::string& environment = "") {
    Add(Subject::kCallable, callable, role, step,
        std::string(tmpl::CallableKindName(tmpl::DetectCallableKind(callable))), environment);
  }
  template <typename Event>
  void AddEvent(const Event& event, std::string_view role, const std::string& step = "") {
    if (event.name.empty()) return;
    DomainEvent made{event.name, event.description.value_or(""), "", ""};
    if (event.schema) {
      made.schema_json = base::CanonicalJson(*event.schema);
      made.schema_digest = base::Sha256Digest(made.schema_json);
    }
    Add(Subject::kEvent, made.name, role, step, made.schema_digest);
    events_.emplace(std::make_pair(made.name, made.schema_digest), std::move(made));
  }
  TemplateIndex Take() {
    TemplateIndex index{std::move(entries_), {}};
    // In the order of names, the one without a schema before its others.
    for (auto event = events_.begin(); event != events_.end(); ++event) {
      const auto next = std::next(event);
      const bool has_schema_elsewhere = next != events_.end() && next->first.first == event->first.first;
      if (!event->second.schema_digest.empty() || !has_schema_elsewhere) index.events.push_back(event->second);
    }
    return index;
  }

 private:
  std::vector<IndexEntry> entries_;
  std::map<std::pair<std::string, std::string>, DomainEvent> events_;  // by name and digest
};

// A text that was kept although an override has no such key; empty where there is none.
std::string Kept(const base::JsonObject& extensions, std::string_view key) {
  const base::Json* const value = extensions.if_contains({key.data(), key.size()});
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

}  // namespace

TemplateIndex IndexTemplate(const tmpl::TaskTemplate& tmpl) {
  Entries entries;
  if (tmpl.task_handler) entries.AddCallable(tmpl.task_handler->callable, "task_handler");
  entries.Add(Subject::kSystem, tmpl.system_dependencies.primary, "primary");
  for (const std::string& system : tmpl.system_dependencies.secondary) {
    entries.Add(Subject::kSystem, system, "secondary");
  }
  for (const tmpl::DomainEventDefinition& event : tmpl.domain_events) {
    entries.AddEvent(event, "declares");
  }
  for (const tmpl::StepDefinition& step : tmpl.steps) {
    entries.AddCallable(step.handler.callable, "step_handler", step.name);
    if (step.system_dependency) entries.Add(Subject::kSystem, *step.system_dependency, "step", step.name);
    for (const tmpl::PublishedEvent& event : step.publishes_events) {
      entries.AddEvent(event, "publishes", step.name);
    }
  }
  for (const auto& [environment, overrides] : tmpl.environments) {
    if (overrides.task_handler) {
      entries.AddCallable(Kept(overrides.task_handler->extensions, "callable"), "task_handler", "", environment);
    }
    for (const tmpl::StepOverride& step : overrides.steps) {
      if (step.handler) {
        entries.AddCallable(Kept(step.handler->extensions, "callable"), "step_handler", step.name, environment);
      }
      entries.Add(Subject::kSystem, Kept(step.extensions, "system_dependency"), "step", step.name, "", environment);
    }
  }
  return entries.Take();
}

}  // namespace tasker::registry
