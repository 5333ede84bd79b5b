#include "lib/registry/registrar.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/diff/diff.h"
#include "lib/registry/channel_name.h"
#include "lib/registry/checked_source.h"
#include "lib/registry/error.h"
#include "lib/registry/new_version.h"
#include "lib/registry/refusal.h"
#include "lib/registry/registration_issues.h"
#include "lib/registry/template_loader.h"
#include "lib/registry/version_policy.h"
#include "lib/wire/issue.h"

namespace tasker::registry {
namespace {

// Warnings in one batch's answer: with the rest of it, it stays below the 4 MiB that gRPC clients accept by default.
constexpr size_t kMaxIssueBytes = size_t{2} << 20;
constexpr size_t kMaxTextField = 2048;
constexpr int kMaxChannels = 100;  // in one request

using Channels = google::protobuf::RepeatedPtrField<std::string>;

absl::Status CheckText(std::string_view field, std::string_view text) {
  if (text.size() > kMaxTextField) return InvalidField(field, fmt::format("is longer than {} bytes", kMaxTextField));
  if (text.find('\0') != std::string_view::npos) return InvalidField(field, "holds the character NUL");
  return absl::OkStatus();
}

absl::Status CheckChannels(const Channels& channels) {
  if (channels.size() > kMaxChannels) return InvalidField("channels", fmt::format("are more than {}", kMaxChannels));
  absl::Status status;
  for (int i = 0; i < channels.size(); ++i) {
    status.Update(CheckChannelName(fmt::format("channels[{}]", i), channels.Get(i)));
  }
  return status;
}

// `channels` to each template's highest version.
void PutChannels(const Channels& channels, std::vector<store::NewVersion>& batch) {
  if (channels.empty()) return;
  std::map<std::pair<std::string_view, std::string_view>, std::pair<tmpl::Version, size_t>> highest;
  for (size_t i = 0; i < batch.size(); ++i) {
    const std::pair candidate(*tmpl::ParseVersion(batch[i].version), i);
    const auto [found, is_new] = highest.try_emplace({batch[i].namespace_name, batch[i].name}, candidate);
    if (!is_new && found->second.first < candidate.first) found->second = candidate;
  }
  for (const auto& [name, best] : highest) batch[best.second].channels = {channels.begin(), channels.end()};
}

template <typename Message>
size_t PutIssues(const CheckedSource& checked, const std::string& file_name, size_t room, Message& out) {
  size_t bytes = 0;
  size_t omitted = checked.issues.omitted_count();
  for (const base::Issue& issue : checked.issues.Sorted()) {
    if (bytes > room) {
      ++omitted;
      continue;
    }
    pb::Issue& message = *out.add_issues();
    wire::ToProto(issue, file_name, message);
    bytes += message.ByteSizeLong();
  }
  out.set_omitted_issue_count(static_cast<int32_t>(omitted));
  return bytes;
}

pb::RegistrationOutcome Outcome(store::RegisterOutcome outcome) {
  switch (outcome) {
    case store::RegisterOutcome::kCreated:
      return pb::REGISTRATION_OUTCOME_CREATED;
    case store::RegisterOutcome::kUnchanged:
      return pb::REGISTRATION_OUTCOME_UNCHANGED;
    case store::RegisterOutcome::kConflict:
    case store::RegisterOutcome::kPurged:
    case store::RegisterOutcome::kYanked:
    case store::RegisterOutcome::kUnchecked:
      break;
  }
  return pb::REGISTRATION_OUTCOME_UNSPECIFIED;
}

void PutRegistrations(const Sources& sources, std::vector<CheckedSource>& checked, const store::RegisterResult& stored,
                      std::vector<pb::Registration>& out) {
  size_t room = kMaxIssueBytes;
  out.resize(checked.size());
  for (size_t i = 0; i < checked.size(); ++i) {
    ReportEventDifferences(stored.items[i], checked[i]);
    out[i].set_reference(checked[i].reference);
    out[i].set_digest(checked[i].digest);
    out[i].set_outcome(Outcome(stored.items[i].outcome));
    const size_t used = PutIssues(checked[i], sources[i]->file_name(), room, out[i]);
    room -= std::min(room, used);
  }
}

}  // namespace

struct Registrar::Job {
  Sources sources;
  const std::string& source_revision;
  const std::string& source_uri;
  const Channels& channels;
  bool dry_run;
  bool allow_breaking;
  bool batch;  // how messages name the sources: sources[0] or source
};

struct Registrar::Result {
  std::vector<pb::Registration> registrations;
  int64_t revision = 0;
};

Registrar::Registrar(std::shared_ptr<store::Store> store, tmpl::ReadLimits limits,
                     std::shared_ptr<TemplateLoader> loader)
    : store_(std::move(store)), limits_(limits), loader_(std::move(loader)) {}

std::vector<std::vector<std::string>> Registrar::Differences(const Sources& sources,
                                                             const store::RegisterResult& stored,
                                                             absl::Time deadline) const {
  constexpr size_t kExplained = 5;  // conflicts; each costs a query
  constexpr size_t kLines = 5;
  std::vector<std::vector<std::string>> differences(sources.size());
  size_t explained = 0;
  for (size_t i = 0; i < sources.size() && explained < kExplained; ++i) {
    if (stored.items[i].outcome != store::RegisterOutcome::kConflict) continue;
    ++explained;
    const CheckedSource checked = CheckSource(*sources[i], limits_);  // its model was not kept (MakeNewVersion)
    if (!checked.tmpl) continue;
    const tmpl::TaskTemplate& sent = *checked.tmpl;
    const auto row = store_->LoadVersion(sent.namespace_name, sent.name, *tmpl::ParseVersion(sent.version), deadline);
    if (!row.ok() || !row->has_value()) continue;  // the refusal stands without its explanation
    const absl::StatusOr<tmpl::TaskTemplate> there = ParseStored(**row);
    if (there.ok()) differences[i] = diff::DifferenceLines(*there, sent, kLines);
  }
  return differences;
}

absl::StatusOr<Registrar::Result> Registrar::Run(const Job& job, const Caller& caller) const {
  absl::Status status = CheckText("source_revision", job.source_revision);
  status.Update(CheckText("source_uri", job.source_uri));
  status.Update(CheckChannels(job.channels));
  for (const pb::TemplateSource* source : job.sources) status.Update(CheckText("file_name", source->file_name()));
  if (!status.ok()) return status;
  std::vector<store::NewVersion> batch(job.sources.size());
  std::vector<CheckedSource> checked = CheckSources(job.sources, limits_, [&](size_t i, CheckedSource& source) {
    if (!source.tmpl) return;
    batch[i] = MakeNewVersion(*job.sources[i], source);
    batch[i].source_revision = job.source_revision;
    batch[i].source_uri = job.source_uri;
  });
  ReportTwins(checked);
  if (absl::Status refusal = RefuseInvalid(job.sources, checked, job.batch); !refusal.ok()) return refusal;
  const store::RegisterOptions options{caller.actor, caller.peer, job.dry_run};
  PutChannels(job.channels, batch);
  const absl::StatusOr<store::RegisterResult> stored =
      PolicedBatch(*store_, checked, batch, job.allow_breaking).Register(options, caller.deadline);
  if (loader_ != nullptr && !job.dry_run) {  // also when it failed: what the database did may be unknown
    for (const CheckedSource& source : checked) loader_->counters().CountSelections(source.reference);
  }
  if (!stored.ok()) return stored.status();
  if (stored->unchecked) return RefuseTooSmallBumps(checked, job.batch);
  if (stored->conflict) {
    return RefuseConflicts(checked, *stored, Differences(job.sources, *stored, caller.deadline), job.batch);
  }
  Result result;
  result.revision = stored->revision;
  PutRegistrations(job.sources, checked, *stored, result.registrations);
  return result;
}

absl::StatusOr<pb::RegisterTemplateResponse> Registrar::Register(const pb::RegisterTemplateRequest& request,
                                                                 const Caller& caller) const {
  absl::StatusOr<Result> result = Run({{&request.source()},
                                       request.source_revision(),
                                       request.source_uri(),
                                       request.channels(),
                                       request.dry_run(),
                                       request.allow_breaking(),
                                       false},
                                      caller);
  if (!result.ok()) return result.status();
  pb::RegisterTemplateResponse response;
  *response.mutable_registration() = std::move(result->registrations.front());
  response.set_revision(result->revision);
  return response;
}

absl::StatusOr<pb::RegisterTemplatesResponse> Registrar::Register(const pb::RegisterTemplatesRequest& request,
                                                                  const Caller& caller) const {
  if (request.sources().empty()) return InvalidField("sources", "is empty");
  if (request.sources_size() > kMaxBatchTemplates || request.ByteSizeLong() > kMaxBatchBytes) {
    return Error(absl::StatusCode::kResourceExhausted,
                 fmt::format("a batch holds at most {} templates and {} MiB", kMaxBatchTemplates, kMaxBatchBytes >> 20),
                 {"BATCH_TOO_LARGE", {}, {}});
  }
  Sources sources;
  for (const pb::TemplateSource& source : request.sources()) sources.push_back(&source);
  absl::StatusOr<Result> result = Run({std::move(sources), request.source_revision(), request.source_uri(),
                                       request.channels(), request.dry_run(), request.allow_breaking(), true},
                                      caller);
  if (!result.ok()) return result.status();
  pb::RegisterTemplatesResponse response;
  for (pb::Registration& registration : result->registrations) *response.add_registrations() = std::move(registration);
  response.set_revision(result->revision);
  return response;
}

absl::StatusOr<pb::ValidateTemplateResponse> Registrar::Validate(const pb::ValidateTemplateRequest& request,
                                                                 const Caller& caller) const {
  const pb::TemplateSource& source = request.source();
  if (absl::Status status = CheckText("file_name", source.file_name()); !status.ok()) return status;
  std::vector<CheckedSource> checked = CheckSources({&source}, limits_);
  CheckedSource& only = checked.front();
  pb::ValidateTemplateResponse response;
  response.set_reference(only.reference);
  response.set_digest(only.digest);
  if (!only.issues.has_errors()) {
    const store::RegisterOptions options{caller.actor, caller.peer, /*dry_run=*/true};
    std::vector<store::NewVersion> batch;
    batch.push_back(MakeNewVersion(source, only));
    const absl::StatusOr<store::RegisterResult> stored =
        PolicedBatch(*store_, checked, batch, /*allow_breaking=*/false).Register(options, caller.deadline);
    if (!stored.ok()) return stored.status();
    response.set_outcome(Outcome(stored->items.front().outcome));
    ReportEventDifferences(stored->items.front(), only);
    ReportConflict(stored->items.front(), Differences({&source}, *stored, caller.deadline).front(), only);
  }
  response.set_valid(!only.issues.has_errors());
  PutIssues(only, source.file_name(), kMaxIssueBytes, response);
  return response;
}

}  // namespace tasker::registry
