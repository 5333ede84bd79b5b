#include <fmt/format.h>

#include <algorithm>
#include <pqxx/row>
#include <utility>

#include "lib/base/json.h"
#include "lib/store/connection_pool.h"
#include "lib/store/joined_calls.h"
#include "lib/store/register_parameters.h"
#include "lib/store/rows.h"
#include "lib/store/session.h"
#include "lib/store/store.h"

namespace tasker::store {
namespace {

constexpr const char* kColumns =
    "r.outcome, r.stored_digest, r.stored_revision, (extract(epoch FROM r.stored_at) * 1000000)::bigint, r.message, "
    "r.event_differences::text, r.holding_revision, r.unchecked::text";

// A batch whose texts are larger goes in pieces of this size, so that it is never whole in memory once more.
constexpr size_t kPieceBytes = size_t{4} << 20;

size_t TextBytes(const NewVersion& version) {
  return version.configuration.size() + (version.source_text ? version.source_text->size() : 0);
}

bool IsLarge(std::span<const NewVersion> batch) {
  size_t bytes = 0;
  for (const NewVersion& version : batch) bytes += TextBytes(version);
  return bytes > kPieceBytes;
}

std::vector<std::string> Parameters(std::span<const NewVersion> batch, const RegisterOptions& options) {
  BatchTexts texts = ToBatchTexts(batch);
  return {std::move(texts.items),
          std::move(texts.configurations),
          std::move(texts.source_texts),
          std::move(texts.events),
          std::move(texts.channels),
          options.actor,
          options.peer,
          options.dry_run ? "true" : "false"};
}

RegisterOutcome OutcomeOf(std::string_view word) {
  if (word == "CREATED") return RegisterOutcome::kCreated;
  if (word == "UNCHANGED") return RegisterOutcome::kUnchanged;
  if (word == "PURGED") return RegisterOutcome::kPurged;
  if (word == "YANKED") return RegisterOutcome::kYanked;
  if (word == "UNCHECKED") return RegisterOutcome::kUnchecked;
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

// [policy, version, digest]
PolicyBase ReadPolicyBase(const pqxx::field& field) {
  const std::vector<std::string> parts = ReadStrings(field);
  if (parts.size() != 3) return {};
  return {.is_enforced = parts[0] == "ENFORCE", .version = parts[1], .digest = parts[2]};
}

RegisteredItem ItemFromRow(const pqxx::row& row) {
  RegisteredItem item;
  item.outcome = OutcomeOf(row[0].as<std::string>());
  item.stored_digest = row[1].as<std::string>();
  item.stored_revision = row[2].as<int64_t>(0);
  if (!row[3].is_null()) item.stored_time = absl::FromUnixMicros(row[3].as<int64_t>());
  item.message = row[4].as<std::string>("");
  item.event_differences = ReadDifferences(row[5]);
  if (!row[7].is_null()) item.policy_base = ReadPolicyBase(row[7]);
  return item;
}

// The texts of the versions in [begin, end) of a batch.
void StagePiece(Session& session, std::span<const NewVersion> batch, size_t begin, size_t end) {
  static const Statement kStage = {
      "stage_texts",
      "INSERT INTO tasker.staged_texts (item, configuration, source_text) "
      "SELECT $1::int + t.item, t.configuration, t.source_text "
      "FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS t (configuration, source_text, item)"};
  BatchTexts texts = LargeTexts(batch.subspan(begin, end - begin));
  session.Query(kStage, {std::to_string(begin), std::move(texts.configurations), std::move(texts.source_texts)});
}

JoinedCalls::Rows RegisterPieces(Session& session, std::span<const NewVersion> batch, const RegisterOptions& options) {
  static const Statement kRegister = {
      "register_staged",
      fmt::format("SELECT {} FROM tasker.register_templates($1::jsonb, NULL, NULL, $2::jsonb, $3::jsonb, $4, $5, "
                  "$6::boolean) r",
                  kColumns)};
  for (size_t begin = 0; begin < batch.size();) {
    size_t end = begin;
    for (size_t bytes = 0; end < batch.size() && (end == begin || bytes + TextBytes(batch[end]) <= kPieceBytes);
         ++end) {
      bytes += TextBytes(batch[end]);
    }
    StagePiece(session, batch, begin, end);
    begin = end;
  }
  BatchTexts texts = ItemTexts(batch);
  const pqxx::result rows =
      session.Query(kRegister, {std::move(texts.items), std::move(texts.events), std::move(texts.channels),
                                options.actor, options.peer, options.dry_run ? "true" : "false"});
  session.Execute("DELETE FROM tasker.staged_texts WHERE transaction_id = pg_current_xact_id()");
  return JoinedCalls::Rows(rows.begin(), rows.end());  // braces would make two rows of the iterators
}

absl::StatusOr<JoinedCalls::Rows> InPieces(ConnectionPool& pool, std::span<const NewVersion> batch,
                                           const RegisterOptions& options, absl::Time deadline) {
  JoinedCalls::Rows rows;
  const auto attempt = [&] {
    return pool.RunTransaction("register in pieces", deadline, [&](Session& session) {
      rows = RegisterPieces(session, batch, options);
      return absl::OkStatus();
    });
  };
  absl::Status status = attempt();
  if (absl::IsUnavailable(status)) status = attempt();  // a second time changes nothing more
  if (!status.ok()) return status;
  return rows;
}

}  // namespace

JoinedFunction RegisterFunction() {
  return {.name = "register",
          .columns = kColumns,
          .function = "tasker.register_templates",
          .parameter_types = {"jsonb", "text[]", "text[]", "jsonb", "jsonb", "text", "text", "boolean"},
          .joined_function = "tasker.register_calls"};
}

absl::StatusOr<RegisterResult> Store::Register(std::span<const NewVersion> batch, const RegisterOptions& options,
                                               absl::Time deadline) {
  if (batch.empty()) return RegisterResult{};
  const absl::StatusOr<JoinedCalls::Rows> rows = IsLarge(batch)
                                                     ? InPieces(*pool_, batch, options, deadline)
                                                     : register_calls_->Call(Parameters(batch, options), deadline);
  if (!rows.ok()) return rows.status();
  RegisterResult result;
  for (const pqxx::row& row : *rows) {
    result.items.push_back(ItemFromRow(row));
    const RegisterOutcome outcome = result.items.back().outcome;
    result.unchecked |= outcome == RegisterOutcome::kUnchecked;
    result.conflict |= outcome != RegisterOutcome::kCreated && outcome != RegisterOutcome::kUnchanged &&
                       outcome != RegisterOutcome::kUnchecked;
    result.revision = std::max(result.revision, row[6].as<int64_t>(0));
  }
  return result;
}

}  // namespace tasker::store
