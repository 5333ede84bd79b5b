#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tasker/registry/v1/resolver.grpc.pb.h"

namespace tasker::client {

namespace pb = ::tasker::registry::v1;

/// A ResolverService on a real socket whose faults a test commands: it holds calls, fails them, breaks watches, and
/// forgets changes. What it says of templates is only what it was told. Safe to call from any thread.
class FakeRegistry final : public pb::ResolverService::Service {
 public:
  FakeRegistry() { Start(); }
  ~FakeRegistry() override { Stop(); }

  /// The first `Start` chooses the port that every later one serves on.
  void Start();
  void Stop();
  const std::string& address() const { return address_; }

  /// What the reference resolves to from now on; nothing known of it is NOT_FOUND.
  void Point(const std::string& reference, const std::string& version);
  /// The same for every reference to a template's version: its notice.
  void Deprecate(const std::string& message);
  /// Adds a change of `kind`, and gives its revision.
  int64_t Change(pb::ChangeKind kind, const std::string& namespace_name, const std::string& name,
                 const std::string& version);
  /// `Point` and the change of it as one, as a registry does both at once.
  int64_t Promote(const std::string& reference, const std::string& version);

  /// Resolutions wait between making their answer and giving it, until `Release`.
  void Hold();
  void Release();
  /// The next `count` calls but watches fail so.
  void Fail(int count, grpc::StatusCode code);
  /// The server's own answers are that old.
  void BeStale(int64_t milliseconds);

  void BreakWatches();              ///< each ends with UNAVAILABLE
  void RefuseWatches(bool refuse);  ///< breaks them, and fails new ones with UNAVAILABLE
  void MuteWatches();               ///< those that are open stay so and bring nothing any more
  void ForgetChangesBefore(int64_t revision);

  int resolutions() const { return resolutions_; }  ///< calls but watches so far, failed and held ones included
  int waiting() const { return waiting_; }          ///< calls held just now
  int watches() const { return watches_; }          ///< opened so far
  int64_t last_min_revision() const { return last_min_revision_; }
  std::string authorization() const;        ///< of the last resolution; "" for none
  std::string watch_authorization() const;  ///< of the last watch

  grpc::Status ResolveTemplate(grpc::ServerContext* context, const pb::ResolveTemplateRequest* request,
                               pb::ResolveTemplateResponse* response) override;
  grpc::Status ResolveHandler(grpc::ServerContext* context, const pb::ResolveHandlerRequest* request,
                              pb::ResolveHandlerResponse* response) override;
  // These answer with nothing in it.
  grpc::Status CheckCallables(grpc::ServerContext* context, const pb::CheckCallablesRequest* request,
                              pb::CheckCallablesResponse* response) override;
  grpc::Status ValidateTaskInput(grpc::ServerContext* context, const pb::ValidateTaskInputRequest* request,
                                 pb::ValidateTaskInputResponse* response) override;
  grpc::Status ValidateEventPayload(grpc::ServerContext* context, const pb::ValidateEventPayloadRequest* request,
                                    pb::ValidateEventPayloadResponse* response) override;
  grpc::Status WatchTemplates(grpc::ServerContext* context, const pb::WatchTemplatesRequest* request,
                              grpc::ServerWriter<pb::WatchTemplatesResponse>* writer) override;

 private:
  // Notes the call, and says how it fails where that was commanded. REQUIRES: mutex_ is locked.
  template <typename Request>
  grpc::Status Begin(grpc::ServerContext& context, const Request& request);
  template <typename Request, typename Response>
  grpc::Status Answer(grpc::ServerContext& context, const Request& request, Response* response);

  std::unique_ptr<grpc::Server> server_;
  std::string address_ = "127.0.0.1:0";

  std::atomic<int> resolutions_{0};
  std::atomic<int> waiting_{0};
  std::atomic<int> watches_{0};
  std::atomic<int64_t> last_min_revision_{0};

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::map<std::string, std::string> versions_;
  std::string notice_;
  std::vector<pb::Change> changes_;  // of revision index + 1
  int64_t oldest_ = 0;
  int64_t stale_ms_ = 0;
  std::string authorization_;
  std::string watch_authorization_;
  int watch_epoch_ = 0;
  int muted_ = 0;  // the first so many watches
  bool refuse_watches_ = false;
  bool stopping_ = false;
  bool held_ = false;
  int failures_ = 0;
  grpc::StatusCode failure_ = grpc::StatusCode::OK;
};

}  // namespace tasker::client
