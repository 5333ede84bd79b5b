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

// Each parameter becomes an array of the calls' texts:
//   SELECT <columns>, j.call FROM unnest($1::text[], $2::text[]) WITH ORDINALITY j (p1, p2, call)
//   CROSS JOIN LATERAL f(j.p1::jsonb, j.p2::text[]) r
// A nested loop over a function scan: calls are made and rows come in the order of the arrays.
Statement Joined(const JoinedFunction& function) {
  std::string arrays;
  std::string names;
  std::string arguments;
  for (size_t i = 0; i < function.parameter_types.size(); ++i) {
    const char* const comma = i == 0 ? "" : ", ";
    arrays += fmt::format("{}${}::text[]", comma, i + 1);
    names += fmt::format("p{}, ", i + 1);
    arguments += fmt::format("{}j.p{}::{}", comma, i + 1, function.parameter_types[i]);
  }
  return {function.name + "_joined",
          fmt::format("SELECT {}, j.call FROM unnest({}) WITH ORDINALITY j ({}call) CROSS JOIN LATERAL {}({}) r",
                      function.columns, arrays, names, function.function, arguments)};
}

}  // namespace

struct JoinedCalls::Job {
  enum class State { kWaiting, kLeads, kSent, kDone };

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
  if (running_ < kMaxRunning) {
    ++running_;
    job->state = State::kLeads;
  } else {
    // A clock's far end overflows in wait_until; leaders answer within the pool's limit anyway.
    const absl::Time until = std::min(deadline, absl::Now() + absl::Hours(24));
    job->changed.wait_until(lock, absl::ToChronoTime(until),
                            [&] { return job->state == State::kLeads || job->state == State::kDone; });
  }
  if (job->state == State::kLeads) Lead(lock, job);
  if (job->state == State::kWaiting) {
    waiting_.erase(std::find(waiting_.begin(), waiting_.end(), job));
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

void JoinedCalls::Lead(std::unique_lock<std::mutex>& lock, const std::shared_ptr<Job>& own) {
  const Batch batch = TakeBatch(own);
  FillSlot();  // what was too large to come along
  lock.unlock();
  Run(batch);
  lock.lock();
  for (const std::shared_ptr<Job>& job : batch) {
    job->state = Job::State::kDone;
    job->changed.notify_one();
  }
  --running_;
  FillSlot();
}

void JoinedCalls::FillSlot() {
  if (waiting_.empty() || running_ >= kMaxRunning) return;
  Job& first = *waiting_.front();
  if (first.state == Job::State::kLeads) return;  // has not woken yet, and will take what is behind it
  ++running_;
  first.state = Job::State::kLeads;
  first.changed.notify_one();
}

JoinedCalls::Batch JoinedCalls::TakeBatch(const std::shared_ptr<Job>& own) {
  Batch batch = {own};
  size_t bytes = own->bytes;
  std::deque<std::shared_ptr<Job>> left;
  for (std::shared_ptr<Job>& job : waiting_) {
    if (job == own) continue;
    if (job->state != Job::State::kWaiting || bytes + job->bytes > kMaxJoinedBytes) {
      left.push_back(std::move(job));
      continue;
    }
    bytes += job->bytes;
    batch.push_back(std::move(job));
  }
  waiting_ = std::move(left);
  for (const std::shared_ptr<Job>& job : batch) job->state = Job::State::kSent;
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
