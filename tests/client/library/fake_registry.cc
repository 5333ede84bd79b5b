#include "tests/client/library/fake_registry.h"

#include <chrono>

namespace tasker::client {
namespace {

std::string TemplateOf(const std::string& reference) { return reference.substr(0, reference.find_first_of(":@")); }

std::string AuthorizationOf(const grpc::ServerContext& context) {
  const auto found = context.client_metadata().find("authorization");
  return found == context.client_metadata().end() ? "" : std::string(found->second.data(), found->second.size());
}

// How often a watch looks whether its client is still there.
constexpr std::chrono::milliseconds kPoll(20);

}  // namespace

void FakeRegistry::Start() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = false;
  }
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address_, grpc::InsecureServerCredentials(), &port);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 1000);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  if (server_ != nullptr) address_ = "127.0.0.1:" + std::to_string(port);
}

void FakeRegistry::Stop() {
  if (server_ == nullptr) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    held_ = false;
  }
  changed_.notify_all();
  server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
  server_->Wait();
  server_.reset();
}

void FakeRegistry::Point(const std::string& reference, const std::string& version) {
  const std::lock_guard lock(mutex_);
  versions_[reference] = version;
}

void FakeRegistry::Deprecate(const std::string& message) {
  const std::lock_guard lock(mutex_);
  notice_ = message;
}

int64_t FakeRegistry::Change(pb::ChangeKind kind, const std::string& namespace_name, const std::string& name,
                             const std::string& version) {
  const std::lock_guard lock(mutex_);
  pb::Change& change = changes_.emplace_back();
  change.set_revision(static_cast<int64_t>(changes_.size()));
  change.set_kind(kind);
  change.set_namespace_name(namespace_name);
  change.set_name(name);
  change.set_version(version);
  changed_.notify_all();
  return change.revision();
}

int64_t FakeRegistry::Promote(const std::string& reference, const std::string& version) {
  const std::string name = TemplateOf(reference);
  const size_t slash = name.find('/');
  Point(reference, version);
  return Change(pb::CHANGE_KIND_SET_CHANNEL, name.substr(0, slash), name.substr(slash + 1), version);
}

void FakeRegistry::Hold() {
  const std::lock_guard lock(mutex_);
  held_ = true;
}

void FakeRegistry::Release() {
  const std::lock_guard lock(mutex_);
  held_ = false;
  changed_.notify_all();
}

void FakeRegistry::Fail(int count, grpc::StatusCode code) {
  const std::lock_guard lock(mutex_);
  failures_ = count;
  failure_ = code;
}

void FakeRegistry::BeStale(int64_t milliseconds) {
  const std::lock_guard lock(mutex_);
  stale_ms_ = milliseconds;
}

void FakeRegistry::BreakWatches() {
  const std::lock_guard lock(mutex_);
  ++watch_epoch_;
  changed_.notify_all();
}

void FakeRegistry::RefuseWatches(bool refuse) {
  const std::lock_guard lock(mutex_);
  refuse_watches_ = refuse;
  ++watch_epoch_;
  changed_.notify_all();
}

void FakeRegistry::MuteWatches() {
  const std::lock_guard lock(mutex_);
  muted_ = watches_;
}

std::string FakeRegistry::authorization() const {
  const std::lock_guard lock(mutex_);
  return authorization_;
}

std::string FakeRegistry::watch_authorization() const {
  const std::lock_guard lock(mutex_);
  return watch_authorization_;
}

void FakeRegistry::ForgetChangesBefore(int64_t revision) {
  const std::lock_guard lock(mutex_);
  oldest_ = revision;
}

template <typename Request>
grpc::Status FakeRegistry::Begin(grpc::ServerContext& context, const Request& request) {
  authorization_ = AuthorizationOf(context);
  ++resolutions_;
  last_min_revision_ = request.min_revision();
  if (failures_ == 0) return grpc::Status::OK;
  --failures_;
  return {failure_, "as commanded"};
}

