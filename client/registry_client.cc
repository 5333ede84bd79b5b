#include "client/registry_client.h"

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "client/library/channel.h"
#include "client/version.h"
#include "tasker/registry/v1/catalog.grpc.pb.h"
#include "tasker/registry/v1/registry.grpc.pb.h"
#include "tasker/registry/v1/resolver.grpc.pb.h"

namespace tasker::client {
namespace {

// A stream may take long, but not for ever, and not without moving.
constexpr absl::Duration kMaxStream = absl::Hours(1);
constexpr absl::Duration kMinStall = absl::Seconds(60);
// A watch must notice when the other side is gone; the server takes a ping every 10 s.
constexpr absl::Duration kKeepalive = absl::Seconds(20);

// Cancels a call when one step of it takes longer than `limit`.
class StallWatch {
 public:
  StallWatch(grpc::ClientContext& context, absl::Duration limit)
      : context_(context), limit_(absl::ToChronoNanoseconds(limit)), thread_([this] { Watch(); }) {}
  ~StallWatch() {
    Set(false, true);
    thread_.join();
  }

  /// Runs `step`, one that waits for the server.
  template <typename Step>
  bool Time(Step step) {
    Set(true, false);
    const bool ok = step();
    Set(false, false);
    return ok;
  }

  bool stalled() const {
    const std::lock_guard lock(mutex_);
    return stalled_;
  }

 private:
  void Set(bool waiting, bool over) {
    const std::lock_guard lock(mutex_);
    waiting_ = waiting;
    over_ = over;
    ++step_;
    changed_.notify_one();
  }

  void Watch() {
    std::unique_lock lock(mutex_);
    while (!over_) {
      const uint64_t step = step_;
      const auto moved = [&] { return step_ != step; };
      if (!waiting_) {
        changed_.wait(lock, moved);
      } else if (!changed_.wait_for(lock, limit_, moved)) {
        stalled_ = true;
        context_.TryCancel();
        return;
      }
    }
  }

  grpc::ClientContext& context_;
  const std::chrono::nanoseconds limit_;
  mutable std::mutex mutex_;  // guards all but the thread
  std::condition_variable changed_;
  uint64_t step_ = 0;
  bool waiting_ = false;
  bool over_ = false;
  bool stalled_ = false;
  std::thread thread_;
};

}  // namespace

// One channel for each server, and the one that answered last.
class RegistryClient::Connections {
 public:
  Connections(const ServerOptions& options, std::unique_ptr<Token> token,
              std::vector<std::shared_ptr<grpc::Channel>> channels)
      : options_(options),
        token_(std::move(token)),
        channels_(std::move(channels)),
        share_(options.timeout / static_cast<int64_t>(channels_.size())) {}

  // Whether a call that met UNAVAILABLE, and may have been carried out, is made again at the next server.
  enum class Again { kYes, kNo };

  template <typename Service, typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                                const Request& request, Again again = Again::kYes) {
    absl::Status status;
    for (size_t tries = 0; tries < channels_.size(); ++tries) {
      const size_t server = current_;
      if (channels_.size() > 1 && !IsConnected(*channels_[server], share_)) {
        status = absl::UnavailableError(fmt::format("{}: no connection", options_.servers[server]));
        current_ = (current_ + 1) % channels_.size();
        continue;
      }
      grpc::ClientContext context;
      Prepare(context, *token_, absl::Now() + options_.timeout);
      Response response;
      const auto stub = Service::NewStub(channels_[server]);
      status = ToStatus((stub.get()->*method)(&context, request, &response));
      if (status.ok()) return response;
      if (status.code() == absl::StatusCode::kDeadlineExceeded || status.code() == absl::StatusCode::kUnavailable) {
        status = absl::Status(status.code(),
                              fmt::format("{}: {}", options_.servers[server], fmt::streamed(status.message())));
      }
      if (status.code() != absl::StatusCode::kUnavailable || again == Again::kNo) return status;
      current_ = (current_ + 1) % channels_.size();
    }
    return status;
  }

  // For what another change may have come after: done twice, it would undo that one.
  template <typename Request, typename Response>
  absl::StatusOr<Response> Change(grpc::Status (pb::RegistryService::Stub::*method)(grpc::ClientContext*,
                                                                                    const Request&, Response*),
                                  const Request& request) {
    return Call<pb::RegistryService>(method, request, Again::kNo);
  }

