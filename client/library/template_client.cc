#include "client/library/template_client.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <future>
#include <type_traits>
#include <utility>

#include "client/library/answer_cache.h"
#include "client/library/feed.h"
#include "client/library/registry_connection.h"
#include "client/library/snapshot.h"
#include "lib/template/reference.h"

namespace tasker::client {
namespace {

constexpr std::chrono::seconds kSnapshotInterval(30);
// Where nothing came or went, the file is written anew only so that the ages in it stay small.
constexpr int kIdleIntervals = 20;
// What a file may be larger than the memory that it came from, before it is taken for something else.
constexpr size_t kSnapshotSlack = size_t{1} << 20;

using Patience = RegistryConnection::Patience;

bool IsUnreachable(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable || status.code() == absl::StatusCode::kDeadlineExceeded;
}

// Whether the registry's refusal says something about the template, which only a change of it can alter.
bool IsAboutTheTemplate(const absl::Status& status) {
  return status.code() == absl::StatusCode::kNotFound || status.code() == absl::StatusCode::kFailedPrecondition;
}

pb::ResolveTemplateRequest RequestOf(const AnswerKey& key, const pb::ResolveTemplateResponse*) {
  pb::ResolveTemplateRequest request;
  request.set_view(key.kind == AnswerKind::kTemplateJson ? pb::TEMPLATE_VIEW_JSON : pb::TEMPLATE_VIEW_STRUCTURED);
  return request;
}

pb::ResolveHandlerRequest RequestOf(const AnswerKey& key, const pb::ResolveHandlerResponse*) {
  pb::ResolveHandlerRequest request;
  request.set_step_name(std::string(key.step));
  return request;
}

// The registry that a snapshot belongs to. In which order its servers are named does not matter.
std::string ScopeOf(const ServerOptions& server) {
  std::vector<std::string> servers = server.servers;
  std::sort(servers.begin(), servers.end());
  return fmt::format("{}", fmt::join(servers, ","));
}

// By value, so that a hit counts its reference once.
template <typename Response>
absl::StatusOr<Answer<Response>> Give(AnswerHandle answer, absl::Duration age) {
  const auto* const response = static_cast<const Response*>(answer->response.get());
  if (response == nullptr) return answer->refusal;
  return Answer<Response>{{std::move(answer), response}, age};
}

}  // namespace

absl::StatusOr<std::unique_ptr<TemplateClient>> TemplateClient::Create(TemplateClientOptions options) {
  for (std::string& server : options.server.servers) server = WithPort(std::move(server));
  if (const absl::Status status = CheckServerOptions(options.server); !status.ok()) return status;
  if (!options.log) options.log = [](const std::string& line) { fmt::print(stderr, "tasker client: {}\n", line); };
  auto connection =
      RegistryConnection::Create({options.server, options.keepalive, options.retries, options.longest_silence});
  if (!connection.ok()) return connection.status();
  return std::unique_ptr<TemplateClient>(new TemplateClient(std::move(options), *std::move(connection)));
}

TemplateClient::TemplateClient(TemplateClientOptions options, std::unique_ptr<RegistryConnection> connection)
    : options_(std::move(options)),
      connection_(std::move(connection)),
      cache_(std::make_unique<AnswerCache>(options_.cache_bytes)) {
  if (!options_.snapshot_path.empty()) LoadSnapshot();
  feed_ =
      std::make_unique<Feed>(*connection_, *cache_, Feed::Callbacks{options_.on_change, options_.on_gap, options_.log});
  if (!options_.snapshot_path.empty()) snapshots_ = std::thread([this] { KeepSnapshot(); });
}

TemplateClient::~TemplateClient() {
  {
    const std::lock_guard lock(stopping_mutex_);
    stopping_ = true;
  }
  stopping_changed_.notify_all();
  if (snapshots_.joinable()) snapshots_.join();
}

absl::StatusOr<Answer<pb::ResolveTemplateResponse>> TemplateClient::Resolve(const TemplateQuery& query) {
  return Get<pb::ResolveTemplateResponse>({query.json ? AnswerKind::kTemplateJson : AnswerKind::kTemplate,
                                           query.require_environment,
                                           query.reference,
                                           query.environment,
                                           {}});
}

absl::StatusOr<Answer<pb::ResolveHandlerResponse>> TemplateClient::ResolveHandler(const HandlerQuery& query) {
  return Get<pb::ResolveHandlerResponse>(
      {AnswerKind::kHandler, query.require_environment, query.reference, query.environment, query.step});
}

template <typename Response>
absl::StatusOr<Answer<Response>> TemplateClient::Get(const AnswerKey& key) {
  AnswerHandle found = cache_->Find(key);
  if (found != nullptr) {
    if (const std::optional<absl::Duration> age = AgeOf(*found)) return Give<Response>(std::move(found), *age);
  }
  return Fetch<Response>(key, std::move(found));
}

// nullopt when the answer must be asked for anew.
std::optional<absl::Duration> TemplateClient::AgeOf(const RememberedAnswer& answer) const {
  if (!cache_->is_current(answer)) return std::nullopt;
  if (answer.exact()) return absl::ZeroDuration();
  const int64_t interrupted_since = feed_->interrupted_since();
  if (interrupted_since == 0) return absl::ZeroDuration();
  const absl::Duration age = absl::Nanoseconds(SteadyNow() - std::max(answer.known_at, interrupted_since));
  if (age > options_.max_staleness) return std::nullopt;
  return std::max(age, absl::Nanoseconds(1));  // zero would say that changes reach this client
}

// Whether an answer that is not known to be right any more is given when no server can be reached. An exact one's
// content cannot have changed. A selector's of an earlier process lets this one start.
bool TemplateClient::IsLastResort(const RememberedAnswer& answer) const {
  return answer.exact() || (answer.restored && !feed_->was_live());
}

template <typename Response>
absl::StatusOr<Answer<Response>> TemplateClient::Fetch(const AnswerKey& key, AnswerHandle seen) {
  const absl::StatusOr<tmpl::Reference> reference = tmpl::ParseReference(key.reference);
  if (!reference.ok()) return reference.status();
  const std::string template_name = fmt::format("{}/{}", reference->namespace_name, reference->name);
  const AnswerCache::Ticket ticket = cache_->Board(key, template_name, seen);
  if (ticket.found != nullptr) {
    const std::optional<absl::Duration> age = AgeOf(*ticket.found);
    return age ? Give<Response>(ticket.found, *age) : Fetch<Response>(key, ticket.found);
  }
  if (ticket.leads) {
    auto request = RequestOf(key, static_cast<const Response*>(nullptr));
    request.set_reference(std::string(key.reference));
    request.set_environment(std::string(key.environment));
    request.set_require_environment(key.require_environment);
    request.set_min_revision(ticket.flight->min_revision);
    auto answer = RememberedAnswer::Make(key, template_name);
    auto response = std::make_unique<Response>();
    answer->known_at = SteadyNow();
    const bool can_do_without = seen != nullptr && IsLastResort(*seen);
    const absl::Status status =
        connection_->Call(request, can_do_without ? Patience::kOnce : Patience::kRetry, *response);
    if (status.ok()) {
      answer->version = response->reference().substr(response->reference().rfind(':') + 1);
      answer->stale = absl::Milliseconds(response->stale_ms());
      answer->response = std::move(response);
    }
    answer->refusal = status;
    const bool known = status.ok() || IsAboutTheTemplate(status);
    // What the server itself remembers without hearing of changes is passed on with its age, and not kept.
    const bool keep = known && answer->stale == absl::ZeroDuration();
    cache_->Land(ticket.flight, known ? absl::StatusOr<std::shared_ptr<RememberedAnswer>>(answer) : status, keep);
  } else if (ticket.flight->result.wait_for(absl::ToChronoNanoseconds(options_.server.timeout)) !=
             std::future_status::ready) {
    return absl::DeadlineExceededError("another thread asks for the same and has no answer yet");
  }
  const absl::StatusOr<AnswerHandle>& landed = ticket.flight->result.get();
  if (landed.ok()) return Give<Response>(*landed, (*landed)->stale);
  if (seen == nullptr || !IsUnreachable(landed.status()) || !IsLastResort(*seen)) return landed.status();
  return Give<Response>(seen, seen->exact() ? absl::ZeroDuration() : absl::Nanoseconds(SteadyNow() - seen->known_at));
}

template <typename Request>
void TemplateClient::RequireSeen(Request& request) const {
  if (request.min_revision() == 0) request.set_min_revision(cache_->revision().value_or(0));
}

absl::StatusOr<pb::CheckCallablesResponse> TemplateClient::CheckCallables(pb::CheckCallablesRequest request) {
  RequireSeen(request);
  pb::CheckCallablesResponse response;
  const absl::Status status = connection_->Call(request, Patience::kRetry, response);
  if (!status.ok()) return status;
  return response;
}

absl::StatusOr<pb::ValidateTaskInputResponse> TemplateClient::ValidateTaskInput(pb::ValidateTaskInputRequest request) {
  RequireSeen(request);
  pb::ValidateTaskInputResponse response;
  const absl::Status status = connection_->Call(request, Patience::kRetry, response);
  if (!status.ok()) return status;
  return response;
}

absl::StatusOr<pb::ValidateEventPayloadResponse> TemplateClient::ValidateEventPayload(
    pb::ValidateEventPayloadRequest request) {
  RequireSeen(request);
  pb::ValidateEventPayloadResponse response;
  const absl::Status status = connection_->Call(request, Patience::kRetry, response);
  if (!status.ok()) return status;
  return response;
}

TemplateClient::Stats TemplateClient::GetStats() const {
  const AnswerCache::Counts counts = cache_->GetCounts();
  return {feed_->interrupted_since() == 0, counts.revision, counts.entries, counts.bytes};
}

void TemplateClient::LoadSnapshot() {
  absl::StatusOr<Snapshot> snapshot = tasker::client::LoadSnapshot(options_.snapshot_path, ScopeOf(options_.server),
                                                                   options_.cache_bytes + kSnapshotSlack);
  if (!snapshot.ok()) {
    if (snapshot.status().code() == absl::StatusCode::kNotFound) return;  // as at every first start
    options_.log(fmt::format("the snapshot '{}' is not used: {}", options_.snapshot_path,
                             fmt::streamed(snapshot.status().message())));
    return;
  }
  if (snapshot->revision) cache_->Resume(*snapshot->revision);
  for (Snapshot::Item& item : snapshot->items) cache_->Restore(std::move(item.answer), item.current);
}

void TemplateClient::SaveSnapshot() {
  const int64_t interrupted_since = feed_->interrupted_since();
  const absl::Status status = tasker::client::SaveSnapshot(options_.snapshot_path, ScopeOf(options_.server), *cache_,
                                                           interrupted_since == 0 ? SteadyNow() : interrupted_since);
  if (!status.ok()) options_.log(fmt::format("no snapshot is kept: {}", fmt::streamed(status.message())));
}

void TemplateClient::KeepSnapshot() {
  uint64_t saved_edits = 0;
  int idle = 0;
  std::unique_lock lock(stopping_mutex_);
  while (!stopping_changed_.wait_for(lock, kSnapshotInterval, [this] { return stopping_; })) {
    lock.unlock();
    const uint64_t edits = cache_->GetCounts().edits;
    if (edits != saved_edits || ++idle == kIdleIntervals) {
      SaveSnapshot();
      saved_edits = edits;
      idle = 0;
    }
    lock.lock();
  }
  lock.unlock();
  SaveSnapshot();
}

}  // namespace tasker::client
