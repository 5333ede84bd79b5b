#pragma once

#include <optional>
#include <string>

#include "lib/base/json.h"
#include "lib/json_schema/schema.h"

namespace tasker::diff {

using base::Json;

/// The answer to "is every instance of A an instance of B?".
enum class ContainmentVerdict {
  kContained,     ///< proven
  kNotContained,  ///< an instance of A that B refuses was found; both checked by the validator
  kUnknown,       ///< neither; to be treated as "no"
};

struct Containment {
  ContainmentVerdict verdict = ContainmentVerdict::kUnknown;
  std::optional<Json> counterexample;  ///< kNotContained: valid by A, invalid by B
  /// One sentence without full stop. kNotContained: why B refuses it; kUnknown: the place in B that could not be
  /// decided, or what is wrong with a schema; kContained: "".
  std::string reason;
};

/// Decides, with a validator that was compiled with `options` (`resources` are not supported), whether every instance
/// of `a` is an instance of `b`. Never wrong, but not always able to tell: kUnknown is the answer for schemas that do
/// not compile, where `pattern`, `format`, `unevaluated…` and dynamic references differ, where references leave the
/// document, and beyond fixed bounds of work (about a second for schemas of thousands of parts; typical ones take about
/// a millisecond). Pure; any thread.
Containment CheckContainment(const Json& a, const Json& b, const json_schema::CompileOptions& options = {});

}  // namespace tasker::diff
