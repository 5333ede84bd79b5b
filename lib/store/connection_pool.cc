#include "lib/store/connection_pool.h"

#include <absl/time/clock.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <pqxx/nontransaction>
#include <pqxx/transaction>
#include <random>
#include <vector>

#include "lib/store/connection_string.h"
#include "lib/store/pq_error.h"
#include "lib/store/session.h"

namespace tasker::store {
namespace {

// Serialization failures and deadlocks only come from writers outside of this program; they end soon.
constexpr int kMaxRollbacks = 20;

void PauseAfterRollback(int nth) {
  thread_local std::minstd_rand random{std::random_device{}()};
  absl::SleepFor(absl::Milliseconds(std::uniform_int_distribution<int>(1, 2 << std::min(nth, 6))(random)));
}

}  // namespace

class ConnectionPool::Core {
 public:
  Core(PoolOptions options, std::string connection_string)
      : options_(std::move(options)), connection_string_(std::move(connection_string)) {}

  struct Lease {
    std::unique_ptr<Session> session;
    uint64_t generation = 0;
  };

  /// An idle connection that looks alive, or a new one.
  absl::StatusOr<Lease> Acquire(std::string_view what, absl::Time deadline);
  /// Gives `lease` back. A broken one is closed, and with it all that were opened before it broke: the idle ones now,
  /// the lent ones when they come back.
  void Release(Lease lease, bool broken);

  absl::Time Limit(absl::Time deadline) const { return std::min(deadline, absl::Now() + options_.max_call); }
  const std::string& connection_string() const { return connection_string_; }
  int size() const {
    std::lock_guard lock(mutex_);
    return open_;
  }

 private:
  absl::StatusOr<Lease> Open(std::string_view what, Lease lease);
  bool CanLend() const {  // under the lock
    return !idle_.empty() || open_ < std::max(1, options_.max_connections);
  }

  const PoolOptions options_;
  const std::string connection_string_;
  // Not absl::Mutex: the one of the distributions is invisible to ThreadSanitizer. Guards all below.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Lease> idle_;  // of this generation, last used last
  int open_ = 0;             // idle, lent, or being opened
  uint64_t generation_ = 0;  // grows when a connection broke
};

absl::StatusOr<ConnectionPool::Core::Lease> ConnectionPool::Core::Acquire(std::string_view what, absl::Time deadline) {
  for (;;) {
    Lease lease;
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait_until(lock, absl::ToChronoTime(deadline), [this] { return CanLend(); })) {
        return absl::ResourceExhaustedError("every database connection is busy");
      }
      lease.generation = generation_;
      if (idle_.empty()) {
        ++open_;
      } else {
        lease = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    if (lease.session == nullptr) return Open(what, std::move(lease));
    if (lease.session->LooksAlive()) return lease;
    Release(std::move(lease), true);
  }
}

absl::StatusOr<ConnectionPool::Core::Lease> ConnectionPool::Core::Open(std::string_view what, Lease lease) {
  absl::Status failure;
  try {
    lease.session = std::make_unique<Session>(connection_string_);
    return lease;
  } catch (...) {
    failure = ErrorFromCurrentException(what).status;
  }
  std::lock_guard lock(mutex_);
  --open_;
  changed_.notify_one();
  // Whatever goes wrong while connecting (password, unknown database, no server), the caller can only come again.
  return absl::IsUnavailable(failure) ? failure : absl::UnavailableError("the database cannot be reached");
}

void ConnectionPool::Core::Release(Lease lease, bool broken) {
  std::vector<Lease> closing;  // declared before the lock: closed after it
  std::lock_guard lock(mutex_);
  if (broken && lease.generation == generation_) {
    ++generation_;
    closing.swap(idle_);
  }
  (lease.generation == generation_ ? idle_ : closing).push_back(std::move(lease));
  open_ -= static_cast<int>(closing.size());
  if (closing.empty()) {
    changed_.notify_one();
  } else {
    changed_.notify_all();
  }
}

absl::StatusOr<std::shared_ptr<ConnectionPool>> ConnectionPool::Create(PoolOptions options) {
  absl::StatusOr<std::string> connection_string = CompleteConnectionString(options.database_url);
  if (!connection_string.ok()) return connection_string.status();
  return std::shared_ptr<ConnectionPool>(
      new ConnectionPool(std::make_unique<Core>(std::move(options), *std::move(connection_string))));
}

ConnectionPool::ConnectionPool(std::unique_ptr<Core> core) : core_(std::move(core)) {}
ConnectionPool::~ConnectionPool() = default;

const std::string& ConnectionPool::connection_string() const { return core_->connection_string(); }
int ConnectionPool::size() const { return core_->size(); }

absl::Status ConnectionPool::Run(std::string_view what, CallKind kind, absl::Time deadline,
                                 const std::function<void(Session&)>& call) {
  deadline = core_->Limit(deadline);
  int rollbacks = 0;
  bool lost_one = false;
  for (;;) {
    absl::StatusOr<Core::Lease> lease = core_->Acquire(what, deadline);
    if (!lease.ok()) return lease.status();
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) {
      core_->Release(*std::move(lease), false);
      return absl::DeadlineExceededError("the deadline passed before the database was asked");
    }
    PqError error;
    bool started = false;
    try {
      pqxx::nontransaction transaction(lease->session->connection());
      lease->session->set_transaction(&transaction);
      lease->session->LimitStatements(left);
      started = true;
      call(*lease->session);
    } catch (...) {
      error = ErrorFromCurrentException(what);
    }
    core_->Release(*std::move(lease), error.connection_broken);
    if (error.may_retry && rollbacks++ < kMaxRollbacks) {
      PauseAfterRollback(rollbacks);
    } else if (error.connection_broken && !lost_one && (kind != CallKind::kWrite || !started)) {
      lost_one = true;
    } else {
      return error.status;
    }
  }
}

absl::Status ConnectionPool::RunTransaction(std::string_view what, absl::Time deadline,
                                            const std::function<absl::Status(Session&)>& call) {
  absl::StatusOr<Core::Lease> lease = core_->Acquire(what, deadline);
  if (!lease.ok()) return lease.status();
  absl::Status status;
  bool broken = false;
  try {
    {
      pqxx::nontransaction transaction(lease->session->connection());
      lease->session->set_transaction(&transaction);
      lease->session->LimitStatements(deadline - absl::Now());
    }
    pqxx::work transaction(lease->session->connection());
    lease->session->set_transaction(&transaction);
    status = call(*lease->session);
    if (status.ok()) transaction.commit();
  } catch (...) {
    const PqError error = ErrorFromCurrentException(what);
    status = error.status;
    broken = error.connection_broken;
  }
  core_->Release(*std::move(lease), broken);
  return status;
}

}  // namespace tasker::store
