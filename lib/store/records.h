#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tasker::store {

/// What the store takes and gives: plain records. It never looks inside a template.

/// What an index entry names. The database holds the lower-case word ("callable").
enum class Subject { kCallable, kSystem, kEvent, kTag };

/// One place where a version of a template names a callable, a system, an event or a tag.
struct IndexEntry {
  Subject subject = Subject::kTag;
  std::string term = {};  ///< the callable, system, event or tag itself; not empty
  std::string role = {};  ///< how it is named: "task_handler", "step_handler", "primary", "publishes", …; may be empty
  std::string step = {};         ///< the step that names it; empty: the task
  std::string environment = {};  ///< the environment whose override names it; empty: the base template
  std::string detail = {};       ///< a callable's kind; the digest of an event's schema; else empty

  friend bool operator==(const IndexEntry&, const IndexEntry&) = default;
};

/// A version to register. All text is UTF-8 without NUL.
struct NewVersion {
  std::string namespace_name = {};
  std::string name = {};
  std::string version = {};  ///< MAJOR.MINOR.PATCH
  std::optional<std::string> description = {};
  std::string configuration = {};               ///< canonical JSON
  std::string digest = {};                      ///< "sha256:" + hex of `configuration`
  std::optional<std::string> source_text = {};  ///< the author's text, byte for byte; none: it came as a message
  std::string file_name = {};
  std::string source_revision = {};
  std::string source_uri = {};
  std::vector<std::string> tags = {};  ///< in the author's order; also indexed, without an entry below
  int32_t step_count = 0;
  std::vector<IndexEntry> entries = {};  ///< callables, systems and events
};

/// Everything of a version but its texts.
struct VersionSummary {
  std::string named_task_uuid;
  std::string namespace_name;
  std::string name;
  std::string version;
  std::optional<std::string> description;
  std::string digest;
  std::vector<std::string> tags;
  int32_t step_count = 0;
  std::string file_name;
  std::string actor;
  std::string peer;
  std::string source_revision;
  std::string source_uri;
  int64_t revision = 0;  ///< of the change that registered it
  absl::Time create_time;
};

struct StoredVersion {
  VersionSummary summary;
  std::string
      configuration;  ///< jsonb's text: same values as registered, other spelling; read with HugeIntegers::kAsReals
  std::optional<std::string> source_text = std::nullopt;
};

struct TemplateSummary {
  VersionSummary latest;
  int64_t version_count = 0;
};

struct NamespaceSummary {
  std::string name;
  std::vector<std::string> system_dependencies;  ///< of all its templates, sorted
  int64_t template_count = 0;
  absl::Time create_time;
};

/// What can happen; the migrations write these words.
inline constexpr std::string_view kChangeKinds[] = {"REGISTER",  "SET_CHANNEL", "DELETE_CHANNEL",
                                                    "DEPRECATE", "YANK",        "RESTORE",
                                                    "PURGE",     "IMPORT",      "SET_VERSION_POLICY"};

/// One row of the change log.
struct ChangeRow {
  int64_t revision = 0;  ///< gap-free, in the order of commits; all rows of one batch share it
  int32_t ordinal = 0;   ///< from 0, within the revision
  std::string kind;      ///< "REGISTER"; kChangeKinds has all
  std::string namespace_name;
  std::string name;
  std::string version;
  std::string digest;
  std::string actor;
  std::string peer;
  std::string source_revision;
  std::string source_uri;
  std::string detail;  ///< JSON object, by kind
  absl::Time time;
};

enum class RegisterOutcome {
  kCreated,    ///< new
  kUnchanged,  ///< the version exists with the same digest
  kConflict,   ///< the version exists with another digest (or stands twice in the batch, with different ones)
};

struct RegisteredItem {
  RegisterOutcome outcome = RegisterOutcome::kCreated;
  std::string stored_digest;    ///< what the version's digest is in the registry (kConflict: not the caller's)
  int64_t stored_revision = 0;  ///< the change that registered it; 0: nothing is stored
  absl::Time stored_time;       ///< when that was; only with a `stored_revision`
};

struct RegisterResult {
  std::vector<RegisteredItem> items;  ///< one for each of the batch, in its order
  int64_t revision = 0;               ///< of this batch's change; 0: this call stored nothing
  bool conflict = false;              ///< an item is kConflict; then nothing of the batch was stored

  /// No conflict, and (unless it was a dry run) every item is in the registry.
  bool ok() const { return !conflict; }
};

}  // namespace tasker::store
