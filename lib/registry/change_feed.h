#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "lib/registry/change_batch.h"
#include "lib/registry/revision_gate.h"
#include "lib/store/change_bell.h"
#include "lib/store/store.h"

namespace tasker::registry {

/// Who wants to know of changes; all are called on the feed's thread, one after the other, and must not wait for it.
struct ChangeListener {
  /// Each change, in order, before revision() shows it.
  std::function<void(const store::ChangeRow&)> change = nullptr;
  /// Changes were missed that are not kept any more (or the database is another one): forget all that may change.
  std::function<void()> reset = nullptr;
  /// revision() has grown; NextAfter has what is new.
  std::function<void()> advanced = nullptr;
};

/// Reads the change log as it grows: one thread, which waits for the bell of PostgreSQL's notifications or for the poll
/// interval. When the database is away it tries again until it is back, and goes on where it was. Keeps the latest
/// changes in memory. Safe to call from any thread, but for what is to be called before Start.
class ChangeFeed {
 public:
  struct Options {
    absl::Duration poll_interval = absl::Seconds(1);  ///< how late a change is at most when no bell rings
    size_t tail_bytes = size_t{16} << 20;             ///< of the changes in memory
    size_t tail_changes = 8192;
  };

  /// Reads by a connection of its own beside those of `pool`, and listens by another.
  static absl::StatusOr<std::unique_ptr<ChangeFeed>> Create(const store::ConnectionPool& pool, const Options& options);
  ~ChangeFeed();
  ChangeFeed(const ChangeFeed&) = delete;
  ChangeFeed& operator=(const ChangeFeed&) = delete;

  /// Before Start only. During Start it hears the latest changes from before, too.
  void AddListener(ChangeListener listener);

  /// Gets to the current revision, then follows. The error is the store's.
  absl::Status Start(absl::Time deadline);
  /// Ends the thread. The second time it does nothing.
  void Stop();

  /// Up to which revision every change is known here, and all listeners have been told.
  int64_t revision() const { return gate_.revision(); }
  RevisionGate& gate() { return gate_; }

  /// How long ago this server certainly knew every change there was. Around the poll interval at most, unless the feed
  /// is interrupted; infinite before Start.
  absl::Duration age() const;

  enum class Place { kInMemory, kCurrent, kOlder };
  struct Next {
    Place place = Place::kCurrent;
    ChangeBatchHandle batch = nullptr;  ///< kInMemory: the first of a revision above the one asked for
  };
  /// kCurrent: nothing is after `revision`. kOlder: memory does not reach back so far.
  Next NextAfter(int64_t revision) const;

 private:
  ChangeFeed(std::unique_ptr<store::Store> store, std::unique_ptr<store::ChangeBell> bell, const Options& options);

  void Run();
  absl::Status CatchUp(bool idle);
  absl::Status CheckPlace();
  void Publish(const std::vector<store::ChangeRow>& rows);
  void Reset(int64_t revision);
  void NoteOutcome(const absl::Status& status);
  void WatchBell(store::ChangeBell::Event event, int64_t before);

  const Options options_;
  const std::unique_ptr<store::Store> store_;
  const std::unique_ptr<store::ChangeBell> bell_;
  std::vector<ChangeListener> listeners_;
  RevisionGate gate_;
  std::atomic<int64_t> current_at_ns_;  // of a clock that does not jump
  std::atomic<bool> stopping_{false};

  // The feed's thread only.
  int64_t seen_ = 0;
  int64_t unheard_ = 0;  // a revision that a poll found before the bell rang for it; 0: none
  bool interrupted_ = false;

  mutable std::mutex mutex_;  // guards the next four
  std::deque<ChangeBatchHandle> tail_;
  int64_t tail_begin_ = 0;  // every change after this revision is in the tail
  size_t tail_bytes_ = 0;
  size_t tail_changes_ = 0;

  std::thread thread_;
};

}  // namespace tasker::registry