template <typename Request, typename Response>
grpc::Status FakeRegistry::Answer(grpc::ServerContext& context, const Request& request, Response* response) {
  std::unique_lock lock(mutex_);
  if (grpc::Status failure = Begin(context, request); !failure.ok()) return failure;
  const auto found = versions_.find(request.reference());
  const std::string version = found == versions_.end() ? "" : found->second;
  const std::string notice = notice_;
  ++waiting_;
  changed_.wait(lock, [this] { return !held_; });
  --waiting_;
  if (version.empty()) return {grpc::StatusCode::NOT_FOUND, "no such template"};
  response->set_reference(TemplateOf(request.reference()) + ":" + version);
  response->set_environment(request.environment());
  response->set_stale_ms(stale_ms_);
  if (!notice.empty()) response->mutable_state_notice()->set_message(notice);
  return grpc::Status::OK;
}

grpc::Status FakeRegistry::ResolveTemplate(grpc::ServerContext* context, const pb::ResolveTemplateRequest* request,
                                           pb::ResolveTemplateResponse* response) {
  return Answer(*context, *request, response);
}

grpc::Status FakeRegistry::ResolveHandler(grpc::ServerContext* context, const pb::ResolveHandlerRequest* request,
                                          pb::ResolveHandlerResponse* response) {
  response->set_step_name(request->step_name());
  return Answer(*context, *request, response);
}

grpc::Status FakeRegistry::CheckCallables(grpc::ServerContext* context, const pb::CheckCallablesRequest* request,
                                          pb::CheckCallablesResponse*) {
  const std::lock_guard lock(mutex_);
  return Begin(*context, *request);
}

grpc::Status FakeRegistry::ValidateTaskInput(grpc::ServerContext* context, const pb::ValidateTaskInputRequest* request,
                                             pb::ValidateTaskInputResponse*) {
  const std::lock_guard lock(mutex_);
  return Begin(*context, *request);
}

grpc::Status FakeRegistry::ValidateEventPayload(grpc::ServerContext* context,
                                                const pb::ValidateEventPayloadRequest* request,
                                                pb::ValidateEventPayloadResponse*) {
  const std::lock_guard lock(mutex_);
  return Begin(*context, *request);
}

grpc::Status FakeRegistry::WatchTemplates(grpc::ServerContext* context, const pb::WatchTemplatesRequest* request,
                                          grpc::ServerWriter<pb::WatchTemplatesResponse>* writer) {
  std::unique_lock lock(mutex_);
  const int number = ++watches_;
  watch_authorization_ = AuthorizationOf(*context);
  if (refuse_watches_) return {grpc::StatusCode::UNAVAILABLE, "as commanded"};
  size_t sent = request->has_from_revision() ? static_cast<size_t>(request->from_revision()) : changes_.size();
  if (static_cast<int64_t>(sent) < oldest_) return {grpc::StatusCode::OUT_OF_RANGE, "no longer kept"};
  const int epoch = watch_epoch_;
  bool bookmark_due = true;
  while (epoch == watch_epoch_ && !stopping_ && !context->IsCancelled()) {
    if (number <= muted_) {
      changed_.wait_for(lock, kPoll);
      continue;
    }
    pb::WatchTemplatesResponse message;
    message.set_revision(static_cast<int64_t>(sent));
    if (sent < changes_.size()) {
      *message.add_changes() = changes_[sent];
      message.set_revision(static_cast<int64_t>(++sent));
    } else if (bookmark_due) {
      bookmark_due = false;
    } else {
      changed_.wait_for(lock, kPoll);
      continue;
    }
    lock.unlock();
    const bool written = writer->Write(message);
    lock.lock();
    if (!written) break;
  }
  return {grpc::StatusCode::UNAVAILABLE, "the server is stopping"};
}

}  // namespace tasker::client
