#include <absl/synchronization/mutex.h>
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tasker/registry/v1/resolver.grpc.pb.h"
#include "tests/bench/watchers.h"

namespace tasker::bench {
namespace {

namespace pb = ::tasker::registry::v1;

class Watch final : public grpc::ClientReadReactor<pb::WatchTemplatesResponse> {
 public:
  Watch(const std::shared_ptr<grpc::Channel>& channel, int64_t revision, WatchProgress& progress)
      : progress_(progress), record_(revision, progress), stub_(pb::ResolverService::NewStub(channel)) {
    request_.set_from_revision(revision);
    stub_->async()->WatchTemplates(&context_, &request_, this);
    StartRead(&response_);
    StartCall();
  }

  const std::vector<double>& Stop() {
    stopping_ = true;
    context_.TryCancel();
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&done_));
    return record_.delays();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    record_.Take(response_);
    StartRead(&response_);
  }

  void OnDone(const grpc::Status&) override {
    if (!stopping_) progress_.failed = true;
    absl::MutexLock lock(&mutex_);
    done_ = true;
  }

 private:
  WatchProgress& progress_;
  WatchRecord record_;
  const std::unique_ptr<pb::ResolverService::Stub> stub_;
  grpc::ClientContext context_;
  pb::WatchTemplatesRequest request_;
  pb::WatchTemplatesResponse response_;
  std::atomic<bool> stopping_ = false;
  absl::Mutex mutex_;
  bool done_ = false;
};

class GrpcWatchers final : public Watchers {
 public:
  GrpcWatchers(const std::string& address, int watchers, int connections, int64_t revision, WatchProgress& progress) {
    std::vector<std::shared_ptr<grpc::Channel>> channels;
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // else all would share one connection
    for (int i = 0; i < connections; ++i) {
      channels.push_back(grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
    }
    for (int i = 0; i < watchers; ++i) {
      watches_.push_back(std::make_unique<Watch>(channels[static_cast<size_t>(i % connections)], revision, progress));
    }
  }
  ~GrpcWatchers() override { Stop(); }

  std::vector<double> Stop() override {
    std::vector<double> delays;
    for (const auto& watch : watches_) {
      const std::vector<double>& some = watch->Stop();
      delays.insert(delays.end(), some.begin(), some.end());
    }
    watches_.clear();
    return delays;
  }

 private:
  std::vector<std::unique_ptr<Watch>> watches_;
};

}  // namespace

std::unique_ptr<Watchers> MakeGrpcWatchers(const std::string& address, int watchers, int connections, int64_t revision,
                                           WatchProgress& progress) {
  return std::make_unique<GrpcWatchers>(address, watchers, connections, revision, progress);
}

}  // namespace tasker::bench
