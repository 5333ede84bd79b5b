#include "lib/registry/archive.h"

#include <utility>
#include <variant>

#include "lib/registry/error.h"
#include "lib/registry/not_found.h"
#include "lib/registry/template_loader.h"
#include "lib/registry/timestamp.h"
#include "lib/store/archive.h"
#include "lib/template/canonical.h"
#include "lib/template/reference.h"

namespace tasker::registry {
namespace {

pb::VersionPolicy PolicyOf(const std::string& word) {
  if (word == "ENFORCE") return pb::VERSION_POLICY_ENFORCE;
  return word == "WARN" ? pb::VERSION_POLICY_WARN : pb::VERSION_POLICY_NONE;
}

absl::Status Put(const store::ArchivedNamespace& from, pb::ArchiveItem& item) {
  pb::ArchivedNamespace& to = *item.mutable_archived_namespace();
  to.set_name(from.name);
  to.set_description(from.description);
  to.set_version_policy(PolicyOf(from.version_policy));
  PutTime(from.create_time, *to.mutable_create_time());
  return absl::OkStatus();
}

void PutState(const store::StateInfo& from, pb::StateNotice& to) {
  to.set_state(from.state == store::VersionState::kYanked ? pb::TEMPLATE_STATE_YANKED : pb::TEMPLATE_STATE_DEPRECATED);
  to.set_message(from.message);
  to.set_replacement(from.replacement);
  to.set_actor(from.actor);
  PutTime(from.time, *to.mutable_change_time());
}

absl::Status Put(const store::ArchivedVersion& from, pb::ArchiveItem& item) {
  pb::ArchivedVersion& to = *item.mutable_archived_version();
  const store::VersionSummary& summary = from.summary;
  to.set_reference(ExactReference(summary));
  to.set_digest(summary.digest);
  if (from.source_text) {
    to.set_source(*from.source_text);
  } else {
    const absl::StatusOr<tmpl::TaskTemplate> tmpl = ParseStored(from);
    if (!tmpl.ok()) return tmpl.status();
    to.set_template_json(tmpl::CanonicalText(*tmpl));
  }
  to.set_file_name(summary.file_name);
  to.set_actor(summary.actor);
  to.set_peer(summary.peer);
  to.set_source_revision(summary.source_revision);
  to.set_source_uri(summary.source_uri);
  PutTime(summary.create_time, *to.mutable_create_time());
  if (summary.state.state != store::VersionState::kActive) PutState(summary.state, *to.mutable_state_notice());
  return absl::OkStatus();
}

absl::Status Put(const store::ArchivedTombstone& from, pb::ArchiveItem& item) {
  pb::ArchivedTombstone& to = *item.mutable_archived_tombstone();
  to.set_reference(tmpl::ExactReference(from.namespace_name, from.name, from.version));
  to.set_digest(from.digest);
  to.set_message(from.message);
  to.set_actor(from.actor);
  PutTime(from.purge_time, *to.mutable_purge_time());
  return absl::OkStatus();
}

absl::Status Put(const store::ArchivedChannel& from, pb::ArchiveItem& item) {
  pb::ArchivedChannel& to = *item.mutable_archived_channel();
  to.set_reference(from.namespace_name + "/" + from.name);
  to.set_channel(from.channel);
  to.set_version(from.version);
  to.set_actor(from.actor);
  PutTime(from.update_time, *to.mutable_update_time());
  return absl::OkStatus();
}

}  // namespace

Archive::Archive(std::shared_ptr<store::ConnectionPool> pool, std::shared_ptr<store::Store> store,
                 std::shared_ptr<TemplateLoader> loader, tmpl::ReadLimits limits)
    : pool_(std::move(pool)), store_(std::move(store)), loader_(std::move(loader)), limits_(limits) {
  // A template that came as a message may be longer as JSON than any text that an author may send.
  limits_.text_bytes = kMaxBatchBytes;
}

absl::Status Archive::Export(const pb::ExportTemplatesRequest& request, const Caller& caller,
                             const std::function<absl::Status(const pb::ArchiveItem&)>& write) const {
  const std::string& namespace_name = request.namespace_name();
  const std::string& prefix = request.name_prefix();
  if (!namespace_name.empty() && !tmpl::IsName(namespace_name)) return InvalidField("namespace_name", "is no name");
  if (!prefix.empty() && !tmpl::IsName(prefix)) return InvalidField("name_prefix", "begins no name");
  bool found = namespace_name.empty() || !prefix.empty();
  const absl::Status status =
      store::ExportArchive(*pool_, {namespace_name, prefix}, caller.deadline, [&](const store::ArchiveRow& row) {
        found = true;
        pb::ArchiveItem item;
        absl::Status made = std::visit([&item](const auto& from) { return Put(from, item); }, row);
        return made.ok() ? write(item) : made;
      });
  if (!status.ok() || found) return status;
  tmpl::Reference reference;
  reference.namespace_name = namespace_name;
  const absl::StatusOr<store::Neighbours> neighbours = store_->LoadNeighbours(reference, caller.deadline);
  if (!neighbours.ok()) return neighbours.status();
  return neighbours->namespace_exists ? status : ReferenceNotFound(reference, *neighbours);
}

}  // namespace tasker::registry
