#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "lib/store/records.h"
#include "lib/store/store.h"

/// What an archive holds: all of a registry that does not follow from the rest.
namespace tasker::store {

class ConnectionPool;

struct ArchivedNamespace {
  std::string name = {};
  std::string description = {};
  std::string version_policy = {};  ///< "NONE", "WARN", "ENFORCE"
  absl::Time create_time = {};
};

/// Its `configuration` is set only without a `source_text`.
using ArchivedVersion = StoredVersion;

struct ArchivedTombstone {
  std::string namespace_name = {};
  std::string name = {};
  std::string version = {};
  std::string digest = {};
  std::string message = {};
  std::string actor = {};
  absl::Time purge_time = {};
};

struct ArchivedChannel {
  std::string namespace_name = {};
  std::string name = {};
  std::string channel = {};
  std::string version = {};
  std::string actor = {};
  absl::Time update_time = {};
};

using ArchiveRow = std::variant<ArchivedNamespace, ArchivedVersion, ArchivedTombstone, ArchivedChannel>;

/// Takes the next row; an error ends the export.
using ArchiveSink = std::function<absl::Status(ArchiveRow)>;

struct ArchiveFilter {
  std::string namespace_name = {};  ///< empty: all
  std::string name_prefix = {};     ///< of templates; empty: all
};

/// A version with what it brings along instead of getting it from the registration.
struct ImportedVersion {
  NewVersion version = {};
  absl::Time create_time = {};
  std::string actor = {};
  std::string peer = {};
  StateInfo state = {};
};

/// A piece of an import, small enough for memory.
struct ImportChunk {
  std::vector<ArchivedNamespace> namespaces = {};
  std::vector<ImportedVersion> versions = {};
  std::vector<ArchivedTombstone> tombstones = {};
  std::vector<ArchivedChannel> channels = {};
};

/// Fills in the next chunk; false: there is none. An error ends the import.
using ImportSource = std::function<absl::StatusOr<bool>(ImportChunk&)>;

/// A version of the archive that cannot be stored beside what is there.
struct ImportConflict {
  std::string reference = {};  ///< exact
  std::string digest = {};     ///< the archive's
  std::string stored_digest = {};
  bool purged = false;  ///< it was purged with `stored_digest`; else it is stored with it
};

struct ImportResult {
  int64_t created_versions = 0;
  int64_t unchanged_versions = 0;
  int64_t set_states = 0;
  int64_t set_channels = 0;
  int64_t created_tombstones = 0;
  int64_t revision = 0;                        ///< the first that holds all of it; 0: nothing changed
  std::vector<ImportConflict> conflicts = {};  ///< not empty: nothing was stored
  std::vector<ArchivedChannel> homeless = {};  ///< channels at versions that there are not: nothing was stored
};

/// Gives all that `filter` selects to `sink`, one row after the other: namespaces by name, versions and tombstones by
/// namespace, name and version, channels by namespace, name and channel. One moment, however long it takes: inside one
/// transaction, which waits while `sink` does. Holds about 4 MiB of texts. Blocks. An error of `sink` comes back;
/// otherwise as Store's calls fail.
absl::Status ExportArchive(ConnectionPool& pool, const ArchiveFilter& filter, absl::Time deadline,
                           const ArchiveSink& sink);

/// Stores all that `source` gives, or nothing; migrations/0007_archive.sql says how it meets what is there. Writers
/// wait only after `source` has given its last chunk. With `dry_run` all is tried and rolled back. OK with conflicts or
/// homeless channels is an answer; nothing was stored then. REQUIRES: chunks in the order of an export. Blocks. An
/// error of `source` comes back; otherwise as Store::Register fails.
absl::StatusOr<ImportResult> ImportArchive(ConnectionPool& pool, const RegisterOptions& options, absl::Time deadline,
                                           const ImportSource& source);

}  // namespace tasker::store
