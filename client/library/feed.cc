#include "client/library/feed.h"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <chrono>
#include <optional>
#include <utility>

#include "client/library/backoff.h"

namespace tasker::client {
namespace {

constexpr absl::Duration kFirstWait = absl::Milliseconds(50);
constexpr absl::Duration kLongestWait = absl::Seconds(2);
// Where the server says that it will not let this client watch: only an operator can change that.
constexpr absl::Duration kWaitWhenRefused = absl::Seconds(30);

bool IsRefusal(absl::StatusCode code) {
  return code == absl::StatusCode::kUnimplemented || code == absl::StatusCode::kPermissionDenied ||
         code == absl::StatusCode::kUnauthenticated || code == absl::StatusCode::kInvalidArgument;
}

}  // namespace

int64_t SteadyNow() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

Feed::Feed(RegistryConnection& connection, AnswerCache& cache, Callbacks callbacks)
    : connection_(connection),
      cache_(cache),
      callbacks_(std::move(callbacks)),
      interrupted_since_(SteadyNow()),
      thread_([this] { Run(); }) {}

Feed::~Feed() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  connection_.StopWatching();
  thread_.join();
}

bool Feed::WaitOrStop(absl::Duration wait) {
  std::unique_lock lock(mutex_);
  return stopped_.wait_for(lock, absl::ToChronoNanoseconds(wait), [this] { return stopping_; });
}

void Feed::Run() {
  from_now_ = !cache_.revision().has_value();
  size_t failures = 0;
  do {
    pb::WatchTemplatesRequest request;
    if (!from_now_) request.set_from_revision(*cache_.revision());
    heard_ = false;
    watch_revision_ = -1;
    const absl::Status status =
        connection_.Watch(request, [this](const pb::WatchTemplatesResponse& message) { Receive(message); });
    if (interrupted_since() == 0) interrupted_since_.store(SteadyNow(), std::memory_order_release);
    if (status.code() == absl::StatusCode::kOutOfRange) from_now_ = true;
    LogEnd(status);
    failures = heard_ ? 0 : failures + 1;
    if (WaitOrStop(IsRefusal(status.code()) ? kWaitWhenRefused : Backoff(failures, kFirstWait, kLongestWait))) return;
  } while (true);
}

void Feed::LogEnd(const absl::Status& status) {
  if (status.code() == absl::StatusCode::kCancelled || status.code() == last_end_) return;
  last_end_ = status.code();
  callbacks_.log(fmt::format("no changes reach this client until the watch goes on: {}", fmt::streamed(status)));
}

void Feed::Receive(const pb::WatchTemplatesResponse& message) {
  heard_ = true;
  const int64_t revision = message.revision();
  const std::optional<int64_t> known = cache_.revision();
  // Revisions have no gaps, so a missing one was missed, and a lower one is another registry's, or an older backup's.
  if (from_now_ || revision > *known + 1 || revision < *known) {
    Reset(revision);
  } else {
    cache_.Apply(message.changes(), revision, !message.continued());
  }
  // The first bookmark comes after all changes that were missed.
  if (message.changes().empty() && interrupted_since() != 0) {
    interrupted_since_.store(0, std::memory_order_release);
    was_live_.store(true, std::memory_order_relaxed);
    if (last_end_ != absl::StatusCode::kOk) callbacks_.log("changes reach this client again");
    last_end_ = absl::StatusCode::kOk;
  }
  Deliver(message);
}

void Feed::Reset(int64_t revision) {
  const bool gap = cache_.revision().has_value();
  cache_.Reset(revision);
  from_now_ = false;
  if (!gap) return;
  delivered_revision_ = -1;
  callbacks_.log(fmt::format("changes before revision {} were missed: all answers are asked for anew", revision));
  if (callbacks_.on_gap) callbacks_.on_gap();
}

// A watch that breaks off within a revision brings that revision from its beginning when it goes on.
void Feed::Deliver(const pb::WatchTemplatesResponse& message) {
  if (message.revision() != watch_revision_) watch_position_ = 0;
  watch_revision_ = message.revision();
  for (const pb::Change& change : message.changes()) {
    ++watch_position_;
    if (watch_revision_ == delivered_revision_ && watch_position_ <= delivered_position_) continue;
    delivered_revision_ = watch_revision_;
    delivered_position_ = watch_position_;
    if (callbacks_.on_change) callbacks_.on_change(change);
  }
}

}  // namespace tasker::client
