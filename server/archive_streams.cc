#include "server/archive_streams.h"

#include <absl/time/clock.h>
#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "lib/registry/error.h"

namespace tasker::server {
namespace {

namespace pb = registry::pb;
using Bytes = grpc::ByteBuffer;

// Lets the executor's thread wait for what gRPC does with one message after the other.
class Turns {
 public:
  Turns(absl::Time deadline, absl::Duration stall_limit) : deadline_(deadline), stall_limit_(stall_limit) {}

  /// The message that is under way is done; `ok` as gRPC says.
  void Done(bool ok) {
    const std::lock_guard lock(mutex_);
    busy_ = false;
    ok_ = ok;
    changed_.notify_one();
  }

  void Cancel() {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    changed_.notify_one();
  }

  void Begin() {
    const std::lock_guard lock(mutex_);
    busy_ = true;
  }

  /// Waits for Done, and gives what it said. RESOURCE_EXHAUSTED after the stall limit.
  absl::StatusOr<bool> Wait(const char* stalled) {
    const absl::Time stall = absl::Now() + stall_limit_;
    std::unique_lock lock(mutex_);
    const bool ready = changed_.wait_until(lock, absl::ToChronoTime(std::min(stall, deadline_)),
                                           [this] { return cancelled_ || !busy_; });
    if (cancelled_) return absl::CancelledError("the client has gone");
    if (ready) return ok_;
    if (stall > deadline_) return absl::DeadlineExceededError("the deadline passed before the archive's end");
    return registry::Error(absl::StatusCode::kResourceExhausted,
                           fmt::format("the client {} for {} s", stalled, absl::ToInt64Seconds(stall_limit_)),
                           {"STREAM_STALLED", {}, {}});
  }

 private:
  const absl::Time deadline_;
  const absl::Duration stall_limit_;
  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  bool busy_ = false;
  bool ok_ = true;
  bool cancelled_ = false;
};

}  // namespace

// Finish is the last thing that the executor's thread does with one of these: gRPC may delete it at once.
class ArchiveStreams::Exporter final : public grpc::ServerWriteReactor<Bytes> {
 public:
  Exporter(ArchiveStreams& streams, grpc::CallbackServerContext& context, const Bytes& request)
      : streams_(streams),
        record_(streams.export_, context, streams.options_.max_duration),
        turns_(record_.deadline(), streams.options_.stall_limit),
        request_(request) {}

  const Method& method() const { return streams_.export_; }
  CallRecord& record() { return record_; }
  size_t bytes() const { return request_.Length(); }

  absl::Status Run() {
    pb::ExportTemplatesRequest request;
    if (absl::Status status = ParseRequest(request_, request); !status.ok()) return status;
    record_.set_reference(request.namespace_name());
    absl::Status status = streams_.archive_.Export(request, record_.caller(),
                                                   [this](const pb::ArchiveItem& item) { return Write(item); });
    if (status.ok()) status = Wait();
    return status;
  }

  void OnWriteDone(bool ok) override { turns_.Done(ok); }
  void OnCancel() override { turns_.Cancel(); }
  void OnDone() override { delete this; }

 private:
  absl::Status Wait() {
    const absl::StatusOr<bool> done = turns_.Wait("takes nothing");
    if (!done.ok()) return done.status();
    return *done ? absl::OkStatus() : absl::CancelledError("the client has gone");
  }

  absl::Status Write(const pb::ArchiveItem& item) {
    // Even where the client takes nothing, gRPC holds one message, and the one before is done with.
    if (absl::Status status = Wait(); !status.ok()) return status;
    pb::ExportTemplatesResponse response;
    *response.mutable_item() = item;
    message_.Clear();
    EncodeResponse(response, message_);
    turns_.Begin();
    StartWrite(&message_);
    return absl::OkStatus();
  }

