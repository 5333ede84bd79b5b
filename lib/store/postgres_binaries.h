#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

namespace tasker::store {

struct PostgresBinaries {
  std::string folder;  ///< holds `postgres` and `initdb`
  int major = 0;       ///< 15
};

/// The PostgreSQL of this machine: in `wanted_folder` when not empty; else where pg_config points, under
/// /usr/lib/postgresql, in PATH: of the major version `wanted_major` when not 0, else the newest.
/// FAILED_PRECONDITION that says what to install when there is none, none of that version, or one older than 13.
absl::StatusOr<PostgresBinaries> FindPostgresBinaries(const std::string& wanted_folder, int wanted_major);

/// 15 of "postgres (PostgreSQL) 15.18 (Debian …)"; 0 when it is not such a line.
int ParsePostgresMajor(std::string_view version_line);

}  // namespace tasker::store
