#include "tests/bench/grpc_load.h"

#include <absl/synchronization/notification.h>
#include <fmt/format.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/server.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "echo.grpc.pb.h"
#include "server/call.h"
#include "server/listener.h"
#include "server/services.h"

namespace tasker::bench {
namespace {

constexpr char kEcho[] = "/tasker.bench.EchoService/Echo";
constexpr char kValidate[] = "/tasker.registry.v1.ResolverService/ValidateTaskInput";
constexpr char kResolve[] = "/tasker.registry.v1.ResolverService/ResolveTemplate";

class Echoer final : public EchoService::WithCallbackMethod_Echo<EchoService::Service> {
 public:
  grpc::ServerUnaryReactor* Echo(grpc::CallbackServerContext* context, const EchoRequest* request,
                                 EchoResponse* response) override {
    response->GetReflection()->MutableUnknownFields(response)->MergeFrom(
        request->GetReflection()->GetUnknownFields(*request));
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

// Keeps `depth` calls going until `calls` are done. The same client work for every method: bytes out, bytes in.
class Loop {
 public:
  Loop(const std::shared_ptr<grpc::Channel>& channel, std::string method, const std::string& request, long calls)
      : stub_(channel), method_(std::move(method)), request_(Buffer(request)), unstarted_(calls), unfinished_(calls) {}

  // Also one after the other, with the latency of each in `latencies`.
  void RunTimed(std::vector<double>& latencies) {
    latencies_ = &latencies;
    Run(1);
  }

  void Run(int depth) {
    std::vector<Slot> slots(static_cast<size_t>(depth));
    for (Slot& slot : slots) Next(slot);
    done_.WaitForNotification();
  }

 private:
  struct Slot {
    std::chrono::steady_clock::time_point start;
    std::unique_ptr<grpc::ClientContext> context;
    grpc::ByteBuffer response;
  };

  static grpc::ByteBuffer Buffer(const std::string& bytes) {
    const grpc::Slice slice(bytes);
    return grpc::ByteBuffer(&slice, 1);
  }

  void Next(Slot& slot) {
    if (unstarted_.fetch_sub(1) <= 0) return;
    slot.context = std::make_unique<grpc::ClientContext>();
    slot.start = std::chrono::steady_clock::now();
    stub_.UnaryCall(slot.context.get(), method_, {}, &request_, &slot.response, [this, &slot](grpc::Status status) {
      if (!status.ok()) {
        fmt::print(stderr, "{} failed: {}\n", method_, status.error_message());
        std::_Exit(1);
      }
      if (latencies_ != nullptr) {
        latencies_->push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - slot.start).count());
      }
      Next(slot);
      if (unfinished_.fetch_sub(1) == 1) done_.Notify();  // the last use of this object
    });
  }

  grpc::GenericStub stub_;
  const std::string method_;
  const grpc::ByteBuffer request_;
  std::atomic<long> unstarted_;
  std::atomic<long> unfinished_;
  absl::Notification done_;
  std::vector<double>* latencies_ = nullptr;
};

}  // namespace

class GrpcLoad::Parts {
 public:
  Parts(registry::Resolver& resolver, registry::PayloadCheck& payloads)
      : resolver_service_(server::MakeResolverService(runner_, resolver, payloads)) {
    server::Options options;
    options.listen = "127.0.0.1:0";
    listening_ = server::Listen(options, {resolver_service_.get(), &echo_}).value();
    channel_ = grpc::CreateChannel(listening_.address, grpc::InsecureChannelCredentials());
  }
  ~Parts() { listening_.server->Shutdown(); }

  long Run(const char* method, const std::string& request, long calls, int depth) {
    Loop(channel_, method, request, calls).Run(depth);
    return calls;
  }

  double P99(const char* method, const std::string& request, long calls) {
    std::vector<double> latencies;
    latencies.reserve(static_cast<size_t>(calls));
    Loop(channel_, method, request, calls).RunTimed(latencies);
    const auto p99 = latencies.begin() + static_cast<std::ptrdiff_t>(latencies.size() * 99 / 100);
    std::nth_element(latencies.begin(), p99, latencies.end());
    return *p99;
  }

 private:
  server::Executor executor_{{.threads = 4}};
  server::Metrics metrics_;
  server::CallRunner runner_{executor_, metrics_, {}};
  std::unique_ptr<grpc::Service> resolver_service_;
  Echoer echo_;
  server::Listening listening_;
  std::shared_ptr<grpc::Channel> channel_;
};

GrpcLoad::GrpcLoad(registry::Resolver& resolver, registry::PayloadCheck& payloads)
    : parts_(std::make_unique<Parts>(resolver, payloads)) {}
GrpcLoad::~GrpcLoad() = default;

long GrpcLoad::Echo(long calls, int depth) { return parts_->Run(kEcho, "", calls, depth); }

long GrpcLoad::Resolve(const registry::pb::ResolveTemplateRequest& request, long calls, int depth) {
  return parts_->Run(kResolve, request.SerializeAsString(), calls, depth);
}

double GrpcLoad::ValidateP99(const registry::pb::ValidateTaskInputRequest& request, long calls) {
  return parts_->P99(kValidate, request.SerializeAsString(), calls);
}

double GrpcLoad::EchoP99(const std::string& bytes, long calls) { return parts_->P99(kEcho, bytes, calls); }

}  // namespace tasker::bench
