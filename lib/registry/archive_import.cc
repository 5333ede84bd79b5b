#include <fmt/format.h>

#include <algorithm>
#include <compare>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "lib/base/utf8.h"
#include "lib/registry/archive.h"
#include "lib/registry/channel_name.h"
#include "lib/registry/checked_source.h"
#include "lib/registry/error.h"
#include "lib/registry/new_version.h"
#include "lib/store/archive.h"
#include "lib/template/reference.h"

namespace tasker::registry {
namespace {

constexpr size_t kChunkItems = 500;
constexpr size_t kChunkBytes = size_t{8} << 20;
constexpr size_t kMaxText = size_t{16} << 10;  // of a message, an author, …

// What orders items; each item's must be above the one before.
struct Rank {
  int kind = 0;
  std::string namespace_name = {};
  std::string name = {};
  tmpl::Version version = {};
  std::string channel = {};

  friend auto operator<=>(const Rank&, const Rank&) = default;
};

std::string WhatOf(const pb::ArchiveItem& item) {
  switch (item.item_case()) {
    case pb::ArchiveItem::kArchivedNamespace:
      return item.archived_namespace().name();
    case pb::ArchiveItem::kArchivedVersion:
      return item.archived_version().reference();
    case pb::ArchiveItem::kArchivedTombstone:
      return item.archived_tombstone().reference();
    case pb::ArchiveItem::kArchivedChannel:
      return item.archived_channel().reference() + ":" + item.archived_channel().channel();
    case pb::ArchiveItem::ITEM_NOT_SET:
      break;
  }
  return "";
}

// One item of an archive and what is wrong with it.
class ItemCheck {
 public:
  ItemCheck(int64_t number, std::string what) : number_(number), what_(std::move(what)) {}

  absl::Status Refuse(std::string_view problem) const {
    const std::string what = base::Shortened(what_, 300);
    return Error(absl::StatusCode::kInvalidArgument,
                 fmt::format("item {}{}: {}", number_, what.empty() ? "" : fmt::format(" ({})", what), problem),
                 {"ARCHIVE_INVALID", {{"item", fmt::to_string(number_)}, {"reference", what}}, {}});
  }

  absl::Status CheckText(std::string_view field, std::string_view text) const {
    if (text.size() > kMaxText) return Refuse(fmt::format("{} is longer than {} bytes", field, kMaxText));
    if (text.find('\0') != std::string_view::npos) return Refuse(fmt::format("{} holds the character NUL", field));
    return absl::OkStatus();
  }

  absl::Status CheckDigest(std::string_view digest) const {
    constexpr std::string_view kPrefix = "sha256:";
    const bool is_digest = digest.starts_with(kPrefix) && digest.size() == kPrefix.size() + 64 &&
                           digest.find_first_not_of("0123456789abcdef", kPrefix.size()) == std::string_view::npos;
    return is_digest ? absl::OkStatus() : Refuse("digest is no sha256: and 64 hexadecimal digits");
  }

  // PostgreSQL keeps microseconds.
  absl::Status ReadTime(std::string_view field, bool has, const google::protobuf::Timestamp& time,
                        absl::Time& out) const {
    constexpr int64_t kFirst = -62135596800;  // 0001-01-01
    constexpr int64_t kLast = 253402300799;   // 9999-12-31
    if (!has) return Refuse(fmt::format("{} is missing", field));
    if (time.seconds() < kFirst || time.seconds() > kLast || time.nanos() < 0 || time.nanos() > 999'999'999) {
      return Refuse(fmt::format("{} is no time", field));
    }
    out = absl::FromUnixSeconds(time.seconds()) + absl::Microseconds(time.nanos() / 1000);
    return absl::OkStatus();
  }

  // NAMESPACE/NAME:MAJOR.MINOR.PATCH, or with `is_template` NAMESPACE/NAME.
  absl::Status ReadReference(const std::string& text, bool is_template, tmpl::Reference& out) const {
    const absl::StatusOr<tmpl::Reference> parsed = tmpl::ParseReference(text);
    if (!parsed.ok()) return Refuse(std::string(parsed.status().message()));
    if (is_template ? !parsed->selector.empty() : parsed->kind != tmpl::SelectorKind::kExact) {
      return Refuse(fmt::format("reference must be NAMESPACE/NAME{}", is_template ? "" : ":MAJOR.MINOR.PATCH"));
    }
    out = *parsed;
    return absl::OkStatus();
  }

