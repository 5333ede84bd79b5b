#include "client/library/registry_connection.h"

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include "client/library/backoff.h"
#include "client/library/channel.h"
#include "client/version.h"
#include "tasker/registry/v1/resolver.grpc.pb.h"

namespace tasker::client {
namespace {

constexpr absl::Duration kFirstRetry = absl::Milliseconds(50);
constexpr absl::Duration kLongestRetry = absl::Seconds(1);
// For one of several servers to accept a connection, before the next is tried.
constexpr absl::Duration kConnectShare = absl::Milliseconds(500);

}  // namespace

class RegistryConnection::Servers {
 public:
  Servers(const Options& options, std::unique_ptr<Token> token, std::vector<std::shared_ptr<grpc::Channel>> channels)
      : options_(options), token_(std::move(token)), channels_(std::move(channels)) {
    for (const auto& channel : channels_) stubs_.push_back(pb::ResolverService::NewStub(channel));
  }

  template <typename Request, typename Response>
  absl::Status Call(grpc::Status (pb::ResolverService::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Patience patience, Response& response) {
    const absl::Time deadline = absl::Now() + options_.server.timeout;
    const size_t retries = patience == Patience::kOnce ? 0 : static_cast<size_t>(std::max(0, options_.retries));
    for (size_t tried = 0;; ++tried) {
      const size_t server = Next();
      grpc::ClientContext context;
      Prepare(context, *token_, deadline);
      const absl::Status status = ToStatus((stubs_[server].get()->*method)(&context, request, &response));
      if (status.code() != absl::StatusCode::kUnavailable && status.code() != absl::StatusCode::kDeadlineExceeded) {
        return status;
      }
      // Servers that were not asked yet are asked at once.
      const absl::Duration wait = tried + 1 < channels_.size()
                                      ? absl::ZeroDuration()
                                      : Backoff(tried + 1 - channels_.size(), kFirstRetry, kLongestRetry);
      const bool again = status.code() == absl::StatusCode::kUnavailable && tried < retries;
      if (!again || absl::Now() + wait >= deadline) {
        return absl::Status(status.code(),
                            fmt::format("{}: {}", options_.server.servers[server], fmt::streamed(status.message())));
      }
      absl::SleepFor(wait);
    }
  }

  absl::Status Watch(const pb::WatchTemplatesRequest& request,
                     const std::function<void(const pb::WatchTemplatesResponse&)>& on_message) {
    const size_t server = Next();
    grpc::ClientContext context;
    Prepare(context, *token_, absl::InfiniteFuture());
    {
      const std::lock_guard lock(mutex_);
      if (stopped_) return absl::CancelledError();
      watch_ = &context;
    }
    const absl::Status status = Read(server, context, request, on_message);
    const std::lock_guard lock(mutex_);
    watch_ = nullptr;
    return status;
  }

  void StopWatching() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    if (watch_ != nullptr) watch_->TryCancel();
  }

 private:
  // The next in turn that is connected, else the next that can be.
  size_t Next() {
    const size_t count = channels_.size();
    const size_t first = next_.fetch_add(1, std::memory_order_relaxed);
    if (count == 1) return 0;
    for (size_t i = 0; i < count; ++i) {
      const size_t server = (first + i) % count;
      if (channels_[server]->GetState(/*try_to_connect=*/true) == GRPC_CHANNEL_READY) return server;
    }
    for (size_t i = 0; i < count; ++i) {
      const size_t server = (first + i) % count;
      if (IsConnected(*channels_[server], kConnectShare)) return server;
    }
    return first % count;
  }

