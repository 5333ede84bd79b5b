#include "lib/diff/assessment.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "lib/diff/located_diff.h"
#include "lib/diff/schema_containment.h"
#include "lib/template/canonical.h"
#include "lib/template/step_graph.h"

namespace tasker::diff {
namespace {

using enum ChangeClass;

// The classes of one kind of schema.
struct SchemaClasses {
  ChangeClass breaking, undecided, compatible, equivalent;
};
constexpr SchemaClasses kInput{kInputSchemaNarrowed, kInputSchemaUndecided, kInputSchemaWidened,
                               kInputSchemaEquivalent};
constexpr SchemaClasses kEventPayload{kEventSchemaWidened, kEventSchemaUndecided, kEventSchemaNarrowed,
                                      kEventSchemaEquivalent};
constexpr SchemaClasses kStepResult{kResultSchemaWidened, kResultSchemaUndecided, kResultSchemaNarrowed,
                                    kResultSchemaEquivalent};

// "/steps/0/publishes_events/1/schema/type" up to the schema.
std::string SchemaPath(Area area, std::string_view path) {
  size_t tokens = area == Area::kInputSchema ? 1 : 3;
  if (area == Area::kEventSchema && path.starts_with("/steps/")) tokens = 5;
  size_t end = 0;
  for (; tokens > 0 && end != std::string_view::npos; --tokens) end = path.find('/', end + 1);
  return std::string(path.substr(0, end));
}

class Assessor {
 public:
  Assessor(const Json& old_json, const Json& new_json, const tmpl::TaskTemplate& old_template,
           const tmpl::TaskTemplate& new_template)
      : old_json_(old_json),
        new_json_(new_json),
        old_template_(old_template),
        new_template_(new_template),
        old_graph_(old_template),
        new_graph_(new_template) {}

  Assessment Run(std::vector<LocatedChange> changes) {
    Assessment assessment;
    for (LocatedChange& located : changes) {
      AssessedChange assessed;
      assessed.info = &InfoOf(ClassOf(located, assessed));
      assessed.change = std::move(located.change);
      assessment.bump = std::max(assessment.bump, assessed.info->bump);
      assessment.changes.push_back(std::move(assessed));
    }
    std::stable_sort(assessment.changes.begin(), assessment.changes.end(),
                     [](const auto& a, const auto& b) { return a.info->bump > b.info->bump; });
    return assessment;
  }

 private:
  ChangeClass ClassOf(const LocatedChange& located, AssessedChange& assessed) {
    const Change& change = located.change;
    const bool added = change.kind == ChangeKind::kAdded;
    const bool moved = change.kind == ChangeKind::kMoved;
    switch (change.area) {
      case Area::kInputSchema:
        return SchemaClass(located, kInput, assessed);
      case Area::kEventSchema:
        return SchemaClass(located, kEventPayload, assessed);
      case Area::kResultSchema:
        return SchemaClass(located, kStepResult, assessed);
      case Area::kEnvironment:
        return EnvironmentClass(change);
      case Area::kDocumentation:
        return kDocumentationChanged;
      default:
        break;
    }
    if (moved) return kOrderChanged;
    switch (change.area) {
      case Area::kIdentity:
        return kIdentityChanged;
      case Area::kVersion:
        return kVersionChanged;
      case Area::kCallable:
        return kCallableChanged;
      case Area::kInitialization:
        return kInitializationChanged;
      case Area::kSystem:
        return kSystemChanged;
      case Area::kEvent:
        return added ? kEventAdded : kEventRemoved;
      case Area::kPublication:
        return PublicationClass(change);
      case Area::kDelivery:
        return kEventDeliveryChanged;
      case Area::kLifecycle:
        return kLifecycleChanged;
      case Area::kStep:
        if (change.kind == ChangeKind::kRenamed) return kStepRenamed;
        return added ? kStepAdded : kStepRemoved;
      case Area::kStepType:
        return StepTypeClass(change);
      case Area::kDependency:
        return DependencyClass(located);
      case Area::kRetry:
        return RetryClass(change);
      case Area::kTimeout:
        return kTimeoutChanged;
      case Area::kBatch:
        return kBatchChanged;
      default:
        return kExtensionChanged;
    }
  }

  static ChangeClass EnvironmentClass(const Change& change) {
    const bool whole = std::count(change.old_path.begin(), change.old_path.end(), '/') == 2;
    return change.kind == ChangeKind::kRemoved && whole ? kEnvironmentRemoved : kEnvironmentChanged;
  }

  // A type that is absent is "standard".
  static ChangeClass StepTypeClass(const Change& change) {
    const auto is_standard = [](const std::optional<Json>& type) { return !type || *type == Json("standard"); };
    return is_standard(change.old_value) && is_standard(change.new_value) ? kDocumentationChanged : kStepTypeChanged;
  }

  static ChangeClass RetryClass(const Change& change) {
    return change.place.ends_with("retry.retryable") && change.new_value == Json(true) ? kRetryEnabled : kRetryChanged;
  }

  static bool Publishes(const tmpl::TaskTemplate& tmpl, std::string_view event) {
    return std::any_of(tmpl.steps.begin(), tmpl.steps.end(), [&](const tmpl::StepDefinition& step) {
      return std::any_of(step.publishes_events.begin(), step.publishes_events.end(),
                         [&](const tmpl::PublishedEvent& published) { return published.name == event; });
    });
  }

