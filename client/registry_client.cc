#include "client/registry_client.h"

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <google/protobuf/any.pb.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <sstream>
#include <thread>
#include <utility>

#include "client/version.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tasker/registry/v1/catalog.grpc.pb.h"
#include "tasker/registry/v1/registry.grpc.pb.h"
#include "tasker/registry/v1/resolver.grpc.pb.h"

namespace tasker::client {
namespace {

// A stream may take long, but not for ever, and not without moving.
constexpr absl::Duration kMaxStream = absl::Hours(1);
constexpr absl::Duration kMinStall = absl::Seconds(60);

constexpr char kViolationsUrl[] = "type.googleapis.com/google.rpc.BadRequest";

absl::StatusOr<std::string> ReadOptionFile(const char* option, const std::string& path) {
  if (path.empty()) return "";
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    return absl::InvalidArgumentError(fmt::format("{}: '{}' cannot be read", option, path));
  }
  return text.str();
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> Credentials(const ServerOptions& options) {
  if (!options.uses_tls()) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions ssl;
  const std::pair<const char*, std::pair<const std::string*, std::string*>> files[] = {
      {"--tls-ca", {&options.tls_ca, &ssl.pem_root_certs}},
      {"--tls-cert", {&options.tls_cert, &ssl.pem_cert_chain}},
      {"--tls-key", {&options.tls_key, &ssl.pem_private_key}}};
  for (const auto& [option, file] : files) {
    absl::StatusOr<std::string> text = ReadOptionFile(option, *file.first);
    if (!text.ok()) return text.status();
    *file.second = *std::move(text);
  }
  return grpc::SslCredentials(ssl);
}

absl::StatusOr<std::string> ReadToken(const std::string& path) {
  absl::StatusOr<std::string> text = ReadOptionFile("--token-file", path);
  if (!text.ok() || path.empty()) return text;
  while (!text->empty() && std::string_view(" \t\r\n").find(text->back()) != std::string_view::npos) text->pop_back();
  const bool printable = std::all_of(text->begin(), text->end(), [](char c) { return c > 0x20 && c < 0x7F; });
  if (text->empty() || !printable) {
    return absl::InvalidArgumentError(fmt::format("--token-file: '{}' holds no token of one printable word", path));
  }
  return text;
}

absl::Status ToStatus(const grpc::Status& status) {
  absl::Status out(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return out;
  for (const google::protobuf::Any& detail : details.details()) {
    if (detail.Is<google::rpc::BadRequest>()) out.SetPayload(kViolationsUrl, absl::Cord(detail.value()));
  }
  return out;
}

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

std::vector<std::string> Violations(const absl::Status& status) {
  std::vector<std::string> out;
  google::rpc::BadRequest details;
  const absl::optional<absl::Cord> payload = status.GetPayload(kViolationsUrl);
  if (!payload || !details.ParseFromString(std::string(*payload))) return out;
  for (const auto& violation : details.field_violations()) {
    out.push_back(fmt::format("{}: {}", violation.field(), violation.description()));
  }
  return out;
}

// One channel for each server, and the one that answered last.
class RegistryClient::Connections {
 public:
  Connections(const ServerOptions& options, std::string token, std::shared_ptr<grpc::ChannelCredentials> credentials)
      : options_(options), token_(std::move(token)) {
    for (const std::string& server : options.servers) {
      grpc::ChannelArguments arguments;
      arguments.SetUserAgentPrefix(fmt::format("tasker-registryctl/{}", kVersion));
      arguments.SetMaxReceiveMessageSize(-1);  // a template may be larger than gRPC's 4 MiB once it is a message
      if (IsLocal(server)) arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
      channels_.push_back(grpc::CreateCustomChannel(server, credentials, arguments));
    }
  }

  template <typename Service, typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Service::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                                const Request& request) {
    absl::Status status;
    for (size_t tries = 0; tries < channels_.size(); ++tries) {
      const size_t server = current_;
      if (channels_.size() > 1 && !IsConnected(*channels_[server])) {
        status = absl::UnavailableError(fmt::format("{}: no connection", options_.servers[server]));
        current_ = (current_ + 1) % channels_.size();
        continue;
      }
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoNanoseconds(options_.timeout));
      if (!token_.empty()) context.AddMetadata("authorization", "Bearer " + token_);
      Response response;
      const auto stub = Service::NewStub(channels_[server]);
      status = ToStatus((stub.get()->*method)(&context, request, &response));
      if (status.ok()) return response;
      if (status.code() == absl::StatusCode::kDeadlineExceeded || status.code() == absl::StatusCode::kUnavailable) {
        status = absl::Status(status.code(),
                              fmt::format("{}: {}", options_.servers[server], fmt::streamed(status.message())));
      }
      if (status.code() != absl::StatusCode::kUnavailable) return status;
      current_ = (current_ + 1) % channels_.size();
    }
    return status;
  }

