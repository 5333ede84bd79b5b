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

/// An event that a version declares or publishes.
struct DomainEvent {
  std::string name = {};
  std::string description = {};
  std::string schema_digest = {};  ///< of `schema_json`; both empty: no schema
  std::string schema_json = {};    ///< canonical JSON

  friend bool operator==(const DomainEvent&, const DomainEvent&) = default;
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
  std::vector<DomainEvent> events = {};  ///< each name with each of its schemas once
  /// To point at this version, also when it is registered already. For one channel on several versions of one template
  /// in a batch, the highest counts.
  std::vector<std::string> channels = {};
  /// Of the kUnchecked answer that it was held against, PolicyBase::checked_against; empty: none was.
  std::string checked_against = {};
  /// Why its version policy does not keep it out although its version is too low, for the change log; else empty.
  std::string allowance = {};
};

/// Whether a version is meant to be used. The database holds the upper-case word ("ACTIVE").
enum class VersionState {
  kActive,
  kDeprecated,  ///< resolves, with a notice
  kYanked,      ///< only an exact version or a digest finds it
};

/// A version's state and what was said about it; all but `state` is empty while it never changed.
struct StateInfo {
  VersionState state = VersionState::kActive;
  std::string message = {};      ///< why
  std::string replacement = {};  ///< what to use instead; may be empty
  std::string actor = {};        ///< who said so
  absl::Time time = {};          ///< when

  friend bool operator==(const StateInfo&, const StateInfo&) = default;
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
  StateInfo state;
  std::vector<std::string> channels = {};  ///< those that point at it, sorted; only in lists
};

struct StoredVersion {
  VersionSummary summary;
  std::string
      configuration;  ///< jsonb's text: same values as registered, other spelling; read with HugeIntegers::kAsReals
  std::optional<std::string> source_text = std::nullopt;
  std::vector<std::string> channels = {};  ///< those that point at it, sorted
};

struct TemplateSummary {
  VersionSummary latest;
  int64_t version_count = 0;
};

/// How registrations of a namespace are held to honest version numbers. The database holds "NONE", "WARN", "ENFORCE".
enum class VersionPolicy { kNone, kWarn, kEnforce };

struct NamespaceSummary {
  std::string name;
  std::string description;
  std::vector<std::string> system_dependencies;  ///< of all its templates, sorted
  int64_t template_count = 0;
  VersionPolicy version_policy = VersionPolicy::kNone;
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
  kPurged,     ///< the version was purged, and had another digest
  kYanked,     ///< a channel is to point at it, and it is yanked
  kUnchecked,  ///< its namespace has a version policy, and it was not compared with what that asks for
};

/// What a version policy compares a new version with: the highest lower one that is not yanked, in the registry or
/// among the batch's new ones.
struct PolicyBase {
  bool is_enforced = false;  ///< else it only warns
  std::string version = {};
  std::string digest = {};

  /// For NewVersion: what was compared, under which policy.
  std::string checked_against() const { return (is_enforced ? "ENFORCE " : "WARN ") + digest; }
};

/// An event that a version declares or publishes, and a place where it has another schema in the same namespace.
struct EventDifference {
  std::string event;
  std::string template_name;
  std::string version;
};

struct RegisteredItem {
  RegisterOutcome outcome = RegisterOutcome::kCreated;
  std::string stored_digest;    ///< what the version's digest is in the registry (kConflict, kPurged: not the caller's)
  int64_t stored_revision = 0;  ///< the change that registered it; 0: nothing is stored
  absl::Time stored_time;       ///< when that was; kPurged: when it was purged; else only with a `stored_revision`
  std::string message;          ///< kPurged, kYanked: the reason that was given
  /// One for each of its events that has another schema in a version that is stored or in an item before.
  std::vector<EventDifference> event_differences;
  PolicyBase policy_base;  ///< kUnchecked
};

struct RegisterResult {
  std::vector<RegisteredItem> items;  ///< one for each of the batch, in its order
  /// The first that holds the whole batch and its channels: of this call's change or, when it changed nothing, of the
  /// last one that did. 0: a conflict, or a dry run.
  int64_t revision = 0;
  bool conflict = false;   ///< an item is kConflict, kPurged or kYanked; then nothing of the batch was stored
  bool unchecked = false;  ///< an item is kUnchecked; then nothing was stored either, and there is no conflict

  /// Neither; and (unless it was a dry run) every item is in the registry.
  bool ok() const { return !conflict && !unchecked; }
};

/// Who writes.
struct Author {
  std::string actor = {};
  std::string peer = {};  ///< from which address
};

enum class LifecycleOutcome {
  kChanged,
  kUnchanged,     ///< it is so already
  kNoVersion,     ///< there is no such version
  kNoChannel,     ///< there is no such channel
  kChannelMoved,  ///< the channel points elsewhere than expected
  kYanked,        ///< not for a yanked version
  kNotYanked,     ///< for a yanked version only
  kChannels,      ///< not while channels point at the version
};

/// What became of a change of channels, states or policies. Everything but kChanged left all as it was.
struct LifecycleResult {
  LifecycleOutcome outcome = LifecycleOutcome::kChanged;
  std::string version = {};                ///< the version that was found
  std::string digest = {};                 ///< purges: of that version
  std::string old_version = {};            ///< channels: where it pointed; empty: there was none
  VersionPolicy old_policy = {};           ///< policies: what it was
  std::vector<std::string> channels = {};  ///< states and purges: those that point at the version, sorted
  std::string message = {};                ///< kYanked: why the version is
  int64_t revision = 0;                    ///< kChanged, kUnchanged: the first that holds it
};

}  // namespace tasker::store
