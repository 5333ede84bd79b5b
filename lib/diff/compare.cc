#include "lib/diff/compare.h"

#include <string_view>
#include <unordered_map>

#include "lib/diff/locator.h"
#include "lib/template/explain.h"
#include "lib/template/resolve.h"

namespace tasker::diff {
namespace {

// Where the values of a resolved template come from in its author's text.
class Origins {
 public:
  explicit Origins(const Side& side) : locator_(side.loaded.document) {
    for (const tmpl::ExplainedField& field :
         tmpl::ExplainResolution(side.loaded.tmpl, side.loaded.document, *side.environment).fields) {
      if (!field.current.source_path.empty()) sources_.emplace(field.path, field.current.source_path);
    }
  }

  base::Position Find(std::string_view pointer) {
    for (std::string_view path = pointer; !path.empty(); path = path.substr(0, path.rfind('/'))) {
      const auto found = sources_.find(std::string(path));
      if (found == sources_.end()) continue;
      return locator_.Find(found->second + std::string(pointer.substr(path.size())));
    }
    return locator_.Find(pointer);
  }

 private:
  Locator locator_;
  std::unordered_map<std::string, std::string> sources_;  // pointer in the resolved template → in the text
};

Assessment AssessEnvironments(const Side& old_side, const Side& new_side) {
  Assessment assessment = AssessResolved(tmpl::ResolveForEnvironment(old_side.loaded.tmpl, *old_side.environment),
                                         tmpl::ResolveForEnvironment(new_side.loaded.tmpl, *new_side.environment));
  Origins old_origins(old_side);
  Origins new_origins(new_side);
  for (AssessedChange& assessed : assessment.changes) {
    Change& change = assessed.change;
    if (change.old_value) change.old_position = old_origins.Find(change.old_path);
    if (change.new_value) change.new_position = new_origins.Find(change.new_path);
  }
  return assessment;
}

}  // namespace

SideComparison CompareSides(const Side& old_side, const Side& new_side) {
  const tmpl::TaskTemplate& old_template = old_side.loaded.tmpl;
  const tmpl::TaskTemplate& new_template = new_side.loaded.tmpl;
  SideComparison comparison;
  if (old_side.environment) {
    comparison.assessment = AssessEnvironments(old_side, new_side);
  } else {
    comparison.assessment = Assess(old_template, new_template, {&old_side.loaded.document, &new_side.loaded.document});
  }
  const tmpl::Version old_version = tmpl::ParseVersion(old_template.version).value();
  const tmpl::Version new_version = tmpl::ParseVersion(new_template.version).value();
  const Bump bump = old_template == new_template ? Bump::kNone : comparison.assessment.bump;
  comparison.next_version = NextVersion(old_version, bump);
  comparison.is_bump_enough = IsEnough(old_version, new_version, bump);
  return comparison;
}

bool IsKnownEnvironment(const std::string& environment, const tmpl::TaskTemplate& old_template,
                        const tmpl::TaskTemplate& new_template) {
  return environment.empty() || old_template.environments.contains(environment) ||
         new_template.environments.contains(environment);
}

}  // namespace tasker::diff
