#include "lib/registry/change_feed.h"

#include <absl/time/clock.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <span>
#include <string>
#include <utility>

#include "lib/store/connection_pool.h"

namespace tasker::registry {
namespace {

constexpr int kPageRows = 1000;
// Changes that are in memory from the start, so that watchers that come back after a restart need no database each.
constexpr int kFirstChanges = 500;
constexpr absl::Duration kCallLimit = absl::Seconds(5);
constexpr int64_t kNever = std::numeric_limits<int64_t>::min();

int64_t SteadyNanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

absl::StatusOr<std::unique_ptr<ChangeFeed>> ChangeFeed::Create(const store::ConnectionPool& pool,
                                                               const Options& options) {
  store::PoolOptions own;
  own.database_url = pool.connection_string();
  own.max_connections = 1;
  auto own_pool = store::ConnectionPool::Create(own);
  if (!own_pool.ok()) return own_pool.status();
  return std::unique_ptr<ChangeFeed>(new ChangeFeed(std::make_unique<store::Store>(*std::move(own_pool)),
                                                    std::make_unique<store::ChangeBell>(pool), options));
}

ChangeFeed::ChangeFeed(std::unique_ptr<store::Store> store, std::unique_ptr<store::ChangeBell> bell,
                       const Options& options)
    : options_(options), store_(std::move(store)), bell_(std::move(bell)), current_at_ns_(kNever) {}

ChangeFeed::~ChangeFeed() { Stop(); }

void ChangeFeed::AddListener(ChangeListener listener) { listeners_.push_back(std::move(listener)); }

absl::Status ChangeFeed::Start(absl::Time deadline) {
  const absl::StatusOr<store::ChangeLogRange> range = store_->LoadChangeLogRange(deadline);
  if (!range.ok()) return range.status();
  const absl::StatusOr<int64_t> begin = store_->LoadRevisionBeforeLast(kFirstChanges, deadline);
  if (!begin.ok()) return begin.status();
  seen_ = std::max(range->trimmed, *begin);
  tail_begin_ = seen_;
  gate_.Advance(seen_);
  if (absl::Status status = CatchUp(/*idle=*/false); !status.ok()) return status;
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void ChangeFeed::Stop() {
  stopping_ = true;
  bell_->Wake();
  if (thread_.joinable()) thread_.join();
}

absl::Duration ChangeFeed::age() const {
  const int64_t at = current_at_ns_.load(std::memory_order_acquire);
  return at == kNever ? absl::InfiniteDuration() : absl::Nanoseconds(SteadyNanoseconds() - at);
}

ChangeFeed::Next ChangeFeed::NextAfter(int64_t revision) const {
  const std::lock_guard lock(mutex_);
  if (revision < tail_begin_) return {Place::kOlder};
  const auto found = std::upper_bound(tail_.begin(), tail_.end(), revision,
                                      [](int64_t r, const ChangeBatchHandle& batch) { return r < batch->revision; });
  if (found == tail_.end()) return {Place::kCurrent};
  return {Place::kInMemory, *found};
}

void ChangeFeed::Run() {
  while (!stopping_) {
    const store::ChangeBell::Event event = bell_->Wait(options_.poll_interval);
    if (stopping_) return;
    const int64_t before = seen_;
    const absl::Status status = CatchUp(event != store::ChangeBell::Event::kRang);
    NoteOutcome(status);
    WatchBell(event, before);
  }
}

// Reads until nothing is left. `idle`: nobody said that there is anything to read, so also look whether the log is
// still the one that it was.
absl::Status ChangeFeed::CatchUp(bool idle) {
  for (;;) {
    const int64_t since = SteadyNanoseconds();
    const auto rows = store_->LoadChanges(seen_, kPageRows, absl::Now() + kCallLimit);
    if (absl::IsOutOfRange(rows.status())) {
      if (absl::Status status = CheckPlace(); !status.ok()) return status;
      continue;
    }
    if (!rows.ok()) return rows.status();
    Publish(*rows);
    if (rows->size() >= kPageRows) continue;
    if (rows->empty() && idle) {
      if (absl::Status status = CheckPlace(); !status.ok()) return status;
    }
    current_at_ns_.store(since, std::memory_order_release);
    return absl::OkStatus();
  }
}

// The place in the log may be gone: trimmed while this server could not read, or a restored database ends before it.
absl::Status ChangeFeed::CheckPlace() {
  const auto range = store_->LoadChangeLogRange(absl::Now() + kCallLimit);
  if (!range.ok()) return range.status();
  if (seen_ >= range->trimmed && seen_ <= range->newest) return absl::OkStatus();
  spdlog::error(
      "changes: this server has seen revision {}, but the database has {} to {}; it forgets what it remembers", seen_,
      range->trimmed + 1, range->newest);
  Reset(range->newest);
  return absl::OkStatus();
}

void ChangeFeed::Publish(const std::vector<store::ChangeRow>& rows) {
  if (rows.empty()) return;
  for (const store::ChangeRow& row : rows) {
    for (const ChangeListener& listener : listeners_) {
      if (listener.change != nullptr) listener.change(row);
    }
  }
  std::vector<ChangeBatchHandle> batches = MakeBatches(rows);
  std::vector<ChangeBatchHandle> dropped;  // freed after the lock
  {
    const std::lock_guard lock(mutex_);
    for (ChangeBatchHandle& batch : batches) {
      tail_bytes_ += batch->bytes;
      tail_changes_ += batch->changes.size();
      tail_.push_back(std::move(batch));
    }
    // The last one always stays: it may be larger than the bounds by itself.
    while (tail_.size() > 1 && (tail_bytes_ > options_.tail_bytes || tail_changes_ > options_.tail_changes)) {
      tail_bytes_ -= tail_.front()->bytes;
      tail_changes_ -= tail_.front()->changes.size();
      tail_begin_ = tail_.front()->revision;
      dropped.push_back(std::move(tail_.front()));
      tail_.pop_front();
    }
  }
  seen_ = rows.back().revision;
  gate_.Advance(seen_);
  for (const ChangeListener& listener : listeners_) {
    if (listener.advanced != nullptr) listener.advanced();
  }
}

void ChangeFeed::Reset(int64_t revision) {
  {
    const std::lock_guard lock(mutex_);
    tail_.clear();
    tail_begin_ = revision;
    tail_bytes_ = 0;
    tail_changes_ = 0;
  }
  seen_ = revision;
  unheard_ = 0;
  for (const ChangeListener& listener : listeners_) {
    if (listener.reset != nullptr) listener.reset();
  }
  gate_.Advance(seen_);
}

void ChangeFeed::NoteOutcome(const absl::Status& status) {
  if (status.ok() == !interrupted_) return;
  interrupted_ = !status.ok();
  if (interrupted_) {
    spdlog::warn("changes: cannot be read: {}", std::string(status.message()));
  } else {
    spdlog::info("changes: followed again, at revision {}", seen_);
  }
}

// A poll that finds a change for which the bell has not rung, nor rings soon after, shows that nobody hears it: the
// connection looks alive, but is not.
void ChangeFeed::WatchBell(store::ChangeBell::Event event, int64_t before) {
  if (event != store::ChangeBell::Event::kTimeout) return;
  if (unheard_ > bell_->heard()) {
    spdlog::warn("changes: no notification for revision {}; listening by a new connection", unheard_);
    bell_->Reconnect();
    unheard_ = 0;
  } else {
    unheard_ = seen_ > before ? seen_ : 0;
  }
}

}  // namespace tasker::registry
