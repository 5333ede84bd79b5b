#include <fmt/format.h>

#include <pqxx/row>

#include "lib/base/json.h"
#include "lib/store/array_text.h"
#include "lib/store/joined_calls.h"
#include "lib/store/store.h"

namespace tasker::store {
namespace {

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

// One element of register_templates' p_items; migrations/0002_register_templates.sql has its shape.
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
  for (const NewVersion& version : batch) {
    if (items.size() > 1) {
      for (std::string* list : {&items, &configurations, &source_texts}) *list += ',';
    }
    AppendItem(version, items);
    AppendArrayElement(version.configuration, configurations);
    if (version.source_text) {
      AppendArrayElement(*version.source_text, source_texts);
    } else {
      source_texts += "NULL";
    }
  }
  items += ']';
  configurations += '}';
  source_texts += '}';
  return {std::move(items), std::move(configurations),         std::move(source_texts), options.actor,
          options.peer,     options.dry_run ? "true" : "false"};
}

RegisteredItem ItemFromRow(const pqxx::row& row) {
  RegisteredItem item;
  const auto outcome = row[0].as<std::string>();
  item.outcome = outcome == "CREATED"     ? RegisterOutcome::kCreated
                 : outcome == "UNCHANGED" ? RegisterOutcome::kUnchanged
                                          : RegisterOutcome::kConflict;
  item.stored_digest = row[1].as<std::string>();
  if (!row[2].is_null()) {
    item.stored_revision = row[2].as<int64_t>();
    item.stored_time = absl::FromUnixMicros(row[3].as<int64_t>());
  }
  return item;
}

}  // namespace

JoinedFunction RegisterFunction() {
  return {.name = "register",
          .columns =
              "r.outcome, r.stored_digest, r.stored_revision, "
              "(extract(epoch FROM r.stored_at) * 1000000)::bigint, r.batch_revision",
          .function = "tasker.register_templates",
          .parameter_types = {"jsonb", "text[]", "text[]", "text", "text", "boolean"}};
}

absl::StatusOr<RegisterResult> Store::Register(std::span<const NewVersion> batch, const RegisterOptions& options,
                                               absl::Time deadline) {
  if (batch.empty()) return RegisterResult{};
  const absl::StatusOr<JoinedCalls::Rows> rows = register_calls_->Call(Parameters(batch, options), deadline);
  if (!rows.ok()) return rows.status();
  RegisterResult result;
  for (const pqxx::row& row : *rows) {
    result.items.push_back(ItemFromRow(row));
    result.conflict |= result.items.back().outcome == RegisterOutcome::kConflict;
    result.revision = row[4].as<int64_t>(0);
  }
  return result;
}

}  // namespace tasker::store
