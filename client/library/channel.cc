#include "client/library/channel.h"

#include <fmt/format.h>
#include <google/protobuf/any.pb.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <string_view>
#include <utility>

#include "client/library/violations.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace tasker::client {
namespace {

constexpr char kViolationsUrl[] = "type.googleapis.com/google.rpc.BadRequest";

// gRPC would wait up to two minutes between attempts to connect, long after the server is back.
constexpr int kFirstReconnectMs = 200;
constexpr int kLongestReconnectMs = 2'000;
constexpr int kKeepaliveTimeoutMs = 5'000;

absl::StatusOr<std::string> ReadOptionFile(std::string_view what, const std::string& path) {
  if (path.empty()) return "";
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    return absl::InvalidArgumentError(fmt::format("the file '{}' ({}) cannot be read", path, what));
  }
  return text.str();
}

// "" when `path` is empty.
absl::StatusOr<std::string> ReadToken(const std::string& path) {
  absl::StatusOr<std::string> text = ReadOptionFile("token", path);
  if (!text.ok() || path.empty()) return text;
  while (!text->empty() && std::string_view(" \t\r\n").find(text->back()) != std::string_view::npos) text->pop_back();
  const bool printable = std::all_of(text->begin(), text->end(), [](char c) { return c > 0x20 && c < 0x7F; });
  if (text->empty() || !printable) {
    return absl::InvalidArgumentError(fmt::format("the file '{}' holds no token of one printable word", path));
  }
  return text;
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> Credentials(const ServerOptions& options) {
  if (!options.uses_tls()) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions ssl;
  const std::pair<const char*, std::pair<const std::string*, std::string*>> files[] = {
      {"authorities to trust", {&options.tls_ca, &ssl.pem_root_certs}},
      {"TLS certificate", {&options.tls_cert, &ssl.pem_cert_chain}},
      {"key of the TLS certificate", {&options.tls_key, &ssl.pem_private_key}}};
  for (const auto& [what, file] : files) {
    absl::StatusOr<std::string> text = ReadOptionFile(what, *file.first);
    if (!text.ok()) return text.status();
    *file.second = *std::move(text);
  }
  return grpc::SslCredentials(ssl);
}

}  // namespace

absl::StatusOr<std::vector<std::shared_ptr<grpc::Channel>>> MakeChannels(const ServerOptions& options,
                                                                         const std::string& user_agent,
                                                                         absl::Duration keepalive) {
  auto credentials = Credentials(options);
  if (!credentials.ok()) return credentials.status();
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (const std::string& server : options.servers) {
    grpc::ChannelArguments arguments;
    arguments.SetUserAgentPrefix(user_agent);
    arguments.SetLoadBalancingPolicyName("round_robin");
    arguments.SetMaxReceiveMessageSize(-1);  // a template may be larger than gRPC's 4 MiB once it is a message
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstReconnectMs);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLongestReconnectMs);
    if (keepalive > absl::ZeroDuration()) {
      arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, static_cast<int>(absl::ToInt64Milliseconds(keepalive)));
      arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
      // Else gRPC stops asking after two times without data, and a watch is silent for long.
      arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    }
    if (IsLocal(server)) arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    channels.push_back(grpc::CreateCustomChannel(server, *credentials, arguments));
  }
  return channels;
}

absl::StatusOr<std::unique_ptr<Token>> Token::Open(std::string file) {
  absl::StatusOr<std::string> text = ReadToken(file);
  if (!text.ok()) return text.status();
  return std::unique_ptr<Token>(new Token(std::move(file), *std::move(text)));
}

// A call waits for a network, beside which reading a line costs nothing.
std::string Token::Get() const {
  if (file_.empty()) return "";
  absl::StatusOr<std::string> text = ReadToken(file_);
  const std::lock_guard lock(mutex_);
  if (text.ok()) last_ = *std::move(text);
  return last_;
}

void Prepare(grpc::ClientContext& context, const Token& token, absl::Time deadline) {
  if (deadline != absl::InfiniteFuture()) context.set_deadline(absl::ToChronoTime(deadline));
  if (const std::string text = token.Get(); !text.empty()) context.AddMetadata("authorization", "Bearer " + text);
}

bool IsConnected(grpc::Channel& channel, absl::Duration wait) {
  const auto deadline = std::chrono::system_clock::now() + absl::ToChronoNanoseconds(wait);
  for (;;) {
    const grpc_connectivity_state state = channel.GetState(/*try_to_connect=*/true);
    if (state == GRPC_CHANNEL_READY) return true;
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE || !channel.WaitForStateChange(state, deadline)) return false;
  }
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

}  // namespace tasker::client
