#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/store/catalog_records.h"
#include "lib/store/records.h"
#include "lib/template/reference.h"

namespace tasker::store {

class ConnectionPool;
class JoinedCalls;

struct RegisterOptions {
  std::string actor = {};  ///< who
  std::string peer = {};   ///< from which address
  bool dry_run = false;    ///< compare with what is stored, store nothing, take no revision
};

/// One page of a list, ordered by the list's key.
template <typename Row>
struct Page {
  std::vector<Row> rows;
  std::string next_token;  ///< empty: that was the last page
};

struct PageOptions {
  static constexpr int kDefaultSize = 50;
  static constexpr int kMaxSize = 1000;

  int size = kDefaultSize;  ///< 0 or less: the default; more than kMaxSize: kMaxSize
  std::string token = {};   ///< `next_token` of the page before, from the same list with the same filter
};

/// What a purge left behind.
struct Tombstone {
  std::string version;
  std::string message;  ///< why; may be empty
  absl::Time time;      ///< when
};

/// What exists near a reference that was not found: at most `kLimit` names each, the alphabetical neighbours.
struct Neighbours {
  static constexpr int kLimit = 200;

  bool namespace_exists = false;
  bool template_exists = false;
  std::vector<std::string> namespaces;      ///< near the wanted namespace
  std::vector<std::string> templates;       ///< of the wanted namespace, near the wanted name
  std::vector<std::string> versions;        ///< of the wanted template, highest first, without yanked ones
  std::vector<std::string> channels = {};   ///< of the wanted template
  bool has_yanked_versions = false;         ///< the wanted template
  std::optional<Tombstone> tombstone = {};  ///< of the wanted version or digest
};

/// Changes that fulfil every field that is set.
struct ChangeFilter {
  int64_t after = 0;          ///< only later revisions
  int64_t up_to = INT64_MAX;  ///< only revisions up to this one
  std::string namespace_name = {};
  std::string name = {};             ///< REQUIRES: a namespace_name
  std::set<std::string> kinds = {};  ///< empty: all
  bool newest_first = false;
};

/// Changes are kept while they are among the last `revisions` or younger than `age`.
struct ChangeRetention {
  int64_t revisions = 0;
  absl::Duration age = absl::ZeroDuration();
};

/// Where the change log begins and ends.
struct ChangeLogRange {
  int64_t trimmed = 0;  ///< changes up to this revision are gone; none can be read on from an earlier one
  int64_t newest = 0;
};

/// A page of changes.
struct ChangeList {
  Page<ChangeRow> page;
  int64_t trimmed = 0;  ///< as in ChangeLogRange
};

/// What is read of a version.
enum class VersionParts {
  kAll,
  kResolving,  ///< the configuration, and of the summary: namespace, name, version, digest and state
};

struct StoreHealth {
  int64_t revision = 0;        ///< of the last change
  int server_version_num = 0;  ///< PostgreSQL's: 150018
};

/// The registry's tables in PostgreSQL. Every call is one round trip and blocks: keep it off the threads of gRPC.
/// Safe to call from any thread; at most as many calls run at once as the pool has connections, others wait.
///
/// Every call takes the caller's deadline (absl::InfiniteFuture() means ConnectionPool's limit) and may fail with
///   UNAVAILABLE         PostgreSQL is away;
///   RESOURCE_EXHAUSTED  no connection became free, or PostgreSQL is out of room;
///   DEADLINE_EXCEEDED   the statement ran into the deadline;
///   INTERNAL            anything else, whose cause is in the log.
/// No message contains the driver's text. Below, only what comes on top is said.
class Store {
 public:
  /// `pool` must be open on a database whose migrations are current (MigrateUp, CheckMigrations).
  explicit Store(std::shared_ptr<ConnectionPool> pool);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// Registers all of `batch` or nothing, in one statement, which concurrent calls share (joined_calls.h); a batch with
  /// more than 4 MiB of texts in pieces of that size, in one transaction. OK with a conflict in it is an answer, not a
  /// failure. Sent again when the connection broke underneath: that is safe, because a version's content never changes;
  /// a batch that was committed but not acknowledged then comes back kUnchanged.
  /// INVALID_ARGUMENT: a text with NUL or invalid UTF-8, a version or a name that does not fit (DESIGN §5), a
  /// configuration that is not JSON. Channel names are the caller's to check (CheckChannelName in lib/registry).
  absl::StatusOr<RegisterResult> Register(std::span<const NewVersion> batch, const RegisterOptions& options,
                                          absl::Time deadline);

