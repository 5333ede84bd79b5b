#include "lib/registry/revision_gate.h"

#include <absl/time/clock.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "lib/registry/error.h"

namespace tasker::registry {

RevisionGate::RevisionGate() : thread_([this] { Watch(); }) {}

RevisionGate::~RevisionGate() {
  Close();
  thread_.join();
}

absl::Status RevisionGate::TooLate(int64_t wanted) const {
  return Error(absl::StatusCode::kDeadlineExceeded,
               fmt::format("min_revision {} was not reached in time; this server has revision {}", wanted, revision()),
               {"REVISION_NOT_REACHED",
                {{"min_revision", std::to_string(wanted)}, {"revision", std::to_string(revision())}},
                {}});
}

void RevisionGate::WaitFor(int64_t revision, absl::Time deadline, Done done) {
  absl::Status status;
  {
    const std::lock_guard lock(mutex_);
    if (revision > revision_.load(std::memory_order_relaxed)) {
      if (closed_) {
        status = absl::UnavailableError("the server is stopping");
      } else if (waiters_.size() >= kMaxWaiting) {
        status =
            Error(absl::StatusCode::kResourceExhausted, "too many calls wait for a revision", {"SERVER_BUSY", {}, {}});
      } else {
        waiters_.emplace(revision, Waiter{deadline, std::move(done)});
        if (deadline < next_deadline_) {
          next_deadline_ = deadline;
          changed_.notify_one();
        }
        return;
      }
    }
  }
  done(status);
}

void RevisionGate::Advance(int64_t revision) {
  std::vector<Waiter> reached;
  {
    const std::lock_guard lock(mutex_);
    revision_.store(revision, std::memory_order_release);
    const auto end = waiters_.upper_bound(revision);
    for (auto waiter = waiters_.begin(); waiter != end; ++waiter) reached.push_back(std::move(waiter->second));
    waiters_.erase(waiters_.begin(), end);
  }
  for (const Waiter& waiter : reached) waiter.done(absl::OkStatus());
}

void RevisionGate::Close() {
  Waiters ended;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    ended.swap(waiters_);
  }
  changed_.notify_one();
  for (const auto& [revision, waiter] : ended) waiter.done(absl::UnavailableError("the server is stopping"));
}

size_t RevisionGate::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiters_.size();
}

void RevisionGate::Watch() {
  std::unique_lock lock(mutex_);
  while (!closed_) {
    if (next_deadline_ == absl::InfiniteFuture()) {
      changed_.wait(lock);
    } else {
      changed_.wait_until(lock, absl::ToChronoTime(next_deadline_));
    }
    const absl::Time now = absl::Now();
    if (closed_ || now < next_deadline_) continue;
    std::vector<std::pair<int64_t, Waiter>> late;
    next_deadline_ = absl::InfiniteFuture();
    for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
      if (waiter->second.deadline <= now) {
        late.emplace_back(waiter->first, std::move(waiter->second));
        waiter = waiters_.erase(waiter);
      } else {
        next_deadline_ = std::min(next_deadline_, (waiter++)->second.deadline);
      }
    }
    lock.unlock();
    for (const auto& [wanted, waiter] : late) waiter.done(TooLate(wanted));
    lock.lock();
  }
}

}  // namespace tasker::registry