  ArchiveStreams& streams_;
  CallRecord record_;
  Turns turns_;
  const Bytes request_;
  Bytes message_;
};

class ArchiveStreams::Importer final : public grpc::ServerReadReactor<Bytes> {
 public:
  Importer(ArchiveStreams& streams, grpc::CallbackServerContext& context, Bytes& response)
      : streams_(streams),
        record_(streams.import_, context, streams.options_.max_duration),
        turns_(record_.deadline(), streams.options_.stall_limit),
        response_(response) {}

  const Method& method() const { return streams_.import_; }
  CallRecord& record() { return record_; }
  size_t bytes() const { return 0; }

  absl::Status Run() {
    const absl::StatusOr<pb::ImportTemplatesResponse> response = streams_.archive_.Import(
        record_.caller(), [this](pb::ImportTemplatesRequest& request) { return Read(request); });
    if (!response.ok()) return response.status();
    EncodeResponse(*response, response_);
    return absl::OkStatus();
  }

  void OnReadDone(bool ok) override { turns_.Done(ok); }
  void OnSendInitialMetadataDone(bool ok) override { turns_.Done(ok); }
  void OnCancel() override { turns_.Cancel(); }
  void OnDone() override { delete this; }

 private:
  absl::StatusOr<bool> Read(pb::ImportTemplatesRequest& request) {
    turns_.Begin();
    StartRead(&message_);
    const absl::StatusOr<bool> more = turns_.Wait("sends nothing");
    if (more.ok() && !*more) return CheckEnd();
    if (!more.ok()) return more.status();
    if (absl::Status status = ParseRequest(message_, request); !status.ok()) return status;
    message_.Clear();
    return true;
  }

  // gRPC says that nothing more comes for a client that is done, and also, perhaps before it says so otherwise, for one
  // that has gone. Half an archive must not be stored: only the first one's call can still be answered.
  absl::StatusOr<bool> CheckEnd() {
    turns_.Begin();
    StartSendInitialMetadata();
    const absl::StatusOr<bool> answered = turns_.Wait("takes nothing");
    if (!answered.ok()) return answered.status();
    if (!*answered) return absl::CancelledError("the client has gone");
    return false;
  }

  ArchiveStreams& streams_;
  CallRecord record_;
  Turns turns_;
  Bytes& response_;
  Bytes message_;
};

ArchiveStreams::ArchiveStreams(CallRunner& runner, Executor& executor, const registry::Archive& archive,
                               const ArchiveOptions& options)
    : executor_(executor),
      archive_(archive),
      options_(options),
      export_(runner.MakeMethod("RegistryService/ExportTemplates")),
      import_(runner.MakeMethod("RegistryService/ImportTemplates")) {}

template <typename Stream>
void ArchiveStreams::Start(Stream* stream) {
  absl::Status refusal = ServerBusy();
  if (++running_ <= options_.max_running) {
    const bool posted = executor_.Post(stream->bytes(), [this, stream] {
      const absl::Status status = Guarded(stream->method().name, [&]() -> absl::Status {
        if (absl::Status wanted = stream->record().CheckWanted(); !wanted.ok()) return wanted;
        return stream->Run();
      });
      --running_;
      stream->Finish(stream->record().Conclude(status));
    });
    if (posted) return;
  } else {
    refusal = registry::Error(
        absl::StatusCode::kResourceExhausted,
        fmt::format("the server exports and imports {} archives already; try again later", options_.max_running),
        {"TOO_MANY_ARCHIVES", {}, {}});
  }
  --running_;
  stream->Finish(stream->record().Conclude(refusal));
}

grpc::ServerWriteReactor<Bytes>* ArchiveStreams::Export(grpc::CallbackServerContext* context, const Bytes* request) {
  auto* const stream = new Exporter(*this, *context, *request);
  Start(stream);
  return stream;
}

grpc::ServerReadReactor<Bytes>* ArchiveStreams::Import(grpc::CallbackServerContext* context, Bytes* response) {
  auto* const stream = new Importer(*this, *context, *response);
  Start(stream);
  return stream;
}

}  // namespace tasker::server
