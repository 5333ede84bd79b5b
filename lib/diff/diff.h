#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/issue.h"
#include "lib/base/json.h"
#include "lib/template/document.h"
#include "lib/template/model.h"
#include "lib/template/resolve.h"

/// What changed between two templates, by meaning: steps and events are matched by name, maps by key; where the order
/// of a list has no meaning, an item in another place is "moved" and nothing else.
namespace tasker::diff {

using base::Json;

enum class ChangeKind {
  kAdded,    ///< only in the new template
  kRemoved,  ///< only in the old one
  kChanged,  ///< another value in the same place
  kRenamed,  ///< a step with another name and the same content (description and dependencies aside)
  kMoved,    ///< the same item elsewhere in its list
};

/// "added", "removed", "changed", "renamed", "moved".
std::string_view ChangeKindName(ChangeKind kind);

/// The part of a template that a change is in: what its class is made from (change_class.h).
enum class Area {
  kIdentity,        ///< name, namespace_name
  kVersion,         ///< version
  kDocumentation,   ///< descriptions, metadata
  kCallable,        ///< what runs the task or a step: callable, method, resolver; a task_handler as a whole
  kInitialization,  ///< a handler's parameters, composition
  kSystem,          ///< system_dependencies, a step's system_dependency
  kEvent,           ///< a domain event as a whole
  kEventSchema,     ///< its payload's schema, or that of a published event
  kPublication,     ///< a step's entry in publishes_events as a whole
  kDelivery,        ///< condition, delivery_mode, publisher of a published event
  kInputSchema,
  kResultSchema,
  kLifecycle,
  kStep,  ///< a step as a whole, its name
  kStepType,
  kDependency,
  kRetry,
  kTimeout,
  kBatch,
  kEnvironment,  ///< anything below `environments`
  kExtension,    ///< x-… keys and kept unknown keys
};

struct Change {
  ChangeKind kind = ChangeKind::kChanged;
  Area area = Area::kExtension;
  std::string place;  ///< for people, names instead of indexes: "steps[check_fraud].retry.limit"

  /// JSON pointers into each template's canonical JSON; "" where the template does not have the value.
  std::string old_path;
  std::string new_path;
  std::optional<Json> old_value;
  std::optional<Json> new_value;

  /// In each side's text where DiffOptions has its document; else, and where the side has no such value, unknown. A
  /// value that the text leaves to its default has the position of what would hold it.
  base::Position old_position;
  base::Position new_position;

  friend bool operator==(const Change&, const Change&) = default;
};

struct DiffOptions {
  const tmpl::Document* old_document = nullptr;
  const tmpl::Document* new_document = nullptr;
  /// From this number of changes on, a free-form value that differs is reported as a whole.
  size_t detail_limit = 10'000;
};

/// All changes in the order of the specification's keys. Empty exactly when both have the same canonical JSON, that is
/// the same digest. Nothing is ever left out; time and space are bounded by the templates' sizes. Pure; any thread.
std::vector<Change> Diff(const tmpl::TaskTemplate& old_template, const tmpl::TaskTemplate& new_template,
                         const DiffOptions& options = {});

/// The same for two environments of one version, or two versions in one environment: what a worker there would notice.
/// `environments` and the environments' own names are not looked at.
std::vector<Change> DiffResolved(const tmpl::ResolvedTaskTemplate& old_template,
                                 const tmpl::ResolvedTaskTemplate& new_template, const DiffOptions& options = {});

/// `value` as canonical JSON, shortened to about `bytes`; "(none)" for no value.
std::string ShortValue(const std::optional<Json>& value, size_t bytes = 60);

/// One change in one line without line ends: "steps[a].retry.limit (/steps/0/retry/limit): 3 -> 5". At most about 500
/// bytes.
std::string ChangeLine(const Change& change);

/// What ALREADY_EXISTS shows: a ChangeLine for each of the first `max_lines` changes, old being `stored` and new being
/// `sent`, then "and N more" where there are more. Empty when the two are the same.
std::vector<std::string> DifferenceLines(const tmpl::TaskTemplate& stored, const tmpl::TaskTemplate& sent,
                                         size_t max_lines = 10);

}  // namespace tasker::diff
