#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "lib/registry/change_feed.h"
#include "lib/store/store.h"
#include "server/call.h"
#include "server/executor.h"

namespace tasker::server {

/// Numbers for metrics.
struct WatchStats {
  size_t open = 0;
  uint64_t too_slow = 0;  ///< ended because they could not keep up, since the start
  int64_t lag = 0;        ///< revisions that the slowest watcher is behind this server
};

/// Every running WatchTemplates. A watcher holds a place in the change log, not a queue: what it has yet to get lies in
/// the feed's memory, shared by all, and before that in the database, from which it is read in pages. One that was up
/// to date and then falls out of the feed's memory, or takes nothing for `stall_limit`, is ended: RESOURCE_EXHAUSTED.
/// Safe to call from any thread.
class WatchHub {
 public:
  struct Options {
    int max_watches = 10'000;
    absl::Duration bookmark_interval = absl::Seconds(25);
    absl::Duration stall_limit = absl::Seconds(60);
  };
  using Reactor = grpc::ServerWriteReactor<grpc::ByteBuffer>;

  /// Adds itself to the feed, which must not have started, and must have stopped before this is destroyed. The executor
  /// must be gone, or hold nothing of ours, when this is destroyed.
  WatchHub(registry::ChangeFeed& feed, std::shared_ptr<store::Store> store, Executor& executor, CallRunner& runner,
           const Options& options);
  /// REQUIRES: no watch is open.
  ~WatchHub();
  WatchHub(const WatchHub&) = delete;
  WatchHub& operator=(const WatchHub&) = delete;

  /// Serves one call of WatchTemplates until it ends:
  ///   INVALID_ARGUMENT    a malformed request;
  ///   OUT_OF_RANGE        from a revision that is not kept, or not there yet; or the log was restored from elsewhere;
  ///   RESOURCE_EXHAUSTED  too slow, or too many watches;
  ///   UNAVAILABLE         after CloseAll; or the database is away while older changes are being read.
  /// Where the watch had begun, the error's metadata has "resume_revision".
  Reactor* Watch(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request);

  /// Ends every watch and refuses new ones. Waits a moment for those whose clients do not take the end, then cancels
  /// them. The second time it does nothing.
  void CloseAll();

  WatchStats Stats() const;

 private:
  class Watcher;
  using Handle = std::shared_ptr<Watcher>;

  // Watchers that one thread serves.
  struct Shard {
    mutable std::mutex mutex;  // guards the next four
    std::condition_variable changed;
    std::unordered_map<Watcher*, Handle> watchers;
    bool advanced = false;
    bool stopping = false;

    std::mutex run_mutex;  // guards the next three; before a watcher's
    std::condition_variable run_ended;
    uint64_t run = 0;       // of writes: its number
    size_t unfinished = 0;  // of its writes

    std::thread thread;
  };

  void Dispatch(Shard& shard);
  static void SendAll(Shard& shard, const std::vector<Handle>& watchers);
  // A write of `run` has ended; 0: one of no run.
  static void EndOfWrite(Shard& shard, uint64_t run);
  void EndAll(const absl::Status& reason);
  std::vector<Handle> AllWatchers() const;
  void Remove(Watcher* watcher);
  bool closed() const;

  // Pages of older changes: few are read at once, the others wait in line, so that a crowd that comes back leaves room
  // for other calls.
  void LoadPage(Handle watcher);
  void PumpPages();

  registry::ChangeFeed& feed_;
  const std::shared_ptr<store::Store> store_;
  Executor& executor_;
  const Method method_;
  const Options options_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::atomic<size_t> next_shard_{0};
  std::atomic<uint64_t> too_slow_{0};

  mutable std::mutex mutex_;  // guards the next two
  std::condition_variable gone_;
  size_t open_ = 0;
  bool closed_ = false;

  std::mutex pages_mutex_;  // guards the next two
  std::deque<Handle> waiting_pages_;
  int loading_pages_ = 0;
};

}  // namespace tasker::server