  // Runs `call`(stub, context, watch), which starts a stream, moves its messages and gives the status of its end, on
  // the first server that can be reached.
  template <typename Service, typename Streaming>
  absl::Status Stream(const Streaming& call) {
    absl::Status status;
    for (size_t tries = 0; tries < channels_.size(); ++tries, current_ = (current_ + 1) % channels_.size()) {
      const std::string& server = options_.servers[current_];
      if (!IsConnected(*channels_[current_])) {
        status = absl::UnavailableError(fmt::format("{}: no connection", server));
        continue;
      }
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + absl::ToChronoNanoseconds(kMaxStream));
      if (!token_.empty()) context.AddMetadata("authorization", "Bearer " + token_);
      StallWatch watch(context, std::max(kMinStall, options_.timeout));
      const auto stub = Service::NewStub(channels_[current_]);
      status = call(*stub, context, watch);
      if (!watch.stalled()) return status;
      return absl::DeadlineExceededError(fmt::format("{}: nothing moved for too long", server));
    }
    return status;
  }

 private:
  // Whether a call may be tried there. A server that does not answer at all must leave time for the others.
  bool IsConnected(grpc::Channel& channel) const {
    const auto share = absl::ToChronoNanoseconds(options_.timeout) / static_cast<int64_t>(channels_.size());
    const auto deadline = std::chrono::system_clock::now() + share;
    for (;;) {
      const grpc_connectivity_state state = channel.GetState(/*try_to_connect=*/true);
      if (state == GRPC_CHANNEL_READY) return true;
      if (state == GRPC_CHANNEL_TRANSIENT_FAILURE || !channel.WaitForStateChange(state, deadline)) return false;
    }
  }

  const ServerOptions options_;
  const std::string token_;
  std::vector<std::shared_ptr<grpc::Channel>> channels_;
  size_t current_ = 0;
};

RegistryClient::RegistryClient(std::unique_ptr<Connections> connections) : connections_(std::move(connections)) {}
RegistryClient::~RegistryClient() = default;

absl::StatusOr<std::unique_ptr<RegistryClient>> RegistryClient::Create(const ServerOptions& options) {
  absl::StatusOr<std::string> token = ReadToken(options.token_file);
  if (!token.ok()) return token.status();
  auto credentials = Credentials(options);
  if (!credentials.ok()) return credentials.status();
  auto connections = std::make_unique<Connections>(options, *std::move(token), *std::move(credentials));
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
  return connections_->Call<pb::RegistryService>(&pb::RegistryService::Stub::SetChannel, request);
}
absl::StatusOr<pb::DeleteChannelResponse> RegistryClient::DeleteChannel(const pb::DeleteChannelRequest& request) {
  return connections_->Call<pb::RegistryService>(&pb::RegistryService::Stub::DeleteChannel, request);
}
absl::StatusOr<pb::DeprecateTemplateResponse> RegistryClient::DeprecateTemplate(
    const pb::DeprecateTemplateRequest& request) {
  return connections_->Call<pb::RegistryService>(&pb::RegistryService::Stub::DeprecateTemplate, request);
}
absl::StatusOr<pb::YankTemplateResponse> RegistryClient::YankTemplate(const pb::YankTemplateRequest& request) {
  return connections_->Call<pb::RegistryService>(&pb::RegistryService::Stub::YankTemplate, request);
}
absl::StatusOr<pb::RestoreTemplateResponse> RegistryClient::RestoreTemplate(const pb::RestoreTemplateRequest& request) {
  return connections_->Call<pb::RegistryService>(&pb::RegistryService::Stub::RestoreTemplate, request);
}
absl::StatusOr<pb::PurgeTemplateResponse> RegistryClient::PurgeTemplate(const pb::PurgeTemplateRequest& request) {
  return connections_->Call<pb::RegistryService>(&pb::RegistryService::Stub::PurgeTemplate, request);
}
absl::StatusOr<pb::SetVersionPolicyResponse> RegistryClient::SetVersionPolicy(
    const pb::SetVersionPolicyRequest& request) {
  return connections_->Call<pb::RegistryService>(&pb::RegistryService::Stub::SetVersionPolicy, request);
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
absl::StatusOr<pb::CompareTemplatesResponse> RegistryClient::CompareTemplates(
    const pb::CompareTemplatesRequest& request) {
  return connections_->Call<pb::CatalogService>(&pb::CatalogService::Stub::CompareTemplates, request);
}
absl::StatusOr<pb::DescribeTemplateResponse> RegistryClient::DescribeTemplate(
    const pb::DescribeTemplateRequest& request) {
  return connections_->Call<pb::CatalogService>(&pb::CatalogService::Stub::DescribeTemplate, request);
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

}  // namespace tasker::client
