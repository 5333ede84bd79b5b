#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace tasker::registry {

/// The revision up to which this server knows every change, and those who wait for a later one. Safe to call from any
/// thread.
class RevisionGate {
 public:
  static constexpr size_t kMaxWaiting = 10'000;

  RevisionGate();
  /// REQUIRES: nobody waits, or Close was called.
  ~RevisionGate();
  RevisionGate(const RevisionGate&) = delete;
  RevisionGate& operator=(const RevisionGate&) = delete;

  int64_t revision() const { return revision_.load(std::memory_order_acquire); }

  using Done = std::function<void(const absl::Status&)>;

  /// Calls `done` once, which must not block, on this thread or another:
  ///   OK                  when the revision is reached;
  ///   DEADLINE_EXCEEDED   naming the revision that was reached by then;
  ///   RESOURCE_EXHAUSTED  at once, when kMaxWaiting wait already;
  ///   UNAVAILABLE         after Close.
  void WaitFor(int64_t revision, absl::Time deadline, Done done);

  /// The server knows everything up to `revision`, which may be lower than before when the database is another one.
  void Advance(int64_t revision);

  /// Nobody waits any longer.
  void Close();

  size_t waiting() const;

 private:
  struct Waiter {
    absl::Time deadline;
    Done done;
  };
  using Waiters = std::multimap<int64_t, Waiter>;

  void Watch();
  absl::Status TooLate(int64_t wanted) const;

  std::atomic<int64_t> revision_{0};
  mutable std::mutex mutex_;  // guards what follows, but for the thread
  std::condition_variable changed_;
  Waiters waiters_;  // by revision
  absl::Time next_deadline_ = absl::InfiniteFuture();
  bool closed_ = false;
  std::thread thread_;  // ends those whose deadline passes
};

}  // namespace tasker::registry
