#pragma once

#include <absl/status/statusor.h>

#include <string>

#include "lib/template/model.h"
#include "tasker/registry/v1/task_template.pb.h"

/// The template model ↔ protobuf, without loss. All functions are pure and may be called from any thread.
namespace tasker::wire {

namespace pb = ::tasker::registry::v1;

/// `tmpl` as a message. `exact_json` is set only when reading the other fields back would not give an equal model (see
/// json_value.h).
pb::TaskTemplate ToProto(const tmpl::TaskTemplate& tmpl);
/// The same into `out`, which must be empty: for messages on an arena.
void ToProto(const tmpl::TaskTemplate& tmpl, pb::TaskTemplate& out);

/// Parts of a template. False when reading `out` back would not give an equal value.
bool ToProto(const tmpl::HandlerDefinition& handler, pb::HandlerDefinition& out);
bool ToProto(const tmpl::RetryConfiguration& retry, pb::RetryConfiguration& out);
bool ToProto(const tmpl::PublishedEvent& event, pb::PublishedEvent& out);

/// A message as the model. Fields that are not set mean what absent keys mean in the template language. Nothing is
/// checked beyond what the model cannot hold. INVALID_ARGUMENT, naming the place:
///   an enumeration's value that this version does not know; a number that is not finite;
///   `extensions` with a key that has a field of its own;
///   `exact_json` that is no template or says something else than the other fields.
absl::StatusOr<tmpl::TaskTemplate> FromProto(const pb::TaskTemplate& message);

}  // namespace tasker::wire