  /// nullopt: no such version. `…Latest` is the highest version, `…Highest` the highest in `range`, both without yanked
  /// ones; the others find those too, LoadByChannel where the channel points at one.
  absl::StatusOr<std::optional<StoredVersion>> LoadVersion(std::string_view namespace_name, std::string_view name,
                                                           tmpl::Version version, absl::Time deadline,
                                                           VersionParts parts = VersionParts::kAll);
  absl::StatusOr<std::optional<StoredVersion>> LoadLatest(std::string_view namespace_name, std::string_view name,
                                                          absl::Time deadline, VersionParts parts = VersionParts::kAll);
  absl::StatusOr<std::optional<StoredVersion>> LoadHighest(std::string_view namespace_name, std::string_view name,
                                                           const tmpl::VersionRange& range, absl::Time deadline,
                                                           VersionParts parts = VersionParts::kAll);
  absl::StatusOr<std::optional<StoredVersion>> LoadByDigest(std::string_view namespace_name, std::string_view name,
                                                            std::string_view digest, absl::Time deadline,
                                                            VersionParts parts = VersionParts::kAll);
  absl::StatusOr<std::optional<StoredVersion>> LoadByChannel(std::string_view namespace_name, std::string_view name,
                                                             std::string_view channel, absl::Time deadline,
                                                             VersionParts parts = VersionParts::kAll);
  /// Of several versions at once, by exact references, VersionParts::kResolving; in their order.
  absl::StatusOr<std::vector<std::optional<StoredVersion>>> LoadVersions(std::span<const tmpl::Reference> references,
                                                                         absl::Time deadline);
  /// Of a version; nullopt: no such version.
  absl::StatusOr<std::optional<StateInfo>> LoadState(std::string_view namespace_name, std::string_view name,
                                                     tmpl::Version version, absl::Time deadline);

  /// Points `channel` at `version` (kNoVersion, kYanked), new or not. With `expected`, only when it points there now;
  /// empty: only when there is no such channel (kChannelMoved, with old_version). Nothing is ever done twice: where the
  /// database was lost in between, UNAVAILABLE says that it is unknown whether it was done.
  absl::StatusOr<LifecycleResult> SetChannel(std::string_view namespace_name, std::string_view name,
                                             std::string_view channel, tmpl::Version version,
                                             const std::optional<std::string>& expected, const Author& author,
                                             absl::Time deadline);
  /// kNoChannel, kChannelMoved. `expected` and UNAVAILABLE as above.
  absl::StatusOr<LifecycleResult> DeleteChannel(std::string_view namespace_name, std::string_view name,
                                                std::string_view channel, const std::optional<std::string>& expected,
                                                const Author& author, absl::Time deadline);
  /// Deprecates, yanks or, with kActive, restores a version (kNoVersion; kYanked: it cannot be deprecated).
  /// `reference` is exact or a digest; message and replacement are empty for kActive.
  absl::StatusOr<LifecycleResult> SetState(const tmpl::Reference& reference, VersionState state,
                                           std::string_view message, std::string_view replacement, const Author& author,
                                           absl::Time deadline);
  /// Deletes a yanked version (kNoVersion, kNotYanked, kChannels) but for a tombstone: its number can return with the
  /// same content only. Everything that only it named goes from the namespace too. `reference`, UNAVAILABLE as above.
  absl::StatusOr<LifecycleResult> Purge(const tmpl::Reference& reference, std::string_view message,
                                        const Author& author, absl::Time deadline);
  /// Makes the namespace where there is none. Never refused.
  absl::StatusOr<LifecycleResult> SetVersionPolicy(std::string_view namespace_name, VersionPolicy policy,
                                                   const Author& author, absl::Time deadline);

