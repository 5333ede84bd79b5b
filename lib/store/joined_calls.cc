#include "lib/store/joined_calls.h"

#include <absl/time/clock.h>
#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <pqxx/result>
#include <utility>

#include "lib/store/array_text.h"
#include "lib/store/connection_pool.h"

namespace tasker::store {
namespace {

// SELECT <columns> FROM f($1::jsonb, $2::text[]) r
Statement Alone(const JoinedFunction& function) {
  std::string arguments;
  for (size_t i = 0; i < function.parameter_types.size(); ++i) {
    arguments += fmt::format("{}${}::{}", i == 0 ? "" : ", ", i + 1, function.parameter_types[i]);
  }
  return {function.name, fmt::format("SELECT {} FROM {}({}) r", function.columns, function.function, arguments)};
}

// SELECT <columns>, r.call FROM f_joined($1::text[], $2::text[]) r
Statement Joined(const JoinedFunction& function) {
  std::string arguments;
  for (size_t i = 0; i < function.parameter_types.size(); ++i) {
    arguments += fmt::format("{}${}::text[]", i == 0 ? "" : ", ", i + 1);
  }
  return {function.name + "_joined",
          fmt::format("SELECT {}, r.call FROM {}({}) r", function.columns, function.joined_function, arguments)};
}

}  // namespace

struct JoinedCalls::Job {
  enum class State { kWaiting, kSent, kDone };

  std::vector<std::string> parameters;
  size_t bytes = 0;
  absl::Time deadline;
  State state = State::kWaiting;
  std::condition_variable changed;
  absl::Status status;  // this and the rows belong to the leader until kDone
  Rows rows;
};

JoinedCalls::JoinedCalls(std::shared_ptr<ConnectionPool> pool, JoinedFunction function)
    : pool_(std::move(pool)), what_(function.name), alone_(Alone(function)), joined_(Joined(function)) {}

absl::StatusOr<JoinedCalls::Rows> JoinedCalls::Call(std::vector<std::string> parameters, absl::Time deadline) {
  using State = Job::State;
  const auto job = std::make_shared<Job>();
  for (const std::string& parameter : parameters) job->bytes += parameter.size();
  job->parameters = std::move(parameters);
  job->deadline = deadline;
  std::unique_lock lock(mutex_);
  waiting_.push_back(job);
  while (job->state != State::kDone) {
    const absl::Time now = absl::Now();
    const bool leads = job->state == State::kWaiting && waiting_.front() == job && running_ < slots_;
    if (leads && (running_ == 0 || now >= next_send_)) {
      Lead(lock);
      break;
    }
    if (now >= deadline) break;
    // Not the clock's far end, which overflows in wait_until.
    const absl::Time until = std::min(deadline, now + absl::Hours(24));
    job->changed.wait_until(lock, absl::ToChronoTime(leads ? std::min(until, next_send_) : until));
  }
  if (job->state == State::kWaiting) {
    waiting_.erase(std::find(waiting_.begin(), waiting_.end(), job));
    WakeFirst();
    return absl::DeadlineExceededError("the deadline passed before the database was asked");
  }
  if (job->state == State::kSent) {
    return absl::DeadlineExceededError("the database did not answer within the deadline");
  }
  if (!job->status.ok()) return job->status;
  return std::move(job->rows);
}

size_t JoinedCalls::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

void JoinedCalls::WakeFirst() {
  if (!waiting_.empty()) waiting_.front()->changed.notify_one();
}

void JoinedCalls::Lead(std::unique_lock<std::mutex>& lock) {
  const Batch batch = TakeBatch();
  const absl::Time start = absl::Now();
  ++running_;
  next_send_ = start + std::max(kMinPause, last_took_ / slots_);
  WakeFirst();  // what was too large to come along
  lock.unlock();
  Run(batch);
  lock.lock();
  for (const std::shared_ptr<Job>& job : batch) {
    job->state = Job::State::kDone;
    job->changed.notify_one();
  }
  --running_;
  in_flight_ -= batch.size();
  last_took_ = absl::Now() - start;
  way_ = std::min(last_took_, way_ * 1.02);
  slots_ = std::clamp(static_cast<int>(way_ / kMinPause * 2 / 3), kMinSlots, kMaxSlots);
  WakeFirst();
}

JoinedCalls::Batch JoinedCalls::TakeBatch() {
  Batch batch;
  size_t bytes = 0;
  const size_t slots = static_cast<size_t>(slots_);
  const size_t share = (waiting_.size() + in_flight_ + slots - 1) / slots;
  while (!waiting_.empty() && batch.size() < share &&
         (batch.empty() || bytes + waiting_.front()->bytes <= kMaxJoinedBytes)) {
    bytes += waiting_.front()->bytes;
    waiting_.front()->state = Job::State::kSent;
    batch.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  in_flight_ += batch.size();
  return batch;
}

void JoinedCalls::Run(const Batch& batch) {
  if (batch.size() > 1) {
    const absl::Status status = RunJoined(batch);
    if (status.ok()) return;
    if (absl::IsUnavailable(status)) {
      for (const std::shared_ptr<Job>& job : batch) job->status = status;
      return;
    }
  }
  for (const std::shared_ptr<Job>& job : batch) RunAlone(*job);
}

void JoinedCalls::RunAlone(Job& job) {
  job.status = pool_->Run(what_, CallKind::kIdempotentWrite, job.deadline, [&](Session& session) {
    const pqxx::result rows = session.Query(alone_, job.parameters);
    job.rows.assign(rows.begin(), rows.end());
  });
}

absl::Status JoinedCalls::RunJoined(const Batch& batch) {
  std::vector<std::string> arrays(batch.front()->parameters.size(), "{");
  absl::Time deadline = absl::InfinitePast();
  for (const std::shared_ptr<Job>& job : batch) {
    deadline = std::max(deadline, job->deadline);
    for (size_t i = 0; i < arrays.size(); ++i) {
      if (arrays[i].size() > 1) arrays[i] += ',';
      AppendArrayElement(job->parameters[i], arrays[i]);
    }
  }
  for (std::string& array : arrays) array += '}';
  return pool_->Run(what_, CallKind::kIdempotentWrite, deadline, [&](Session& session) {
    for (const std::shared_ptr<Job>& job : batch) job->rows.clear();
    for (const pqxx::row& row : session.Query(joined_, arrays)) {
      batch[row.back().as<size_t>() - 1]->rows.push_back(row);
    }
  });
}

}  // namespace tasker::store
