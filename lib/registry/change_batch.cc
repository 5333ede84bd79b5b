#include "lib/registry/change_batch.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <utility>

#include "lib/base/json.h"
#include "lib/registry/error.h"
#include "lib/registry/template_loader.h"
#include "lib/registry/timestamp.h"
#include "lib/template/reference.h"

namespace tasker::registry {
namespace {

// Of one message: well below gRPC's default of 4 MiB that a client takes.
constexpr size_t kMaxMessageBytes = size_t{1} << 20;
constexpr int kMaxMessageChanges = 1000;

constexpr std::string_view kKindPrefix = "CHANGE_KIND_";

std::string Field(const base::JsonObject& object, std::string_view key) {
  const base::Json* const value = object.if_contains({key.data(), key.size()});
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

MessageBytes Encoded(const pb::WatchTemplatesResponse& message) {
  return std::make_shared<const std::string>(message.SerializeAsString());
}

// `changes` in as few messages as the limits allow.
std::vector<MessageBytes> Encode(int64_t revision, std::span<const pb::Change* const> changes) {
  std::vector<MessageBytes> messages;
  pb::WatchTemplatesResponse message;
  message.set_revision(revision);
  size_t bytes = 0;
  for (const pb::Change* const change : changes) {
    const size_t size = change->ByteSizeLong();
    if (message.changes_size() > 0 &&
        (bytes + size > kMaxMessageBytes || message.changes_size() == kMaxMessageChanges)) {
      message.set_continued(true);
      messages.push_back(Encoded(message));
      message.clear_changes();
      bytes = 0;
    }
    bytes += size;
    *message.add_changes() = *change;
  }
  message.clear_continued();
  if (message.changes_size() > 0) messages.push_back(Encoded(message));
  return messages;
}

ChangeBatchHandle MakeBatch(std::span<const store::ChangeRow> rows) {
  auto batch = std::make_shared<ChangeBatch>();
  batch->revision = rows.front().revision;
  std::vector<const pb::Change*> all;
  batch->changes.reserve(rows.size());
  for (const store::ChangeRow& row : rows) {
    batch->changes.push_back(ToProto(row));
    all.push_back(&batch->changes.back());
    batch->bytes += batch->changes.back().SpaceUsedLong();
  }
  batch->messages = Encode(batch->revision, all);
  for (const MessageBytes& message : batch->messages) batch->bytes += message->size();
  return batch;
}

}  // namespace

pb::Change ToProto(const store::ChangeRow& row) {
  pb::Change change;
  change.set_revision(row.revision);
  pb::ChangeKind kind = pb::CHANGE_KIND_UNSPECIFIED;
  if (pb::ChangeKind_Parse(std::string(kKindPrefix) + row.kind, &kind)) change.set_kind(kind);
  change.set_namespace_name(row.namespace_name);
  change.set_name(row.name);
  change.set_version(row.version);
  change.set_digest(row.digest);
  change.set_actor(row.actor);
  change.set_peer(row.peer);
  change.set_source_revision(row.source_revision);
  change.set_source_uri(row.source_uri);
  PutTime(row.time, *change.mutable_create_time());
  const absl::StatusOr<base::Json> detail = base::ParseJson(row.detail);
  if (!detail.ok() || !detail->is_object()) return change;
  const base::JsonObject& object = detail->get_object();
  change.set_channel(Field(object, "channel"));
  change.set_old_version(Field(object, "old_version"));
  change.set_message(Field(object, "message"));
  change.set_replacement(Field(object, "replacement"));
  pb::VersionPolicy policy = pb::VERSION_POLICY_UNSPECIFIED;
  if (pb::VersionPolicy_Parse("VERSION_POLICY_" + Field(object, "version_policy"), &policy)) {
    change.set_version_policy(policy);
  }
  return change;
}

std::string ChangeKindWord(pb::ChangeKind kind) {
  if (kind == pb::CHANGE_KIND_UNSPECIFIED || !pb::ChangeKind_IsValid(kind)) return "";
  return pb::ChangeKind_Name(kind).substr(kKindPrefix.size());
}

std::vector<ChangeBatchHandle> MakeBatches(std::span<const store::ChangeRow> rows) {
  std::vector<ChangeBatchHandle> batches;
  while (!rows.empty()) {
    size_t count = 1;
    while (count < rows.size() && rows[count].revision == rows.front().revision) ++count;
    batches.push_back(MakeBatch(rows.first(count)));
    rows = rows.subspan(count);
  }
  return batches;
}

absl::StatusOr<WatchFilter> WatchFilter::FromRequest(const pb::WatchTemplatesRequest& request) {
  if (request.namespaces_size() + request.references_size() > kMaxNames) {
    return InvalidField("namespaces", fmt::format("and references are more than {} together", kMaxNames));
  }
  WatchFilter filter;
  for (int i = 0; i < request.namespaces_size(); ++i) {
    const std::string& name = request.namespaces(i);
    if (!tmpl::IsName(name)) {
      return InvalidField(fmt::format("namespaces[{}]", i), fmt::format("is no name; {}", tmpl::kNameRule));
    }
    filter.namespaces_.insert(name);
  }
  for (int i = 0; i < request.references_size(); ++i) {
    const absl::StatusOr<tmpl::Reference> reference = ParseRequestReference(request.references(i));
    if (!reference.ok() || !reference->selector.empty()) {
      return InvalidField(fmt::format("references[{}]", i), "must be NAMESPACE/NAME, without a selector");
    }
    filter.references_.insert(fmt::format("{}/{}", reference->namespace_name, reference->name));
  }
  return filter;
}

bool WatchFilter::Wants(const pb::Change& change) const {
  if (namespaces_.contains(change.namespace_name())) return true;
  return !references_.empty() && references_.contains(fmt::format("{}/{}", change.namespace_name(), change.name()));
}

std::vector<MessageBytes> WatchFilter::Messages(const ChangeBatch& batch) const {
  if (namespaces_.empty() && references_.empty()) return batch.messages;
  std::vector<const pb::Change*> wanted;
  for (const pb::Change& change : batch.changes) {
    if (Wants(change)) wanted.push_back(&change);
  }
  return wanted.size() == batch.changes.size() ? batch.messages : Encode(batch.revision, wanted);
}

MessageBytes Bookmark(int64_t revision) {
  pb::WatchTemplatesResponse message;
  message.set_revision(revision);
  return Encoded(message);
}

}  // namespace tasker::registry
