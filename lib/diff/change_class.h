#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "lib/template/reference.h"

namespace tasker::diff {

/// Which part of a version has to grow. In ascending order.
enum class Bump { kNone, kPatch, kMinor, kMajor };

/// "none", "patch", "minor", "major".
std::string_view BumpName(Bump bump);

/// What a change means to those who use the template; docs/compatibility.md gives the reasons.
enum class ChangeClass {
  kIdentityChanged,
  kInputSchemaNarrowed,
  kInputSchemaUndecided,
  kInputSchemaWidened,
  kInputSchemaEquivalent,
  kEventRemoved,
  kEventAdded,
  kEventNoLongerPublished,
  kEventNewlyPublished,
  kEventPublisherChanged,
  kEventDeliveryChanged,
  kEventSchemaWidened,
  kEventSchemaUndecided,
  kEventSchemaNarrowed,
  kEventSchemaEquivalent,
  kResultSchemaWidened,
  kResultSchemaUndecided,
  kResultSchemaNarrowed,
  kResultSchemaEquivalent,
  kStepRemoved,
  kStepRenamed,
  kStepAdded,
  kStepTypeChanged,
  kCallableChanged,
  kInitializationChanged,
  kDependencyRemoved,
  kDependencyAdded,
  kDependencyImplied,
  kSystemChanged,
  kRetryEnabled,
  kRetryChanged,
  kTimeoutChanged,
  kBatchChanged,
  kLifecycleChanged,
  kEnvironmentRemoved,
  kEnvironmentChanged,
  kDocumentationChanged,
  kOrderChanged,
  kExtensionChanged,
  kVersionChanged,
};

struct ClassInfo {
  ChangeClass id;
  std::string_view code;     ///< stable, upper snake case: "INPUT_SCHEMA_NARROWED"
  Bump bump;                 ///< what such a change asks for at least
  std::string_view breaks;   ///< whom it may break, "nobody" exactly where the bump is not major
  std::string_view summary;  ///< one clause without full stop
};

/// All classes in the order of the enumeration.
std::span<const ClassInfo> ChangeClasses();
const ClassInfo& InfoOf(ChangeClass id);

/// The lowest version after `old` that makes a change of that size plain. Read as Cargo's caret reads it, so that
/// `^old` never reaches a breaking version: below 1.0.0 the first part that is not zero takes major's place. kNone
/// gives `old`. nullopt when no higher version exists.
std::optional<tmpl::Version> NextVersion(const tmpl::Version& old, Bump bump);

/// Whether `next` is a version that may follow `old` with changes of that size: NextVersion or higher.
bool IsEnough(const tmpl::Version& old, const tmpl::Version& next, Bump bump);

}  // namespace tasker::diff
