#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tasker::registry {

/// One mistake in a request.
struct Violation {
  std::string field;        ///< "source.steps[2].dependencies[0]"
  std::string description;  ///< one line
  friend bool operator==(const Violation&, const Violation&) = default;
};

/// What programs want to know of an error beyond its code and message. It travels inside the absl::Status.
struct ErrorDetail {
  std::string reason;                           ///< upper snake case: "TEMPLATE_NOT_FOUND"
  std::map<std::string, std::string> metadata;  ///< the facts of this case: {"reference", "payments/refund:1.0.0"}
  std::vector<Violation> violations;            ///< at most kMaxViolations
};
inline constexpr size_t kMaxViolations = 50;

/// An error of `code`. `message` is one sentence for people.
absl::Status Error(absl::StatusCode code, std::string_view message, const ErrorDetail& detail);

/// INVALID_ARGUMENT about one field of a request: reason "REQUEST_INVALID".
absl::Status InvalidField(std::string_view field, std::string_view problem);

/// A time as messages write it: "2026-02-03T04:05:06Z".
std::string TimeText(absl::Time time);

/// The detail of a status that Error made; for any other, only a reason that says what the code says.
ErrorDetail DetailOf(const absl::Status& status);

}  // namespace tasker::registry
