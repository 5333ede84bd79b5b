#pragma once

#include <absl/time/time.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>

#include "lib/registry/archive.h"
#include "server/call.h"

namespace tasker::server {

struct ArchiveOptions {
  int max_running = 4;                           ///< exports and imports at once
  absl::Duration max_duration = absl::Hours(1);  ///< for callers that set no deadline, or a later one
  absl::Duration stall_limit = absl::Seconds(60);
};

/// The two streams of archives. The database's work, which waits for the other side of the stream in between, runs on
/// the executor: one of its threads for each stream, so few run at once; more are RESOURCE_EXHAUSTED, as is one whose
/// client takes or sends nothing for too long. One message of a stream is in memory at a time. Safe to call from any
/// thread.
class ArchiveStreams {
 public:
  /// All must outlive it, and it all its calls.
  ArchiveStreams(CallRunner& runner, Executor& executor, const registry::Archive& archive,
                 const ArchiveOptions& options);

  grpc::ServerWriteReactor<grpc::ByteBuffer>* Export(grpc::CallbackServerContext* context,
                                                     const grpc::ByteBuffer* request);
  grpc::ServerReadReactor<grpc::ByteBuffer>* Import(grpc::CallbackServerContext* context, grpc::ByteBuffer* response);

 private:
  class Exporter;
  class Importer;

  /// Runs `stream` on the executor; it finishes in any case.
  template <typename Stream>
  void Start(Stream* stream);

  Executor& executor_;
  const registry::Archive& archive_;
  const ArchiveOptions options_;
  const Method export_;
  const Method import_;
  std::atomic<int> running_ = 0;
};

}  // namespace tasker::server
