#include "server/watcher.h"

#include <absl/time/clock.h>
#include <fmt/format.h>
#include <grpcpp/server_context.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "lib/registry/error.h"
#include "server/log.h"
#include "server/status.h"

namespace tasker::server {
namespace {

namespace pb = ::tasker::registry::v1;

constexpr int kPageRows = 100;  // of which a watcher that takes nothing holds all: some 90 KB
constexpr absl::Duration kReadLimit = absl::Seconds(10);
constexpr absl::Duration kEndLimit = absl::Seconds(30);  // for a client to take the end of its watch

absl::Status OutOfRange(int64_t wanted, const store::ChangeLogRange& range) {
  return registry::Error(
      absl::StatusCode::kOutOfRange,
      fmt::format("revision {} is {}: a watch can resume from {} to {}", wanted,
                  wanted < range.trimmed ? "no longer kept" : "not there yet", range.trimmed, range.newest),
      {"REVISION_OUT_OF_RANGE",
       {{"oldest_revision", std::to_string(range.trimmed)}, {"newest_revision", std::to_string(range.newest)}},
       {}});
}

absl::Status TooSlow() {
  return registry::Error(absl::StatusCode::kResourceExhausted, "the watcher does not keep up with the changes",
                         {"WATCH_TOO_SLOW", {}, {}});
}

// What fails here passes, whatever the store calls it: the client is to come back.
absl::Status ReadFailed(const absl::Status& status) {
  return registry::Error(absl::StatusCode::kUnavailable, std::string(status.message()), {"DATABASE_AWAY", {}, {}});
}

}  // namespace

WatchHub::Watcher::Watcher(WatchHub& hub, Shard& shard, grpc::CallbackServerContext& context)
    : hub_(hub), shard_(shard), context_(context), start_(absl::Now()) {}

void WatchHub::Watcher::Begin(const grpc::ByteBuffer& bytes) {
  pb::WatchTemplatesRequest request;
  if (absl::Status status = ParseRequest(bytes, request); !status.ok()) return End(status);
  absl::StatusOr<registry::WatchFilter> filter = registry::WatchFilter::FromRequest(request);
  if (!filter.ok()) return End(filter.status());
  if (request.from_revision() < 0) return End(registry::InvalidField("from_revision", "is negative"));
  const int64_t newest = hub_.feed_.revision();
  const bool from_now = !request.has_from_revision();
  {
    const std::lock_guard lock(mutex_);
    filter_ = *std::move(filter);
    if (!from_now) from_ = request.from_revision();
  }
  if (from_now) return StartAt(newest);
  const bool in_memory = request.from_revision() > 0 && request.from_revision() <= newest &&
                         hub_.feed_.NextAfter(request.from_revision()).place != registry::ChangeFeed::Place::kOlder;
  if (in_memory) return StartAt(request.from_revision());
  {
    const std::lock_guard lock(mutex_);
    loading_ = true;
  }
  hub_.LoadPage(shared_from_this());
}

// A revision above this server's own may yet be there: another server has written it.
void WatchHub::Watcher::CheckPlace(int64_t from) {
  const absl::StatusOr<store::ChangeLogRange> range = hub_.store_->LoadChangeLogRange(absl::Now() + kReadLimit);
  if (!range.ok()) return End(ReadFailed(range.status()));
  if (from == 0) return StartAt(range->trimmed);
  if (from < range->trimmed || from > range->newest) return End(OutOfRange(from, *range));
  StartAt(from);
}

void WatchHub::Watcher::StartAt(int64_t revision) {
  const std::lock_guard lock(mutex_);
  begun_ = true;
  loading_ = false;
  cursor_ = revision;
  last_bookmark_ = absl::Now();
  AdvanceLocked();
}

bool WatchHub::Watcher::Advance(uint64_t run) {
  const std::lock_guard lock(mutex_);
  const bool busy = writing_;
  AdvanceLocked();
  if (busy || !writing_) return false;
  run_ = run;
  return true;
}

bool WatchHub::Watcher::FellOut() const {
  return caught_up_ && hub_.feed_.NextAfter(cursor_).place == registry::ChangeFeed::Place::kOlder;
}

void WatchHub::Watcher::AdvanceLocked() {
  if (!begun_ || ended_) return;
  if (writing_) {
    // What is being written is held by it; what comes next must still be in the feed's memory.
    if (next_message_ == messages_.size() && FellOut()) EndLocked(TooSlow());
    return;
  }
  while (!writing_ && !ended_) {
    if (next_message_ < messages_.size()) {
      const registry::MessageBytes message = std::move(messages_[next_message_++]);
      if (next_message_ == messages_.size()) cursor_ = sending_;
      Write(message);
    } else if (bookmark_due_) {
      WriteBookmark();
    } else if (!TakeNext()) {
      return;
    }
  }
}

// Looks for what comes after the cursor; false when there is nothing to do for now.
bool WatchHub::Watcher::TakeNext() {
  if (!page_.empty()) {
    const registry::ChangeBatchHandle batch = std::move(page_.front());
    page_.pop_front();
    Take(*batch);
    return true;
  }
  if (loading_) return false;
  const registry::ChangeFeed::Next next = hub_.feed_.NextAfter(cursor_);
  switch (next.place) {
    case registry::ChangeFeed::Place::kInMemory:
      Take(*next.batch);
      return true;
    case registry::ChangeFeed::Place::kCurrent:
      if (caught_up_ || hub_.feed_.revision() < cursor_) return false;
      caught_up_ = true;
      bookmark_due_ = true;
      return true;
    case registry::ChangeFeed::Place::kOlder:
      if (caught_up_) {
        EndLocked(TooSlow());
      } else {
        loading_ = true;
        hub_.LoadPage(shared_from_this());
      }
      return false;
  }
  return false;
}

void WatchHub::Watcher::Take(const registry::ChangeBatch& batch) {
  if (batch.revision <= cursor_) return;
  sending_ = batch.revision;
  messages_ = filter_.Messages(batch);
  next_message_ = 0;
  if (messages_.empty()) cursor_ = sending_;
}

void WatchHub::Watcher::Write(const registry::MessageBytes& message) {
  EncodeResponse(message, buffer_);
  writing_ = true;
  write_start_ = absl::Now();
  StartWrite(&buffer_);
}

void WatchHub::Watcher::WriteBookmark() {
  bookmark_due_ = false;
  last_bookmark_ = absl::Now();
  Write(registry::Bookmark(cursor_));
}

void WatchHub::Watcher::ReadPage() {
  int64_t after = 0;
  std::optional<int64_t> from;
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    after = cursor_;
    if (!begun_) from = from_;
  }
  if (from) return CheckPlace(*from);
  const auto rows = hub_.store_->LoadChanges(after, kPageRows, absl::Now() + kReadLimit);
  if (absl::IsOutOfRange(rows.status())) {
    const auto range = hub_.store_->LoadChangeLogRange(absl::Now() + kReadLimit);
    return End(range.ok() ? OutOfRange(after, *range) : ReadFailed(range.status()));
  }
  if (!rows.ok()) return End(ReadFailed(rows.status()));
  std::vector<registry::ChangeBatchHandle> batches = registry::MakeBatches(*rows);
  const std::lock_guard lock(mutex_);
  page_.assign(batches.begin(), batches.end());
  loading_ = false;
  AdvanceLocked();
}