 private:
  int64_t number_;
  std::string what_;
};

// Makes chunks for the store of the messages that come.
class ChunkReader {
 public:
  ChunkReader(const Archive::Read& read, const tmpl::ReadLimits& limits) : read_(read), limits_(limits) {}

  /// Reads the first message, which says whether this is a dry run.
  absl::StatusOr<bool> ReadDryRun() {
    const absl::StatusOr<bool> more = ReadNext();
    if (!more.ok()) return more.status();
    return more.value() && next_->dry_run();
  }

  absl::StatusOr<bool> Fill(store::ImportChunk& chunk) {
    versions_.clear();
    size_t items = 0;
    for (size_t bytes = 0; next_ && items < kChunkItems && bytes < kChunkBytes; ++items) {
      bytes += next_->ByteSizeLong();
      if (absl::Status status = Take(*next_->mutable_item(), chunk); !status.ok()) return status;
      if (absl::StatusOr<bool> more = ReadNext(); !more.ok()) return more.status();
    }
    if (absl::Status status = CheckVersions(chunk); !status.ok()) return status;
    return items > 0;
  }

 private:
  // A version whose text is yet to be read.
  struct Version {
    ItemCheck check;
    bool has_source = false;  // else the text is canonical JSON
    pb::TemplateSource source = {};
    std::string reference = {};
    std::string digest = {};
    std::string source_revision = {};
    std::string source_uri = {};
    store::ImportedVersion imported = {};
  };

  absl::StatusOr<bool> ReadNext() {
    next_.emplace();
    const absl::StatusOr<bool> more = read_(*next_);
    if (!more.ok() || !*more) next_.reset();
    return more;
  }

  absl::Status Take(pb::ArchiveItem& item, store::ImportChunk& chunk) {
    const ItemCheck check(++count_, WhatOf(item));
    Rank rank{.kind = item.item_case()};
    absl::Status status = check.Refuse("it is of no kind that this server knows");
    if (item.has_archived_namespace()) status = Take(check, item.archived_namespace(), rank, chunk);
    if (item.has_archived_version()) status = Take(check, *item.mutable_archived_version(), rank);
    if (item.has_archived_tombstone()) status = Take(check, item.archived_tombstone(), rank, chunk);
    if (item.has_archived_channel()) status = Take(check, item.archived_channel(), rank, chunk);
    if (!status.ok()) return status;
    const auto order = last_ <=> rank;
    if (order == 0) return check.Refuse("it stands in the archive twice");
    if (order > 0) {
      return check.Refuse(
          "it is out of order: namespaces come first, then versions, then tombstones, then channels, each by name and "
          "version");
    }
    last_ = std::move(rank);
    return absl::OkStatus();
  }

  static absl::Status Take(const ItemCheck& check, const pb::ArchivedNamespace& from, Rank& rank,
                           store::ImportChunk& chunk) {
    store::ArchivedNamespace to{.name = from.name(), .description = from.description(), .version_policy = "NONE"};
    if (!tmpl::IsName(from.name())) return check.Refuse("name is no name");
    if (!pb::VersionPolicy_IsValid(from.version_policy())) return check.Refuse("version_policy is unknown");
    if (from.version_policy() == pb::VERSION_POLICY_WARN) to.version_policy = "WARN";
    if (from.version_policy() == pb::VERSION_POLICY_ENFORCE) to.version_policy = "ENFORCE";
    absl::Status status = check.CheckText("description", from.description());
    status.Update(check.ReadTime("create_time", from.has_create_time(), from.create_time(), to.create_time));
    rank.namespace_name = from.name();
    chunk.namespaces.push_back(std::move(to));
    return status;
  }

