#include "lib/store/rows.h"

#include "lib/base/json.h"

namespace tasker::store {

std::vector<std::string> ReadStrings(const pqxx::field& field) {
  std::vector<std::string> strings;
  const absl::StatusOr<base::Json> json = base::ParseJson(field.as<std::string>());
  if (!json.ok() || !json->is_array()) return strings;
  for (const base::Json& item : json->as_array()) {
    if (item.is_string()) strings.emplace_back(item.as_string());
  }
  return strings;
}

std::string_view SubjectWord(Subject subject) {
  switch (subject) {
    case Subject::kCallable:
      return "callable";
    case Subject::kSystem:
      return "system";
    case Subject::kEvent:
      return "event";
    case Subject::kTag:
      return "tag";
  }
  return "";
}

std::string_view StateWord(VersionState state) {
  switch (state) {
    case VersionState::kActive:
      return "ACTIVE";
    case VersionState::kDeprecated:
      return "DEPRECATED";
    case VersionState::kYanked:
      return "YANKED";
  }
  return "";
}

VersionState StateOf(std::string_view word) {
  if (word == "YANKED") return VersionState::kYanked;
  return word == "DEPRECATED" ? VersionState::kDeprecated : VersionState::kActive;
}

std::string_view PolicyWord(VersionPolicy policy) {
  switch (policy) {
    case VersionPolicy::kNone:
      return "NONE";
    case VersionPolicy::kWarn:
      return "WARN";
    case VersionPolicy::kEnforce:
      return "ENFORCE";
  }
  return "";
}

VersionPolicy PolicyOf(std::string_view word) {
  if (word == "ENFORCE") return VersionPolicy::kEnforce;
  return word == "WARN" ? VersionPolicy::kWarn : VersionPolicy::kNone;
}

StateInfo ReadState(const pqxx::row& row, int first) {
  StateInfo info{.state = StateOf(row[first].as<std::string>()),
                 .message = row[first + 1].as<std::string>(),
                 .replacement = row[first + 2].as<std::string>(),
                 .actor = row[first + 3].as<std::string>()};
  if (!row[first + 4].is_null()) info.time = absl::FromUnixMicros(row[first + 4].as<int64_t>());
  return info;
}

VersionSummary ReadSummary(const pqxx::row& row) {
  VersionSummary summary;
  summary.named_task_uuid = row[0].as<std::string>();
  summary.namespace_name = row[1].as<std::string>();
  summary.name = row[2].as<std::string>();
  summary.version = row[3].as<std::string>();
  if (!row[4].is_null()) summary.description = row[4].as<std::string>();
  summary.digest = row[5].as<std::string>();
  summary.tags = ReadStrings(row[6]);
  summary.file_name = row[7].as<std::string>();
  summary.actor = row[8].as<std::string>();
  summary.peer = row[9].as<std::string>();
  summary.step_count = row[10].as<int32_t>();
  summary.source_revision = row[11].as<std::string>();
  summary.source_uri = row[12].as<std::string>();
  summary.revision = row[13].as<int64_t>();
  summary.create_time = absl::FromUnixMicros(row[14].as<int64_t>());
  summary.state = ReadState(row, 15);
  return summary;
}

}  // namespace tasker::store
