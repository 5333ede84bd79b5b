#include <fmt/format.h>

#include <pqxx/row>

#include "lib/base/json.h"
#include "lib/store/array_text.h"
#include "lib/store/joined_calls.h"
#include "lib/store/rows.h"
#include "lib/store/store.h"

namespace tasker::store {
namespace {

void AppendField(std::string_view key, std::string_view value, std::string& out) {
  base::AppendJsonString(key, out);
  out += ':';
  base::AppendJsonString(value, out);
  out += ',';
}

void AppendEntry(std::initializer_list<std::string_view> parts, std::string& out) {
  if (out.back() != '[') out += ',';
  for (char separator = '['; const std::string_view part : parts) {
    out += separator;
    base::AppendJsonString(part, out);
    separator = ',';
  }
  out += ']';
}

// The same, of the batch's item `item`, from 1.
void AppendItemEntry(size_t item, std::initializer_list<std::string_view> parts, std::string& out) {
  if (out.back() != '[') out += ',';
  out += fmt::format("[{}", item);
  for (const std::string_view part : parts) {
    out += ',';
    base::AppendJsonString(part, out);
  }
  out += ']';
}

// One element of register_templates' p_items; migrations/0004_register_templates.sql has its shape.
void AppendItem(const NewVersion& version, std::string& out) {
  out += '{';
  AppendField("namespace", version.namespace_name, out);
  AppendField("name", version.name, out);
  AppendField("version", version.version, out);
  if (version.description) AppendField("description", *version.description, out);
  AppendField("digest", version.digest, out);
  AppendField("file_name", version.file_name, out);
  AppendField("source_revision", version.source_revision, out);
  AppendField("source_uri", version.source_uri, out);
  out += fmt::format("\"step_count\":{},\"tags\":[", version.step_count);
  for (const std::string& tag : version.tags) {
    if (out.back() != '[') out += ',';
    base::AppendJsonString(tag, out);
  }
  out += "],\"entries\":[";
  for (const std::string& tag : version.tags) AppendEntry({"tag", tag, "", "", "", ""}, out);
  for (const IndexEntry& entry : version.entries) {
    AppendEntry({SubjectWord(entry.subject), entry.term, entry.role, entry.step, entry.environment, entry.detail}, out);
  }
  out += "]}";
}

std::vector<std::string> Parameters(std::span<const NewVersion> batch, const RegisterOptions& options) {
  std::string items = "[";
  std::string configurations = "{";
  std::string source_texts = "{";
  std::string events = "[";
  std::string channels = "[";
  for (size_t number = 1; const NewVersion& version : batch) {
    if (number > 1) {
      for (std::string* list : {&items, &configurations, &source_texts}) *list += ',';
    }
    AppendItem(version, items);
    AppendArrayElement(version.configuration, configurations);
    if (version.source_text) {
      AppendArrayElement(*version.source_text, source_texts);
    } else {
      source_texts += "NULL";
    }
    for (const DomainEvent& event : version.events) {
      AppendItemEntry(number, {event.name, event.schema_digest, event.description, event.schema_json}, events);
    }
    for (const std::string& channel : version.channels) AppendItemEntry(number, {channel}, channels);
    ++number;
  }
  items += ']';
  configurations += '}';
  source_texts += '}';
  events += ']';
  channels += ']';
  return {std::move(items),
          std::move(configurations),
          std::move(source_texts),
          std::move(events),
          std::move(channels),
          options.actor,
          options.peer,
          options.dry_run ? "true" : "false"};
}

RegisterOutcome OutcomeOf(std::string_view word) {
  if (word == "CREATED") return RegisterOutcome::kCreated;
  if (word == "UNCHANGED") return RegisterOutcome::kUnchanged;
  if (word == "PURGED") return RegisterOutcome::kPurged;
  if (word == "YANKED") return RegisterOutcome::kYanked;
  return RegisterOutcome::kConflict;
}

// [[event, template, version]]
std::vector<EventDifference> ReadDifferences(const pqxx::field& field) {
  std::vector<EventDifference> differences;
  if (field.is_null()) return differences;
  const absl::StatusOr<base::Json> json = base::ParseJson(field.as<std::string>());
  if (!json.ok() || !json->is_array()) return differences;
  const auto text = [](const base::Json& value) { return std::string(value.as_string()); };
  for (const base::Json& item : json->get_array()) {
    const base::JsonArray& parts = item.as_array();
    differences.push_back({text(parts.at(0)), text(parts.at(1)), text(parts.at(2))});
  }
  return differences;
}

RegisteredItem ItemFromRow(const pqxx::row& row) {
  RegisteredItem item;
  item.outcome = OutcomeOf(row[0].as<std::string>());
  item.stored_digest = row[1].as<std::string>();
  item.stored_revision = row[2].as<int64_t>(0);
  if (!row[3].is_null()) item.stored_time = absl::FromUnixMicros(row[3].as<int64_t>());
  item.message = row[4].as<std::string>("");
  item.event_differences = ReadDifferences(row[5]);
  return item;
}

}  // namespace

JoinedFunction RegisterFunction() {
  return {.name = "register",
          .columns =
              "r.outcome, r.stored_digest, r.stored_revision, "
              "(extract(epoch FROM r.stored_at) * 1000000)::bigint, r.message, r.event_differences::text, "
              "r.holding_revision",
          .function = "tasker.register_templates",
          .parameter_types = {"jsonb", "text[]", "text[]", "jsonb", "jsonb", "text", "text", "boolean"}};
}

absl::StatusOr<RegisterResult> Store::Register(std::span<const NewVersion> batch, const RegisterOptions& options,
                                               absl::Time deadline) {
  if (batch.empty()) return RegisterResult{};
  const absl::StatusOr<JoinedCalls::Rows> rows = register_calls_->Call(Parameters(batch, options), deadline);
  if (!rows.ok()) return rows.status();
  RegisterResult result;
  for (const pqxx::row& row : *rows) {
    result.items.push_back(ItemFromRow(row));
    const RegisterOutcome outcome = result.items.back().outcome;
    result.conflict |= outcome != RegisterOutcome::kCreated && outcome != RegisterOutcome::kUnchanged;
    result.revision = row[6].as<int64_t>(0);
  }
  return result;
}

}  // namespace tasker::store
