#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "client/library/answer_cache.h"
#include "client/library/registry_connection.h"

namespace tasker::client {

/// Nanoseconds of the steady clock.
int64_t SteadyNow();

/// Watches the registry on a thread of its own and tells a cache of every change, from the cache's revision on where it
/// has one. An interrupted watch goes on from there; where the registry no longer can, the cache is reset.
class Feed {
 public:
  struct Callbacks {
    std::function<void(const pb::Change&)> on_change;  ///< each once, in order, after the cache; may be empty
    std::function<void()> on_gap;                      ///< changes were missed for good; may be empty
    std::function<void(const std::string&)> log;
  };
  /// `connection` and `cache` outlive this.
  Feed(RegistryConnection& connection, AnswerCache& cache, Callbacks callbacks);
  /// Ends the watch, and waits for a callback that is under way.
  ~Feed();

  /// 0 while every change reaches the cache; else when that was last so (at first, when this was made). Any thread.
  int64_t interrupted_since() const { return interrupted_since_.load(std::memory_order_acquire); }
  /// Whether it ever was. Any thread.
  bool was_live() const { return was_live_.load(std::memory_order_relaxed); }

 private:
  void Run();
  void Receive(const pb::WatchTemplatesResponse& message);
  void Deliver(const pb::WatchTemplatesResponse& message);
  void Reset(int64_t revision);
  void LogEnd(const absl::Status& status);
  bool WaitOrStop(absl::Duration wait);

  RegistryConnection& connection_;
  AnswerCache& cache_;
  const Callbacks callbacks_;
  std::atomic<int64_t> interrupted_since_;
  std::atomic<bool> was_live_{false};

  // Used by the thread alone.
  bool from_now_ = false;            // the next message says where the changes start
  bool heard_ = false;               // something, from the watch under way
  int64_t watch_revision_ = -1;      // of the last message of the watch under way
  int watch_position_ = 0;           // how many changes of that revision it has brought
  int64_t delivered_revision_ = -1;  // of the last change that on_change was given
  int delivered_position_ = 0;       // of that change in its revision
  absl::StatusCode last_end_ = absl::StatusCode::kOk;

  std::mutex mutex_;  // guards stopping_
  std::condition_variable stopped_;
  bool stopping_ = false;
  std::thread thread_;  // last, so that it starts when all is there
};

}  // namespace tasker::client