  /// Lists. INVALID_ARGUMENT for a token that this list with this filter did not give. A page ends early, with a token,
  /// where its rows would hold more than 4 MiB of what templates say.
  ///
  /// By name, those that begin with `name_prefix`.
  absl::StatusOr<Page<NamespaceSummary>> ListNamespaces(std::string_view name_prefix, const PageOptions& page,
                                                        absl::Time deadline);
  /// By namespace and name, each with its latest version.
  absl::StatusOr<Page<TemplateSummary>> ListTemplates(const TemplateFilter& filter, const PageOptions& page,
                                                      absl::Time deadline);
  /// Highest version first, those with one of `states` (none: active and deprecated); empty for an unknown template.
  absl::StatusOr<Page<VersionSummary>> ListVersions(std::string_view namespace_name, std::string_view name,
                                                    const std::vector<VersionState>& states, const PageOptions& page,
                                                    absl::Time deadline);
  /// By namespace, template and channel.
  absl::StatusOr<Page<Channel>> ListChannels(const ChannelFilter& filter, const PageOptions& page, absl::Time deadline);
  /// The latest first; empty for a channel that never was.
  absl::StatusOr<Page<ChannelMove>> ListChannelMoves(std::string_view namespace_name, std::string_view name,
                                                     std::string_view channel, const PageOptions& page,
                                                     absl::Time deadline);
  /// By namespace, name and digest of the schema: those of one namespace, or of all (an empty one), whose names begin
  /// with `name_prefix`.
  absl::StatusOr<Page<NamespaceEvent>> ListDomainEvents(std::string_view namespace_name, std::string_view name_prefix,
                                                        const PageOptions& page, absl::Time deadline);
  /// By term (its first 200 characters), namespace, name, version, environment, step and role.
  absl::StatusOr<Page<Usage>> FindUsages(const UsageFilter& filter, const PageOptions& page, absl::Time deadline);
  /// The configurations of versions, in the order of `named_task_uuids`; an empty text for one that is gone. Ask for
  /// few: each may have some MiB.
  absl::StatusOr<std::vector<std::string>> LoadConfigurations(std::span<const std::string> named_task_uuids,
                                                              absl::Time deadline);

  /// For the hints of a NOT_FOUND.
  absl::StatusOr<Neighbours> LoadNeighbours(const tmpl::Reference& reference, absl::Time deadline);

  /// The rows of the change log with a revision above `after`, in order, whole revisions only: at most about `limit`
  /// rows, more when one revision alone has more. OUT_OF_RANGE when some of them are trimmed.
  absl::StatusOr<std::vector<ChangeRow>> LoadChanges(int64_t after, int limit, absl::Time deadline);
  absl::StatusOr<ChangeLogRange> LoadChangeLogRange(absl::Time deadline);
  /// A revision after which there are at most `changes` changes: the lowest of those, or 0.
  absl::StatusOr<int64_t> LoadRevisionBeforeLast(int changes, absl::Time deadline);
  /// By revision and ordinal, either way. INVALID_ARGUMENT for a token that this list did not give.
  absl::StatusOr<ChangeList> ListChanges(const ChangeFilter& filter, const PageOptions& page, absl::Time deadline);
  /// Removes the oldest changes that `retention` does not keep, some thousand at most, and gives their number: call it
  /// again until that is 0. Any number of servers may do so at once; one works, the others get 0.
  absl::StatusOr<int64_t> TrimChanges(const ChangeRetention& retention, absl::Time deadline);

  /// OK when a connection works and the schema is there.
  absl::StatusOr<StoreHealth> CheckHealth(absl::Time deadline);

 private:
  std::shared_ptr<ConnectionPool> pool_;
  std::unique_ptr<JoinedCalls> register_calls_;
};

}  // namespace tasker::store