  ChangeClass PublicationClass(const Change& change) const {
    const bool added = change.kind == ChangeKind::kAdded;
    const Json& item = added ? *change.new_value : *change.old_value;
    const Json* name = item.is_object() ? item.get_object().if_contains("name") : &item;
    if (name == nullptr || !name->is_string()) return kEventPublisherChanged;
    const std::string_view event(name->get_string().data(), name->get_string().size());
    if (Publishes(added ? old_template_ : new_template_, event)) return kEventPublisherChanged;
    return added ? kEventNewlyPublished : kEventNoLongerPublished;
  }

  // Whether the step at `from` waits for the one at `to` by way of others.
  bool IsImplied(const tmpl::StepGraph& graph, size_t from, size_t to) {
    // Beyond the budget the answer is "no", which asks for the larger bump.
    constexpr size_t kMaxVisits = 2'000'000;
    std::vector<bool> seen(graph.size(), false);
    std::vector<size_t> pending;
    for (const size_t next : graph.DependenciesOf(from)) {
      if (next != to) pending.push_back(next);
    }
    while (!pending.empty()) {
      const size_t step = pending.back();
      pending.pop_back();
      if (seen[step]) continue;
      seen[step] = true;
      visits_ += 1 + graph.DependenciesOf(step).size();
      if (visits_ > kMaxVisits) return false;
      for (const size_t next : graph.DependenciesOf(step)) {
        if (next == to) return true;
        pending.push_back(next);
      }
    }
    return false;
  }

  // An edge that is gone is implied where the new template still has a way; one that came, where the old one had.
  ChangeClass DependencyClass(const LocatedChange& located) {
    const bool added = located.change.kind == ChangeKind::kAdded;
    const ChangeClass otherwise = added ? kDependencyAdded : kDependencyRemoved;
    const auto& dependency = added ? located.change.new_value : located.change.old_value;
    const tmpl::TaskTemplate& here = added ? new_template_ : old_template_;
    const tmpl::TaskTemplate& there = added ? old_template_ : new_template_;
    const tmpl::StepGraph& graph = added ? old_graph_ : new_graph_;
    if (!dependency || !dependency->is_string()) return otherwise;
    // "/steps/7/dependencies/0"
    const auto tokens = base::JsonPointerTokens(added ? located.place.new_path : located.place.old_path);
    const size_t index = tokens.size() > 1 ? std::stoul(tokens[1]) : here.steps.size();
    if (index >= here.steps.size()) return otherwise;
    const size_t from = graph.Find(here.steps[index].name);
    const size_t to = graph.Find({dependency->get_string().data(), dependency->get_string().size()});
    if (from >= there.steps.size() || to >= there.steps.size()) return otherwise;
    return IsImplied(graph, from, to) ? kDependencyImplied : otherwise;
  }

  // The verdict on the schema that the change is in; told in full at its first change.
  ChangeClass SchemaClass(const LocatedChange& located, const SchemaClasses& classes, AssessedChange& assessed) {
    const std::string old_path = SchemaPath(located.change.area, located.place.old_path);
    const std::string new_path = SchemaPath(located.change.area, located.place.new_path);
    const auto [known, fresh] = schemas_.try_emplace({old_path, new_path}, classes.undecided);
    if (!fresh) return known->second;
    const Json old_schema = SchemaAt(old_json_, old_path);
    const Json new_schema = SchemaAt(new_json_, new_path);
    const bool input = located.change.area == Area::kInputSchema;
    const Json& narrow = input ? old_schema : new_schema;
    const Json& wide = input ? new_schema : old_schema;
    Containment containment = CheckContainment(narrow, wide);
    switch (containment.verdict) {
      case ContainmentVerdict::kUnknown:
        known->second = classes.undecided;
        break;
      case ContainmentVerdict::kNotContained:
        known->second = classes.breaking;
        break;
      case ContainmentVerdict::kContained: {
        const bool both = CheckContainment(wide, narrow).verdict == ContainmentVerdict::kContained;
        known->second = both ? classes.equivalent : classes.compatible;
        break;
      }
    }
    assessed.reason = std::move(containment.reason);
    assessed.counterexample = std::move(containment.counterexample);
    return known->second;
  }

  static Json SchemaAt(const Json& tmpl, const std::string& path) {
    boost::json::error_code error;
    const Json* schema = tmpl.find_pointer(path, error);
    return schema == nullptr ? Json(true) : *schema;
  }

  const Json& old_json_;
  const Json& new_json_;
  const tmpl::TaskTemplate& old_template_;
  const tmpl::TaskTemplate& new_template_;
  const tmpl::StepGraph old_graph_, new_graph_;
  std::map<std::pair<std::string, std::string>, ChangeClass> schemas_;
  size_t visits_ = 0;
};

}  // namespace

Assessment Assess(const tmpl::TaskTemplate& old_template, const tmpl::TaskTemplate& new_template,
                  const DiffOptions& options) {
  const Json old_json = tmpl::ToJson(old_template);
  const Json new_json = tmpl::ToJson(new_template);
  return Assessor(old_json, new_json, old_template, new_template).Run(LocatedDiff(old_json, new_json, options));
}

Assessment AssessResolved(const tmpl::ResolvedTaskTemplate& old_template,
                          const tmpl::ResolvedTaskTemplate& new_template, const DiffOptions& options) {
  const Json old_json = ResolvedJson(old_template);
  const Json new_json = ResolvedJson(new_template);
  return Assessor(old_json, new_json, old_template.tmpl, new_template.tmpl)
      .Run(LocatedDiff(old_json, new_json, options));
}

}  // namespace tasker::diff
