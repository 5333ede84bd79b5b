#include "server/listener.h"

#include <absl/status/status.h>
#include <fmt/format.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <fstream>
#include <iterator>
#include <mutex>

#include "grpc/health/v1/health.pb.h"
#include "lib/registry/registrar.h"
#include "server/address.h"

namespace tasker::server {
namespace {

// Just above the largest batch, so that it is refused by us, with words, and not by gRPC.
constexpr int kMaxReceiveBytes = static_cast<int>(registry::kMaxBatchBytes) + (1 << 20);
constexpr int kMaxMetadataBytes = 16 << 10;

// Clients may ping this often without sending anything: a watching client must notice a dead connection, and gRPC's
// own limit of five minutes would answer it with GOAWAY.
constexpr int kMinPingIntervalMs = 10'000;
constexpr int kKeepaliveTimeMs = 60'000;
constexpr int kKeepaliveTimeoutMs = 20'000;

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file || text.empty()) return absl::InvalidArgumentError(fmt::format("cannot read '{}'", path));
  return text;
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> Credentials(const Options& options) {
  if (options.tls_cert.empty()) return grpc::InsecureServerCredentials();
  const absl::StatusOr<std::string> cert = ReadFile(options.tls_cert);
  if (!cert.ok()) return cert.status();
  const absl::StatusOr<std::string> key = ReadFile(options.tls_key);
  if (!key.ok()) return key.status();
  grpc::SslServerCredentialsOptions ssl;
  ssl.pem_key_cert_pairs.push_back({*key, *cert});
  if (!options.tls_client_ca.empty()) {
    const absl::StatusOr<std::string> authority = ReadFile(options.tls_client_ca);
    if (!authority.ok()) return authority.status();
    ssl.pem_root_certs = *authority;
    ssl.client_certificate_request = GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
  }
  return grpc::SslServerCredentials(ssl);
}

void Configure(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kMaxReceiveBytes);
  builder.SetMaxSendMessageSize(-1);                        // what is stored can be read
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // else a second server would share the port silently
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kMinPingIntervalMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
}

// Both are process-wide and must come before the first builder.
void EnablePlugins() {
  static std::once_flag once;
  std::call_once(once, [] {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::health::v1::HealthCheckRequest::descriptor();  // links the health service's descriptor into the program
  });
}

}  // namespace

absl::StatusOr<Listening> Listen(const Options& options, const std::vector<grpc::Service*>& services) {
  EnablePlugins();
  const absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> credentials = Credentials(options);
  if (!credentials.ok()) return credentials.status();
  absl::StatusOr<Address> address = ParseAddress(options.listen);
  if (!address.ok()) return address.status();
  grpc::ServerBuilder builder;
  Configure(builder);
  int port = 0;
  builder.AddListeningPort(address->ToString(), *credentials, &port);
  for (grpc::Service* service : services) builder.RegisterService(service);
  Listening listening;
  listening.server = builder.BuildAndStart();
  if (listening.server == nullptr || port == 0) {
    return absl::UnavailableError(fmt::format("cannot listen for gRPC on {}", address->ToString()));
  }
  address->port = port;
  listening.address = address->ToString();
  return listening;
}

}  // namespace tasker::server