  absl::Status Take(const ItemCheck& check, pb::ArchivedVersion& from, Rank& rank) {
    Version& to = versions_.emplace_back(Version{.check = check, .has_source = from.has_source()});
    absl::Status status = PutRank(check, from.reference(), rank);
    status.Update(check.CheckDigest(from.digest()));
    if (from.has_source() == from.has_template_json()) {
      status.Update(check.Refuse("it must have either source or template_json"));
    }
    status.Update(check.CheckText("file_name", from.file_name()));
    status.Update(check.CheckText("actor", from.actor()));
    status.Update(check.CheckText("peer", from.peer()));
    status.Update(check.CheckText("source_revision", from.source_revision()));
    status.Update(check.CheckText("source_uri", from.source_uri()));
    status.Update(check.ReadTime("create_time", from.has_create_time(), from.create_time(), to.imported.create_time));
    if (from.has_state_notice()) status.Update(ReadState(check, from.state_notice(), to.imported.state));
    to.source.set_allocated_yaml(from.has_source() ? from.release_source() : from.release_template_json());
    to.source.set_file_name(from.file_name());
    to.source.set_keep_unknown_keys(true);  // whether they may be kept was decided when it was registered
    to.reference = from.reference();
    to.digest = from.digest();
    to.imported.actor = from.actor();
    to.imported.peer = from.peer();
    to.source_revision = from.source_revision();
    to.source_uri = from.source_uri();
    return status;
  }

  static absl::Status Take(const ItemCheck& check, const pb::ArchivedTombstone& from, Rank& rank,
                           store::ImportChunk& chunk) {
    store::ArchivedTombstone to{.digest = from.digest(), .message = from.message(), .actor = from.actor()};
    absl::Status status = PutRank(check, from.reference(), rank);
    status.Update(check.CheckDigest(from.digest()));
    status.Update(check.CheckText("message", from.message()));
    status.Update(check.CheckText("actor", from.actor()));
    status.Update(check.ReadTime("purge_time", from.has_purge_time(), from.purge_time(), to.purge_time));
    to.namespace_name = rank.namespace_name;
    to.name = rank.name;
    to.version = rank.version.ToString();
    chunk.tombstones.push_back(std::move(to));
    return status;
  }

  static absl::Status Take(const ItemCheck& check, const pb::ArchivedChannel& from, Rank& rank,
                           store::ImportChunk& chunk) {
    store::ArchivedChannel to{.channel = from.channel(), .version = from.version(), .actor = from.actor()};
    tmpl::Reference reference;
    absl::Status status = check.ReadReference(from.reference(), /*is_template=*/true, reference);
    if (absl::Status named = CheckChannelName("channel", from.channel()); !named.ok()) {
      status.Update(check.Refuse(std::string(named.message())));
    }
    if (!tmpl::ParseVersion(from.version())) status.Update(check.Refuse("version is no MAJOR.MINOR.PATCH"));
    status.Update(check.CheckText("actor", from.actor()));
    status.Update(check.ReadTime("update_time", from.has_update_time(), from.update_time(), to.update_time));
    rank.namespace_name = to.namespace_name = reference.namespace_name;
    rank.name = to.name = reference.name;
    rank.channel = from.channel();
    chunk.channels.push_back(std::move(to));
    return status;
  }

  static absl::Status PutRank(const ItemCheck& check, const std::string& text, Rank& rank) {
    tmpl::Reference reference;
    const absl::Status status = check.ReadReference(text, /*is_template=*/false, reference);
    rank.namespace_name = std::move(reference.namespace_name);
    rank.name = std::move(reference.name);
    rank.version = reference.version;
    return status;
  }

  static absl::Status ReadState(const ItemCheck& check, const pb::StateNotice& from, store::StateInfo& to) {
    if (from.state() != pb::TEMPLATE_STATE_DEPRECATED && from.state() != pb::TEMPLATE_STATE_YANKED) {
      return check.Refuse("state_notice.state is neither deprecated nor yanked");
    }
    to.state =
        from.state() == pb::TEMPLATE_STATE_YANKED ? store::VersionState::kYanked : store::VersionState::kDeprecated;
    to.message = from.message();
    to.replacement = from.replacement();
    to.actor = from.actor();
    absl::Status status = check.CheckText("state_notice.message", from.message());
    status.Update(check.CheckText("state_notice.replacement", from.replacement()));
    status.Update(check.CheckText("state_notice.actor", from.actor()));
    status.Update(check.ReadTime("state_notice.change_time", from.has_change_time(), from.change_time(), to.time));
    return status;
  }