  // Runs `call`(stub, context, watch), which starts a stream, moves its messages and gives the status of its end, on
  // the first server that can be reached.
  template <typename Service, typename Streaming>
  absl::Status Stream(const Streaming& call) {
    absl::Status status;
    for (size_t tries = 0; tries < channels_.size(); ++tries, current_ = (current_ + 1) % channels_.size()) {
      const std::string& server = options_.servers[current_];
      if (!IsConnected(*channels_[current_], share_)) {
        status = absl::UnavailableError(fmt::format("{}: no connection", server));
        continue;
      }
      grpc::ClientContext context;
      Prepare(context, *token_, absl::Now() + kMaxStream);
      StallWatch watch(context, std::max(kMinStall, options_.timeout));
      const auto stub = Service::NewStub(channels_[current_]);
      status = call(*stub, context, watch);
      if (!watch.stalled()) return status;
      return absl::DeadlineExceededError(fmt::format("{}: nothing moved for too long", server));
    }
    return status;
  }

  absl::Status Watch(const pb::WatchTemplatesRequest& request,
                     const std::function<bool(const pb::WatchTemplatesResponse&)>& take) {
    absl::Status status;
    for (size_t tries = 0; tries < channels_.size(); ++tries, current_ = (current_ + 1) % channels_.size()) {
      if (IsConnected(*channels_[current_], share_)) return WatchAt(channels_[current_], request, take);
      status = absl::UnavailableError(fmt::format("{}: no connection", options_.servers[current_]));
    }
    return status;
  }

  void CancelWatch() {
    const std::lock_guard lock(watch_mutex_);
    cancelled_ = true;
    if (watch_ != nullptr) watch_->TryCancel();
  }

 private:
  absl::Status WatchAt(const std::shared_ptr<grpc::Channel>& channel, const pb::WatchTemplatesRequest& request,
                       const std::function<bool(const pb::WatchTemplatesResponse&)>& take) {
    grpc::ClientContext context;
    Prepare(context, *token_, absl::InfiniteFuture());
    {
      const std::lock_guard lock(watch_mutex_);
      if (cancelled_) return absl::CancelledError("cancelled");
      watch_ = &context;
    }
    const auto stub = pb::ResolverService::NewStub(channel);
    const auto reader = stub->WatchTemplates(&context, request);
    pb::WatchTemplatesResponse response;
    bool wanted = true;
    while (wanted && reader->Read(&response)) wanted = take(response);
    if (!wanted) context.TryCancel();
    const absl::Status status = ToStatus(reader->Finish());
    const std::lock_guard lock(watch_mutex_);
    watch_ = nullptr;
    if (!wanted) return absl::OkStatus();
    return status.ok() ? absl::UnavailableError("the server ended the watch") : status;
  }

  const ServerOptions options_;
  const std::unique_ptr<Token> token_;
  const std::vector<std::shared_ptr<grpc::Channel>> channels_;
  const absl::Duration share_;  // a server that does not answer at all must leave time for the others
  size_t current_ = 0;
  std::mutex watch_mutex_;  // guards the next two
  grpc::ClientContext* watch_ = nullptr;
  bool cancelled_ = false;
};

RegistryClient::RegistryClient(std::unique_ptr<Connections> connections) : connections_(std::move(connections)) {}
RegistryClient::~RegistryClient() = default;

