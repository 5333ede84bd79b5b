#include "lib/registry/error.h"

#include <absl/strings/cord.h>
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <optional>

#include "lib/base/json.h"

namespace tasker::registry {
namespace {

// The payload is JSON: {"reason": …, "metadata": {…}, "violations": [[field, description], …]}.
constexpr char kPayload[] = "tasker.registry/ErrorDetail";

std::string Text(const base::Json& value) {
  return value.is_string() ? std::string(value.get_string().data(), value.get_string().size()) : std::string();
}

}  // namespace

absl::Status Error(absl::StatusCode code, std::string_view message, const ErrorDetail& detail) {
  base::JsonObject metadata;
  for (const auto& [key, value] : detail.metadata) metadata.emplace(key, value);
  base::JsonArray violations;
  for (const Violation& violation : detail.violations) {
    if (violations.size() == kMaxViolations) break;
    violations.push_back(base::JsonArray{base::Json(violation.field), base::Json(violation.description)});
  }
  const base::JsonObject payload{
      {"reason", detail.reason}, {"metadata", std::move(metadata)}, {"violations", std::move(violations)}};
  absl::Status status(code, std::string(message));
  status.SetPayload(kPayload, absl::Cord(base::CanonicalJson(payload)));
  return status;
}

absl::Status InvalidField(std::string_view field, std::string_view problem) {
  const std::string message = fmt::format("{} {}", field, problem);
  return Error(absl::StatusCode::kInvalidArgument, message,
               {"REQUEST_INVALID", {}, {{std::string(field), std::string(problem)}}});
}

std::string TimeText(absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone()); }

ErrorDetail DetailOf(const absl::Status& status) {
  ErrorDetail detail;
  detail.reason = absl::StatusCodeToString(status.code());
  const absl::optional<absl::Cord> payload = status.GetPayload(kPayload);
  if (!payload) return detail;
  const absl::StatusOr<base::Json> json = base::ParseJson(std::string(*payload));
  if (!json.ok()) return detail;
  const base::JsonObject& object = json->as_object();
  detail.reason = Text(object.at("reason"));
  for (const auto& [key, value] : object.at("metadata").as_object()) {
    detail.metadata.emplace(std::string(key.data(), key.size()), Text(value));
  }
  for (const base::Json& item : object.at("violations").as_array()) {
    detail.violations.push_back({Text(item.as_array().at(0)), Text(item.as_array().at(1))});
  }
  return detail;
}

}  // namespace tasker::registry