  // By a queue of its own rather than the blocking calls, because those cannot end a silence.
  absl::Status Read(size_t server, grpc::ClientContext& context, const pb::WatchTemplatesRequest& request,
                    const std::function<void(const pb::WatchTemplatesResponse&)>& on_message) {
    grpc::CompletionQueue queue;
    bool silent = false;
    const auto succeeds = [&] {
      void* tag = nullptr;
      bool ok = false;
      const auto limit = absl::ToChronoTime(absl::Now() + options_.longest_silence);
      if (queue.AsyncNext(&tag, &ok, limit) == grpc::CompletionQueue::TIMEOUT) {
        silent = true;
        context.TryCancel();
        queue.Next(&tag, &ok);
      }
      return ok;
    };
    grpc::Status status;
    {
      const auto reader = stubs_[server]->AsyncWatchTemplates(&context, request, &queue, nullptr);
      bool ok = succeeds();
      while (ok) {
        pb::WatchTemplatesResponse message;
        reader->Read(&message, nullptr);
        ok = succeeds();
        if (ok) on_message(message);
      }
      reader->Finish(&status, nullptr);
      succeeds();
    }
    queue.Shutdown();
    void* tag = nullptr;
    for (bool ok = false; queue.Next(&tag, &ok);) {
    }
    if (silent) {
      return absl::UnavailableError(fmt::format("{}: nothing was heard of the watch for {}",
                                                options_.server.servers[server],
                                                absl::FormatDuration(options_.longest_silence)));
    }
    const absl::Status out = ToStatus(status);
    return absl::Status(out.code(),
                        fmt::format("{}: {}", options_.server.servers[server], fmt::streamed(out.message())));
  }

  const Options options_;
  const std::unique_ptr<Token> token_;
  const std::vector<std::shared_ptr<grpc::Channel>> channels_;
  std::vector<std::unique_ptr<pb::ResolverService::Stub>> stubs_;  // constant after construction
  std::atomic<size_t> next_{0};

  std::mutex mutex_;  // guards what follows
  bool stopped_ = false;
  grpc::ClientContext* watch_ = nullptr;
};

RegistryConnection::RegistryConnection(std::unique_ptr<Servers> servers) : servers_(std::move(servers)) {}
RegistryConnection::~RegistryConnection() = default;

absl::StatusOr<std::unique_ptr<RegistryConnection>> RegistryConnection::Create(const Options& options) {
  absl::StatusOr<std::unique_ptr<Token>> token = Token::Open(options.server.token_file);
  if (!token.ok()) return token.status();
  auto channels = MakeChannels(options.server, fmt::format("tasker-client/{}", kVersion), options.keepalive);
  if (!channels.ok()) return channels.status();
  auto servers = std::make_unique<Servers>(options, *std::move(token), *std::move(channels));
  return std::unique_ptr<RegistryConnection>(new RegistryConnection(std::move(servers)));
}

absl::Status RegistryConnection::Call(const pb::ResolveTemplateRequest& request, Patience patience,
                                      pb::ResolveTemplateResponse& response) {
  return servers_->Call(&pb::ResolverService::Stub::ResolveTemplate, request, patience, response);
}
absl::Status RegistryConnection::Call(const pb::ResolveHandlerRequest& request, Patience patience,
                                      pb::ResolveHandlerResponse& response) {
  return servers_->Call(&pb::ResolverService::Stub::ResolveHandler, request, patience, response);
}
absl::Status RegistryConnection::Call(const pb::CheckCallablesRequest& request, Patience patience,
                                      pb::CheckCallablesResponse& response) {
  return servers_->Call(&pb::ResolverService::Stub::CheckCallables, request, patience, response);
}
absl::Status RegistryConnection::Call(const pb::ValidateTaskInputRequest& request, Patience patience,
                                      pb::ValidateTaskInputResponse& response) {
  return servers_->Call(&pb::ResolverService::Stub::ValidateTaskInput, request, patience, response);
}
absl::Status RegistryConnection::Call(const pb::ValidateEventPayloadRequest& request, Patience patience,
                                      pb::ValidateEventPayloadResponse& response) {
  return servers_->Call(&pb::ResolverService::Stub::ValidateEventPayload, request, patience, response);
}

absl::Status RegistryConnection::Watch(const pb::WatchTemplatesRequest& request,
                                       const std::function<void(const pb::WatchTemplatesResponse&)>& on_message) {
  return servers_->Watch(request, on_message);
}
void RegistryConnection::StopWatching() { servers_->StopWatching(); }

}  // namespace tasker::client