absl::StatusOr<std::unique_ptr<RegistryClient>> RegistryClient::Create(const ServerOptions& options) {
  absl::StatusOr<std::unique_ptr<Token>> token = Token::Open(options.token_file);
  if (!token.ok()) return token.status();
  auto channels = MakeChannels(options, fmt::format("tasker-registryctl/{}", kVersion), kKeepalive);
  if (!channels.ok()) return channels.status();
  auto connections = std::make_unique<Connections>(options, *std::move(token), *std::move(channels));
  return std::unique_ptr<RegistryClient>(new RegistryClient(std::move(connections)));
}
absl::StatusOr<pb::RegisterTemplatesResponse> RegistryClient::RegisterTemplates(
    const pb::RegisterTemplatesRequest& request) {
  return connections_->Call<pb::RegistryService>(&pb::RegistryService::Stub::RegisterTemplates, request);
}
absl::StatusOr<pb::ValidateTemplateResponse> RegistryClient::ValidateTemplate(
    const pb::ValidateTemplateRequest& request) {
  return connections_->Call<pb::RegistryService>(&pb::RegistryService::Stub::ValidateTemplate, request);
}
absl::StatusOr<pb::ResolveTemplateResponse> RegistryClient::ResolveTemplate(const pb::ResolveTemplateRequest& request) {
  return connections_->Call<pb::ResolverService>(&pb::ResolverService::Stub::ResolveTemplate, request);
}
absl::StatusOr<pb::ResolveHandlerResponse> RegistryClient::ResolveHandler(const pb::ResolveHandlerRequest& request) {
  return connections_->Call<pb::ResolverService>(&pb::ResolverService::Stub::ResolveHandler, request);
}
absl::StatusOr<pb::ValidateTaskInputResponse> RegistryClient::ValidateTaskInput(
    const pb::ValidateTaskInputRequest& request) {
  return connections_->Call<pb::ResolverService>(&pb::ResolverService::Stub::ValidateTaskInput, request);
}
absl::StatusOr<pb::ValidateEventPayloadResponse> RegistryClient::ValidateEventPayload(
    const pb::ValidateEventPayloadRequest& request) {
  return connections_->Call<pb::ResolverService>(&pb::ResolverService::Stub::ValidateEventPayload, request);
}
absl::StatusOr<pb::GetTemplateResponse> RegistryClient::GetTemplate(const pb::GetTemplateRequest& request) {
  return connections_->Call<pb::CatalogService>(&pb::CatalogService::Stub::GetTemplate, request);
}
absl::StatusOr<pb::ListTemplatesResponse> RegistryClient::ListTemplates(const pb::ListTemplatesRequest& request) {
  return connections_->Call<pb::CatalogService>(&pb::CatalogService::Stub::ListTemplates, request);
}
absl::StatusOr<pb::ListTemplateVersionsResponse> RegistryClient::ListTemplateVersions(
    const pb::ListTemplateVersionsRequest& request) {
  return connections_->Call<pb::CatalogService>(&pb::CatalogService::Stub::ListTemplateVersions, request);
}
absl::StatusOr<pb::ListCallablesResponse> RegistryClient::ListCallables(const pb::ListCallablesRequest& request) {
  return connections_->Call<pb::CatalogService>(&pb::CatalogService::Stub::ListCallables, request);
}
absl::StatusOr<pb::ExplainResolutionResponse> RegistryClient::ExplainResolution(
    const pb::ExplainResolutionRequest& request) {
  return connections_->Call<pb::CatalogService>(&pb::CatalogService::Stub::ExplainResolution, request);
}
absl::StatusOr<pb::GetServerInfoResponse> RegistryClient::GetServerInfo(const pb::GetServerInfoRequest& request) {
  return connections_->Call<pb::CatalogService>(&pb::CatalogService::Stub::GetServerInfo, request);
}
absl::StatusOr<pb::SetChannelResponse> RegistryClient::SetChannel(const pb::SetChannelRequest& request) {
  return connections_->Change(&pb::RegistryService::Stub::SetChannel, request);
}
absl::StatusOr<pb::DeleteChannelResponse> RegistryClient::DeleteChannel(const pb::DeleteChannelRequest& request) {
  return connections_->Change(&pb::RegistryService::Stub::DeleteChannel, request);
}
absl::StatusOr<pb::DeprecateTemplateResponse> RegistryClient::DeprecateTemplate(
    const pb::DeprecateTemplateRequest& request) {
  return connections_->Change(&pb::RegistryService::Stub::DeprecateTemplate, request);
}
absl::StatusOr<pb::YankTemplateResponse> RegistryClient::YankTemplate(const pb::YankTemplateRequest& request) {
  return connections_->Change(&pb::RegistryService::Stub::YankTemplate, request);
}
absl::StatusOr<pb::RestoreTemplateResponse> RegistryClient::RestoreTemplate(const pb::RestoreTemplateRequest& request) {
  return connections_->Change(&pb::RegistryService::Stub::RestoreTemplate, request);
}
absl::StatusOr<pb::PurgeTemplateResponse> RegistryClient::PurgeTemplate(const pb::PurgeTemplateRequest& request) {
  return connections_->Change(&pb::RegistryService::Stub::PurgeTemplate, request);
}
absl::StatusOr<pb::SetVersionPolicyResponse> RegistryClient::SetVersionPolicy(
    const pb::SetVersionPolicyRequest& request) {
  return connections_->Change(&pb::RegistryService::Stub::SetVersionPolicy, request);
}
absl::StatusOr<pb::CheckCallablesResponse> RegistryClient::CheckCallables(const pb::CheckCallablesRequest& request) {
  return connections_->Call<pb::ResolverService>(&pb::ResolverService::Stub::CheckCallables, request);
}
absl::StatusOr<pb::ListNamespacesResponse> RegistryClient::ListNamespaces(const pb::ListNamespacesRequest& request) {
  return connections_->Call<pb::CatalogService>(&pb::CatalogService::Stub::ListNamespaces, request);
}
absl::StatusOr<pb::ListChannelsResponse> RegistryClient::ListChannels(const pb::ListChannelsRequest& request) {
  return connections_->Call<pb::CatalogService>(&pb::CatalogService::Stub::ListChannels, request);
}
absl::StatusOr<pb::ListChannelHistoryResponse> RegistryClient::ListChannelHistory(
    const pb::ListChannelHistoryRequest& request) {
  return connections_->Call<pb::CatalogService>(&pb::CatalogService::Stub::ListChannelHistory, request);
}
absl::StatusOr<pb::ListDomainEventsResponse> RegistryClient::ListDomainEvents(
    const pb::ListDomainEventsRequest& request) {
  return connections_->Call<pb::CatalogService>(&pb::CatalogService::Stub::ListDomainEvents, request);
}
absl::StatusOr<pb::ListChangesResponse> RegistryClient::ListChanges(const pb::ListChangesRequest& request) {
  return connections_->Call<pb::CatalogService>(&pb::CatalogService::Stub::ListChanges, request);
}
absl::StatusOr<pb::FindCallableUsagesResponse> RegistryClient::FindCallableUsages(
    const pb::FindCallableUsagesRequest& request) {
  return connections_->Call<pb::CatalogService>(&pb::CatalogService::Stub::FindCallableUsages, request);
}
absl::StatusOr<pb::FindEventUsagesResponse> RegistryClient::FindEventUsages(const pb::FindEventUsagesRequest& request) {
  return connections_->Call<pb::CatalogService>(&pb::CatalogService::Stub::FindEventUsages, request);
}
absl::StatusOr<pb::FindSystemUsagesResponse> RegistryClient::FindSystemUsages(
    const pb::FindSystemUsagesRequest& request) {
  return connections_->Call<pb::CatalogService>(&pb::CatalogService::Stub::FindSystemUsages, request);
}

