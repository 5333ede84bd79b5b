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

/// An SQL function whose calls can be joined, and the function that makes several calls of it. It must return at least
/// one row for each call, and a second call with the same parameters must change nothing more.
struct JoinedFunction {
  std::string name;                          ///< of its statements
  std::string columns;                       ///< what to select; the functions' result is `r`
  std::string function;                      ///< "tasker.register_templates"
  std::vector<std::string> parameter_types;  ///< "jsonb", …; every parameter is given as text
  /// "tasker.register_calls": takes each parameter as a text[] of the calls' texts; returns the same columns and
  /// `call`, the place in the arrays from 1, and all rows of a call in the function's order.
  std::string joined_function;
};

/// Calls a function of PostgreSQL for many callers. A call that finds no statement running is sent at once. While
/// statements run, calls wait, and what waits is sent together, as one statement and one transaction, when none runs
/// any more, or when a part of the time has passed since the last was sent that a statement takes: so a lone caller
/// waits for nobody, many share a round trip and a commit, and while one answer travels the next statement runs. A
/// statement takes no more than its share of all calls, or callers that ask again and again would all end up in one.
///
/// Within a joined statement each call is all or nothing by its function's own rules. When the statement fails with
/// anything but UNAVAILABLE, each of its calls is made again by itself, so that no caller gets another's error. Safe to
/// call from any thread.
class JoinedCalls {
 public:
  using Rows = std::vector<pqxx::row>;

  /// Statements at once: the fewest where the database is near, more where most of a statement's time is its way there
  /// and back. More than needed wait for each other's locks and leave less to join; fewer leave the database idle while
  /// an answer travels. Measured with 32 writers, the database beside the server and 15 ms away (docs/performance.md).
  static constexpr int kMinSlots = 4;
  static constexpr int kMaxSlots = 8;

  JoinedCalls(std::shared_ptr<ConnectionPool> pool, JoinedFunction function);

  /// The rows of this call, in the function's order. Blocks. DEADLINE_EXCEEDED when `deadline` passes first: the call
  /// may still be made then, when it was sent already. Otherwise as ConnectionPool::Run fails.
  absl::StatusOr<Rows> Call(std::vector<std::string> parameters, absl::Time deadline);

  /// Calls that are not sent yet.
  size_t waiting() const;

 private:
  // Below this, waiting for company would cost more than a statement.
  static constexpr absl::Duration kMinPause = absl::Milliseconds(1);
  // Of the parameters of one statement, so that joining never doubles what large batches take in memory.
  static constexpr size_t kMaxJoinedBytes = size_t{1} << 20;

  struct Job;
  using Batch = std::vector<std::shared_ptr<Job>>;

  /// Sends what waits, as far as one statement holds it. REQUIRES: the lock, and that something waits.
  void Lead(std::unique_lock<std::mutex>& lock);
  Batch TakeBatch();
  /// The first that waits looks whether it is time to send. REQUIRES: the lock.
  void WakeFirst();
  void Run(const Batch& batch);
  void RunAlone(Job& job);
  absl::Status RunJoined(const Batch& batch);

  const std::shared_ptr<ConnectionPool> pool_;
  const std::string what_;
  const Statement alone_;
  const Statement joined_;
  mutable std::mutex mutex_;  // guards all below and the jobs' states
  std::deque<std::shared_ptr<Job>> waiting_;
  int slots_ = kMinSlots;
  int running_ = 0;       // statements
  size_t in_flight_ = 0;  // their calls
  absl::Time next_send_ = absl::InfinitePast();
  absl::Duration last_took_ = absl::ZeroDuration();
  absl::Duration way_ = kMinPause;  // about the least that a statement took of late
};

/// tasker.register_templates, as Store::Register reads it.
JoinedFunction RegisterFunction();

}  // namespace tasker::store