void WatchHub::Watcher::Tick(absl::Time now) {
  const std::lock_guard lock(mutex_);
  if (ended_) {
    if (!done_ && now - end_time_ > kEndLimit) context_.TryCancel();
    return;
  }
  if (!begun_) return;
  if (writing_ && now - write_start_ > hub_.options_.stall_limit) return EndLocked(TooSlow());
  if (now - last_bookmark_ >= hub_.options_.bookmark_interval) bookmark_due_ = true;
}

void WatchHub::Watcher::End(const absl::Status& reason) {
  const std::lock_guard lock(mutex_);
  EndLocked(reason);
}

void WatchHub::Watcher::EndLocked(const absl::Status& reason) {
  if (ended_) return;
  ended_ = true;
  end_time_ = absl::Now();
  page_.clear();
  messages_.clear();
  next_message_ = 0;
  absl::Status status = reason;
  registry::ErrorDetail detail = registry::DetailOf(reason);
  if (begun_ && !absl::IsCancelled(reason)) {
    detail.metadata.emplace("resume_revision", std::to_string(cursor_));
    status = registry::Error(
        reason.code(), fmt::format("{}; resume from revision {}", std::string(reason.message()), cursor_), detail);
  }
  if (detail.reason == "WATCH_TOO_SLOW") hub_.too_slow_.fetch_add(1, std::memory_order_relaxed);
  const grpc::Status answer = ToGrpcStatus(status);
  const absl::Duration took = end_time_ - start_;
  hub_.method_.metrics.Count(answer.error_code(), absl::ToDoubleSeconds(took));
  if (LogsAccess()) {
    const std::string code = absl::StatusCodeToString(static_cast<absl::StatusCode>(answer.error_code()));
    LogAccess({hub_.method_.name, code, absl::ToDoubleMilliseconds(took), context_.peer(), "", answer.error_message()});
  }
  Finish(answer);
}

void WatchHub::Watcher::Abandon() {
  const std::lock_guard lock(mutex_);
  if (!done_) context_.TryCancel();
}

int64_t WatchHub::Watcher::Lag(int64_t newest) const {
  const std::lock_guard lock(mutex_);
  return begun_ && !ended_ ? std::max<int64_t>(newest - cursor_, 0) : 0;
}

void WatchHub::Watcher::OnWriteDone(bool ok) {
  uint64_t run = 0;
  {
    const std::lock_guard lock(mutex_);
    run = std::exchange(run_, 0);
  }
  EndOfWrite(shard_, run);
  const std::lock_guard lock(mutex_);
  writing_ = false;
  if (!ok) return EndLocked(absl::CancelledError("the client has gone"));
  AdvanceLocked();
}

void WatchHub::Watcher::OnCancel() { End(absl::CancelledError("the client has gone")); }

void WatchHub::Watcher::OnDone() {
  {
    const std::lock_guard lock(mutex_);
    done_ = true;
  }
  hub_.Remove(this);
}

}  // namespace tasker::server