absl::Status RegistryClient::ExportTemplates(const pb::ExportTemplatesRequest& request,
                                             const std::function<absl::Status(pb::ArchiveItem)>& take) {
  return connections_->Stream<pb::RegistryService>([&](auto& stub, grpc::ClientContext& context, StallWatch& watch) {
    const auto stream = stub.ExportTemplates(&context, request);
    pb::ExportTemplatesResponse response;
    while (watch.Time([&] { return stream->Read(&response); })) {
      if (absl::Status taken = take(std::move(*response.mutable_item())); !taken.ok()) {
        context.TryCancel();
        stream->Finish();
        return taken;
      }
    }
    return ToStatus(stream->Finish());
  });
}

absl::StatusOr<pb::ImportTemplatesResponse> RegistryClient::ImportTemplates(
    const std::function<absl::StatusOr<bool>(pb::ImportTemplatesRequest&)>& give) {
  pb::ImportTemplatesResponse response;
  const auto call = [&](auto& stub, grpc::ClientContext& context, StallWatch& watch) {
    const auto stream = stub.ImportTemplates(&context, &response);
    for (;;) {
      pb::ImportTemplatesRequest request;
      const absl::StatusOr<bool> more = give(request);
      if (!more.ok()) {
        context.TryCancel();
        stream->Finish();
        return more.status();
      }
      // A failed write: the server has answered already.
      if (!*more || !watch.Time([&] { return stream->Write(request); })) break;
    }
    stream->WritesDone();
    return ToStatus(stream->Finish());
  };
  if (absl::Status status = connections_->Stream<pb::RegistryService>(call); !status.ok()) return status;
  return response;
}

absl::Status RegistryClient::WatchTemplates(const pb::WatchTemplatesRequest& request,
                                            const std::function<bool(const pb::WatchTemplatesResponse&)>& take) {
  return connections_->Watch(request, take);
}
void RegistryClient::CancelWatch() { connections_->CancelWatch(); }

}  // namespace tasker::client
