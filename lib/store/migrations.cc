#include "lib/store/migrations.h"

#include <fmt/format.h>

#include <map>
#include <pqxx/result>
#include <pqxx/row>

#include "lib/base/digest.h"
#include "lib/store/connection_pool.h"
#include "lib/store/session.h"

namespace tasker::store {
namespace {

struct Applied {
  std::string name;
  std::string checksum;
  absl::Time time;
};
using AppliedByNumber = std::map<int, Applied>;

// "tasker" in ASCII: no other program takes this lock by chance.
constexpr std::string_view kLock = "SELECT pg_advisory_xact_lock(x'7461736b6572'::bigint)";

// The schema may have been made by an administrator for a role that may not make one.
constexpr std::string_view kBootstrap = R"(
DO $$ BEGIN
    IF to_regnamespace('tasker') IS NULL THEN CREATE SCHEMA tasker; END IF;
END $$;
CREATE TABLE IF NOT EXISTS tasker.schema_migrations (
    number     int PRIMARY KEY,
    name       text NOT NULL,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
))";

AppliedByNumber LoadApplied(Session& session) {
  AppliedByNumber applied;
  static const Statement kExists = {"migrations_exist", "SELECT to_regclass('tasker.schema_migrations') IS NOT NULL"};
  if (!session.Query(kExists, {})[0][0].as<bool>()) return applied;
  static const Statement kLoad = {"migrations",
                                  "SELECT number, name, checksum, (extract(epoch FROM applied_at) * 1000000)::bigint "
                                  "FROM tasker.schema_migrations"};
  for (const pqxx::row& row : session.Query(kLoad, {})) {
    applied[row[0].as<int>()] = {.name = row[1].as<std::string>(),
                                 .checksum = row[2].as<std::string>(),
                                 .time = absl::FromUnixMicros(row[3].as<int64_t>())};
  }
  return applied;
}

std::vector<MigrationStatus> Compare(const AppliedByNumber& applied, std::span<const Migration> known) {
  std::map<int, MigrationStatus> result;
  for (const auto& [number, row] : applied) {
    result[number] = {.number = number, .name = row.name, .state = MigrationState::kUnknown, .apply_time = row.time};
  }
  for (const Migration& migration : known) {
    MigrationStatus& status = result[migration.number];
    const auto found = applied.find(migration.number);
    if (found == applied.end()) {
      status = {.number = migration.number, .name = std::string(migration.name), .state = MigrationState::kPending};
    } else {
      status.state = found->second.checksum == base::Sha256Digest(migration.sql) ? MigrationState::kApplied
                                                                                 : MigrationState::kEdited;
    }
  }
  std::vector<MigrationStatus> list;
  for (auto& [number, status] : result) list.push_back(std::move(status));
  return list;
}

absl::Status RefuseForeign(const std::vector<MigrationStatus>& statuses) {
  for (const MigrationStatus& status : statuses) {
    if (status.state == MigrationState::kUnknown) {
      return absl::FailedPreconditionError(fmt::format(
          "the database is newer than this program: it holds migration {}, which this program does not know; use the "
          "newer program",
          status.name));
    }
    if (status.state == MigrationState::kEdited) {
      return absl::FailedPreconditionError(
          fmt::format("migration {} was applied with another text than this program holds; migrations are never "
                      "edited: restore the "
                      "file and add a new one",
                      status.name));
    }
  }
  return absl::OkStatus();
}

const Migration* FirstPending(const std::vector<MigrationStatus>& statuses, std::span<const Migration> known) {
  for (const MigrationStatus& status : statuses) {
    if (status.state != MigrationState::kPending) continue;
    for (const Migration& migration : known) {
      if (migration.number == status.number) return &migration;
    }
  }
  return nullptr;
}

}  // namespace

absl::StatusOr<std::vector<MigrationStatus>> LoadMigrations(ConnectionPool& pool, absl::Time deadline,
                                                            std::span<const Migration> known) {
  std::vector<MigrationStatus> statuses;
  const absl::Status status = pool.Run("load migrations", CallKind::kRead, deadline,
                                       [&](Session& session) { statuses = Compare(LoadApplied(session), known); });
  if (!status.ok()) return status;
  return statuses;
}

absl::StatusOr<int> MigrateUp(ConnectionPool& pool, absl::Time deadline, std::span<const Migration> known) {
  for (int count = 0;; ++count) {
    const Migration* next = nullptr;
    const absl::Status status = pool.RunTransaction("migrate", deadline, [&](Session& session) {
      session.Execute(std::string(kLock));
      std::vector<MigrationStatus> statuses = Compare(LoadApplied(session), known);
      if (absl::Status refused = RefuseForeign(statuses); !refused.ok()) return refused;
      next = FirstPending(statuses, known);
      if (next == nullptr) return absl::OkStatus();
      session.Execute(std::string(kBootstrap));
      session.Execute(std::string(next->sql));
      static const Statement kRecord = {
          "migration_record", "INSERT INTO tasker.schema_migrations (number, name, checksum) VALUES ($1::int, $2, $3)"};
      session.Query(kRecord, {std::to_string(next->number), std::string(next->name), base::Sha256Digest(next->sql)});
      return absl::OkStatus();
    });
    if (!status.ok() && next != nullptr) {
      return absl::Status(status.code(), fmt::format("migration {} failed and was rolled back: {}", next->name,
                                                     std::string(status.message())));
    }
    if (!status.ok()) return status;
    if (next == nullptr) return count;
  }
}

absl::Status CheckMigrations(ConnectionPool& pool, absl::Time deadline, std::span<const Migration> known) {
  const absl::StatusOr<std::vector<MigrationStatus>> statuses = LoadMigrations(pool, deadline, known);
  if (!statuses.ok()) return statuses.status();
  if (absl::Status refused = RefuseForeign(*statuses); !refused.ok()) return refused;
  if (const Migration* pending = FirstPending(*statuses, known); pending != nullptr) {
    return absl::FailedPreconditionError(
        fmt::format("the database lacks migration {}; run `tasker-registryd migrate up`", pending->name));
  }
  return absl::OkStatus();
}

}  // namespace tasker::store
