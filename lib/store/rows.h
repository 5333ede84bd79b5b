#pragma once

#include <pqxx/row>
#include <string>
#include <string_view>
#include <vector>

#include "lib/store/records.h"

namespace tasker::store {

/// What ReadSummary needs, of tasker.named_tasks v, in its order.
inline constexpr std::string_view kSummaryColumns =
    "v.named_task_uuid, v.namespace, v.name, v.version, v.description, v.digest, to_json(v.tags)::text, v.file_name, "
    "v.actor, v.peer, v.step_count, v.source_revision, v.source_uri, v.revision, (extract(epoch FROM v.created_at) * "
    "1000000)::bigint, v.state, v.state_message, v.state_replacement, v.state_actor, (extract(epoch FROM v.state_at) * "
    "1000000)::bigint";
/// What ReadState needs of them.
inline constexpr std::string_view kStateColumns = kSummaryColumns.substr(kSummaryColumns.find("v.state,"));
inline constexpr int kSummaryColumnCount = 20;

/// From a row that begins with kSummaryColumns.
VersionSummary ReadSummary(const pqxx::row& row);

/// "callable", "system", "event", "tag".
std::string_view SubjectWord(Subject subject);

/// "ACTIVE", "DEPRECATED", "YANKED".
std::string_view StateWord(VersionState state);
VersionState StateOf(std::string_view word);

/// "NONE", "WARN", "ENFORCE".
std::string_view PolicyWord(VersionPolicy policy);
VersionPolicy PolicyOf(std::string_view word);

/// From five columns beginning at `first`: state, message, replacement, actor, time in microseconds.
StateInfo ReadState(const pqxx::row& row, int first);

/// A JSON array of strings, as PostgreSQL's to_json writes a text[].
std::vector<std::string> ReadStrings(const pqxx::field& field);

}  // namespace tasker::store
