#pragma once

#include <absl/status/status.h>
#include <grpcpp/support/byte_buffer.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "lib/registry/resolver.h"
#include "server/call.h"
#include "server/executor.h"

namespace tasker::server {

/// Calls of ResolveTemplate that memory does not answer. One that comes while few threads work on such calls is worked
/// on at once; the others wait, and what waits is worked on together, by one thread, with one question to the database.
/// So a lone caller waits for nobody, and many do not wake a thread and a connection each. Calls that ask for more than
/// what is simply there run by themselves. Safe to call from any thread.
class JoinedResolves {
 public:
  struct Options {
    size_t max_running = 2;     ///< threads of the executor that work on them at once
    size_t max_waiting = 1024;  ///< calls; beyond, they are refused
  };

  /// All must outlive it, but for `executor`, which must be gone before: its last tasks use this. Calls may be finished
  /// later than that, as long as there is a server for them.
  JoinedResolves(CallRunner& runner, Executor& executor, registry::Resolver& resolver, Options options);

  /// Answers `call` some time later; RESOURCE_EXHAUSTED at once where too many wait.
  void Add(std::shared_ptr<Call> call, const grpc::ByteBuffer* bytes);

 private:
  struct Waiting {
    std::shared_ptr<Call> call;  // nullptr: somebody else answers it
    const grpc::ByteBuffer* bytes;
    std::optional<absl::Status> outcome = {};  // with which it is to be finished
  };
  using Batch = std::vector<Waiting>;

  /// Works on what waits until nothing does.
  void Run();
  Batch Take();
  void Resolve(Batch& batch);
  /// Whether it is a request like most; fills `request`, then.
  bool ReadSimple(const Waiting& waiting, registry::pb::ResolveTemplateRequest& request) const;
  void ResolveAlone(Waiting& waiting);
  static void FinishAll(Batch& batch);

  CallRunner& runner_;
  Executor& executor_;
  registry::Resolver& resolver_;
  const Options options_;
  const Method method_;
  std::mutex mutex_;  // guards what follows
  std::deque<Waiting> waiting_;
  size_t running_ = 0;
};

}  // namespace tasker::server
