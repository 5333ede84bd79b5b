#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <pqxx/row>
#include <string>
#include <string_view>
#include <vector>

#include "lib/store/session.h"

namespace tasker::store {

class ConnectionPool;

/// An SQL function whose calls can be joined. It must return at least one row for each call, and a second call with
/// the same parameters must change nothing more.
struct JoinedFunction {
  std::string name;                          ///< of its statements
  std::string columns;                       ///< what to select; the function's result is `r`
  std::string function;                      ///< "tasker.register_templates"
  std::vector<std::string> parameter_types;  ///< "jsonb", …; every parameter is given as text
};

/// Calls a function of PostgreSQL for many callers. A call that comes while few statements run is sent at once; those
/// that come while all `kMaxRunning` run wait, and are sent together, as one statement and one transaction, when the
/// first of these has returned: so a lone caller waits for nobody, and many share a round trip and a commit.
///
/// Within a joined statement each call sees what those before it did, and is all or nothing by its function's own
/// rules. When the statement fails with anything but UNAVAILABLE, each of its calls is made again by itself, so that no
/// caller gets another's error. Safe to call from any thread.
class JoinedCalls {
 public:
  using Rows = std::vector<pqxx::row>;

  JoinedCalls(std::shared_ptr<ConnectionPool> pool, JoinedFunction function);

  /// The rows of this call, in the function's order. Blocks. DEADLINE_EXCEEDED when `deadline` passes first: the call
  /// may still be made then, when it was sent already. Otherwise as ConnectionPool::Run fails.
  absl::StatusOr<Rows> Call(std::vector<std::string> parameters, absl::Time deadline);

  /// Calls that are not sent yet.
  size_t waiting() const;

 private:
  // More statements at once wait for each other's locks, and leave less to join; fewer leave the database idle while
  // an answer travels. Measured with 32 writers, without delay and with 15 ms (docs/performance.md).
  static constexpr int kMaxRunning = 4;
  // Of the parameters of one statement, so that joining never doubles what large batches take in memory.
  static constexpr size_t kMaxJoinedBytes = size_t{1} << 20;

  struct Job;
  using Batch = std::vector<std::shared_ptr<Job>>;

  /// Sends `own` with what waits, in order. REQUIRES: the lock, and that `own` was given one of the slots.
  void Lead(std::unique_lock<std::mutex>& lock, const std::shared_ptr<Job>& own);
  /// Gives a free slot to the first that waits. REQUIRES: the lock.
  void FillSlot();
  Batch TakeBatch(const std::shared_ptr<Job>& own);
  void Run(const Batch& batch);
  void RunAlone(Job& job);
  absl::Status RunJoined(const Batch& batch);

  const std::shared_ptr<ConnectionPool> pool_;
  const std::string what_;
  const Statement alone_;
  const Statement joined_;
  mutable std::mutex mutex_;  // guards all below and the jobs' states
  std::deque<std::shared_ptr<Job>> waiting_;
  int running_ = 0;  // slots that a statement, or the caller who is about to send one, holds
};

/// tasker.register_templates, as Store::Register reads it.
JoinedFunction RegisterFunction();

}  // namespace tasker::store