  // Reads the texts of the chunk's versions as registering would.
  absl::Status CheckVersions(store::ImportChunk& chunk) {
    Sources sources;
    for (const Version& version : versions_) sources.push_back(&version.source);
    std::vector<CheckedSource> checked = CheckSources(sources, limits_);
    for (size_t i = 0; i < versions_.size(); ++i) {
      Version& version = versions_[i];
      if (absl::Status status = CheckVersion(version, checked[i]); !status.ok()) return status;
      store::NewVersion& made = version.imported.version;
      made = MakeNewVersion(version.source, checked[i]);
      if (!version.has_source) made.source_text.reset();
      made.source_revision = std::move(version.source_revision);
      made.source_uri = std::move(version.source_uri);
      chunk.versions.push_back(std::move(version.imported));
    }
    return absl::OkStatus();
  }

  static absl::Status CheckVersion(const Version& version, const CheckedSource& checked) {
    if (checked.issues.has_errors()) {
      const std::vector<base::Issue> issues = checked.issues.Sorted();
      const auto first = std::find_if(issues.begin(), issues.end(), [](const base::Issue& issue) {
        return issue.severity == base::Severity::kError;
      });
      const size_t more = checked.issues.error_count() - 1;
      return version.check.Refuse(fmt::format("line {}, column {}: {} [{}]{}", first->position.line,
                                              first->position.column, first->message, first->code,
                                              more > 0 ? fmt::format(" (and {} more)", more) : ""));
    }
    if (checked.reference != version.reference) {
      return version.check.Refuse("its text is that of " + checked.reference);
    }
    if (checked.digest == version.digest) return absl::OkStatus();
    return version.check.Refuse(
        fmt::format("the digest of its text is {}, the archive says {}", checked.digest, version.digest));
  }

  const Archive::Read& read_;
  const tmpl::ReadLimits& limits_;
  std::optional<pb::ImportTemplatesRequest> next_;  // none: that was the last
  int64_t count_ = 0;
  Rank last_;
  std::vector<Version> versions_;
};

absl::Status RefuseConflicts(const std::vector<store::ImportConflict>& conflicts) {
  const store::ImportConflict& first = conflicts.front();
  ErrorDetail detail{first.purged ? "VERSION_PURGED" : "VERSION_EXISTS",
                     {{"reference", first.reference}, {"digest", first.digest}, {"stored_digest", first.stored_digest}},
                     {}};
  for (const store::ImportConflict& conflict : conflicts) {
    if (detail.violations.size() == kMaxViolations) break;
    detail.violations.push_back(
        {conflict.reference,
         fmt::format("{} {} with other content: {} here, {} in the archive; nothing was imported", conflict.reference,
                     conflict.purged ? "was purged" : "is registered", conflict.stored_digest, conflict.digest)});
  }
  const size_t more = conflicts.size() - 1;
  return Error(absl::StatusCode::kAlreadyExists,
               detail.violations.front().description + (more > 0 ? fmt::format(" (and {} more)", more) : ""), detail);
}

absl::Status RefuseHomeless(const std::vector<store::ArchivedChannel>& homeless) {
  const store::ArchivedChannel& first = homeless.front();
  const std::string reference = tmpl::ExactReference(first.namespace_name, first.name, first.version);
  return Error(
      absl::StatusCode::kInvalidArgument,
      fmt::format("channel {} points at {}, which is neither in the archive nor here", first.channel, reference),
      {"ARCHIVE_INVALID", {{"reference", reference}, {"channel", first.channel}}, {}});
}

}  // namespace

absl::StatusOr<pb::ImportTemplatesResponse> Archive::Import(const Caller& caller, const Read& read) const {
  ChunkReader reader(read, limits_);
  const absl::StatusOr<bool> dry_run = reader.ReadDryRun();
  if (!dry_run.ok()) return dry_run.status();
  const absl::StatusOr<store::ImportResult> result =
      store::ImportArchive(*pool_, {caller.actor, caller.peer, *dry_run}, caller.deadline,
                           [&reader](store::ImportChunk& chunk) { return reader.Fill(chunk); });
  loader_->counters().CountAll();  // also when it failed: what the database did may be unknown
  if (!result.ok()) return result.status();
  if (!result->conflicts.empty()) return RefuseConflicts(result->conflicts);
  if (!result->homeless.empty()) return RefuseHomeless(result->homeless);
  pb::ImportTemplatesResponse response;
  response.set_created_versions(result->created_versions);
  response.set_unchanged_versions(result->unchanged_versions);
  response.set_set_channels(result->set_channels);
  response.set_set_states(result->set_states);
  response.set_created_tombstones(result->created_tombstones);
  response.set_revision(result->revision);
  return response;
}

}  // namespace tasker::registry
