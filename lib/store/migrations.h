#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tasker::store {

class ConnectionPool;

/// One file of migrations/, embedded in the program.
struct Migration {
  int number = 0;         ///< from 1, without gaps
  std::string_view name;  ///< "0001_registry"
  std::string_view sql;
};

/// The program's own, in order.
std::span<const Migration> EmbeddedMigrations();

enum class MigrationState {
  kApplied,
  kPending,
  kEdited,   ///< applied, but with another text than this program holds
  kUnknown,  ///< applied by a newer program
};

struct MigrationStatus {
  int number = 0;
  std::string name;
  MigrationState state = MigrationState::kPending;
  absl::Time apply_time = absl::UnixEpoch();  ///< not for kPending
};

/// Every migration of the program and of the database, by number. Changes nothing; a database without the schema has
/// all of them pending.
absl::StatusOr<std::vector<MigrationStatus>> LoadMigrations(ConnectionPool& pool, absl::Time deadline,
                                                            std::span<const Migration> known = EmbeddedMigrations());

/// Applies what is pending, each in a transaction of its own, under an advisory lock, so any number of programs may
/// start at once. Gives how many it applied. FAILED_PRECONDITION, having changed nothing, when the database is newer
/// than the program or an applied file was edited; the message names the file. A failing migration is rolled back and
/// named; the ones before it stay.
absl::StatusOr<int> MigrateUp(ConnectionPool& pool, absl::Time deadline,
                              std::span<const Migration> known = EmbeddedMigrations());

/// OK when a server may run on this database: everything applied, nothing edited or unknown; FAILED_PRECONDITION that
/// says which command to run otherwise.
absl::Status CheckMigrations(ConnectionPool& pool, absl::Time deadline,
                             std::span<const Migration> known = EmbeddedMigrations());

}  // namespace tasker::store
