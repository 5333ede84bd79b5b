#include "client/failure.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "client/library/violations.h"
#include "client/output.h"

namespace tasker::client {

ExitCode PrintFailure(const absl::Status& status) {
  std::string message(status.message());
  if (message.empty()) message = absl::StatusCodeToString(status.code());
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      PrintError("the server cannot be reached: " + message);
      return kUnreachable;
    case absl::StatusCode::kDeadlineExceeded:
      PrintError(fmt::format("the server did not answer in time: {}; --timeout gives it more", message));
      return kUnreachable;
    default:
      break;
  }
  PrintError(message);
  const std::vector<std::string> violations = Violations(status);
  // A single violation is what the message says already.
  for (const std::string& violation : violations.size() > 1 ? violations : std::vector<std::string>()) {
    PrintNote("  " + violation);
  }
  return kRefused;
}

ExitCode PrintOptionProblem(const absl::Status& status) {
  PrintError(std::string(status.message()));
  return kUsage;
}

}  // namespace tasker::client
