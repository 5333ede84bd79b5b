#include "server/watch.h"

#include <absl/time/clock.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "lib/registry/error.h"
#include "server/watcher.h"

namespace tasker::server {
namespace {

constexpr absl::Duration kTick = absl::Seconds(1);
constexpr absl::Duration kCloseLimit = absl::Seconds(1);
constexpr int kMaxLoading = 4;  // pages that are read at once
constexpr size_t kRunWatchers = 32;
constexpr std::chrono::milliseconds kRunLimit{1};

absl::Status Stopping() {
  return registry::Error(absl::StatusCode::kUnavailable, "the server is stopping", {"SERVER_STOPPING", {}, {}});
}

size_t ShardCount() { return std::clamp<size_t>(std::thread::hardware_concurrency(), 1, 4); }

}  // namespace

WatchHub::WatchHub(registry::ChangeFeed& feed, std::shared_ptr<store::Store> store, Executor& executor,
                   CallRunner& runner, const Options& options)
    : feed_(feed),
      store_(std::move(store)),
      executor_(executor),
      method_(runner.MakeMethod("ResolverService/WatchTemplates")),
      options_(options) {
  for (size_t i = 0; i < ShardCount(); ++i) {
    shards_.push_back(std::make_unique<Shard>());
    Shard& shard = *shards_.back();
    shard.thread = std::thread([this, &shard] { Dispatch(shard); });
  }
  registry::ChangeListener listener;
  listener.advanced = [this] {
    for (const auto& shard : shards_) {
      const std::lock_guard lock(shard->mutex);
      shard->advanced = true;
      shard->changed.notify_one();
    }
  };
  listener.reset = [this] {
    EndAll(registry::Error(absl::StatusCode::kOutOfRange,
                           "the change log is not the one that this watch began on, or changes were missed",
                           {"CHANGE_LOG_RESET", {}, {}}));
  };
  feed_.AddListener(std::move(listener));
}

WatchHub::~WatchHub() { CloseAll(); }

WatchHub::Reactor* WatchHub::Watch(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  Shard& shard = *shards_[next_shard_.fetch_add(1, std::memory_order_relaxed) % shards_.size()];
  const Handle watcher = std::make_shared<Watcher>(*this, shard, *context);
  absl::Status refusal;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) {
      refusal = Stopping();
    } else if (open_ >= static_cast<size_t>(options_.max_watches)) {
      refusal = registry::Error(absl::StatusCode::kResourceExhausted, "the server has as many watches as it takes",
                                {"TOO_MANY_WATCHES", {}, {}});
    }
    ++open_;
  }
  {
    const std::lock_guard lock(shard.mutex);
    shard.watchers.emplace(watcher.get(), watcher);
  }
  if (!refusal.ok()) {
    watcher->End(refusal);
    return watcher.get();
  }
  const absl::Status status = Guarded(method_.name, [&] {
    watcher->Begin(*request);
    return absl::OkStatus();
  });
  if (!status.ok()) watcher->End(status);
  // CloseAll may have come before the watcher was there to be ended.
  if (closed()) watcher->End(Stopping());
  return watcher.get();
}

bool WatchHub::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

void WatchHub::Remove(Watcher* watcher) {
  Handle last;  // freed after the locks
  {
    Shard& shard = watcher->shard();
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.watchers.find(watcher);
    last = std::move(found->second);
    shard.watchers.erase(found);
  }
  const std::lock_guard lock(mutex_);
  --open_;
  gone_.notify_all();
}

void WatchHub::Dispatch(Shard& shard) {
  std::vector<Handle> watchers;
  absl::Time next_tick = absl::Now() + kTick;
  for (;;) {
    watchers.clear();
    {
      std::unique_lock lock(shard.mutex);
      shard.changed.wait_until(lock, absl::ToChronoTime(next_tick), [&] { return shard.advanced || shard.stopping; });
      if (shard.stopping) return;
      shard.advanced = false;
      for (const auto& [pointer, watcher] : shard.watchers) watchers.push_back(watcher);
    }
    const absl::Time now = absl::Now();
    if (now >= next_tick) {
      next_tick = now + kTick;
      for (const Handle& watcher : watchers) watcher->Tick(now);
      PumpPages();
    }
    SendAll(shard, watchers);
  }
}

// In runs. While one is being started, gRPC's threads wait for its lock in OnWriteDone and then take the ends of all
// its writes at once: else they would be woken for each, which costs as much as the write. Between two runs they get
// the time to take them, and whatever other calls have come.
void WatchHub::SendAll(Shard& shard, const std::vector<Handle>& watchers) {
  for (size_t i = 0; i < watchers.size();) {
    std::unique_lock lock(shard.run_mutex);
    ++shard.run;
    shard.unfinished = 0;
    for (const size_t end = std::min(i + kRunWatchers, watchers.size()); i < end; ++i) {
      if (watchers[i]->Advance(shard.run)) ++shard.unfinished;
    }
    // A client that takes nothing holds the others up for this long, and not again until it has taken something.
    shard.run_ended.wait_for(lock, kRunLimit, [&] { return shard.unfinished == 0; });
  }
}

void WatchHub::EndOfWrite(Shard& shard, uint64_t run) {
  if (run == 0) return;
  const std::lock_guard lock(shard.run_mutex);
  if (run == shard.run && --shard.unfinished == 0) shard.run_ended.notify_one();
}

std::vector<WatchHub::Handle> WatchHub::AllWatchers() const {
  std::vector<Handle> watchers;
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    for (const auto& [pointer, watcher] : shard->watchers) watchers.push_back(watcher);
  }
  return watchers;
}

void WatchHub::EndAll(const absl::Status& reason) {
  for (const Handle& watcher : AllWatchers()) watcher->End(reason);
}

void WatchHub::CloseAll() {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = true;
  }
  EndAll(Stopping());
  {
    std::unique_lock lock(mutex_);
    gone_.wait_for(lock, absl::ToChronoMilliseconds(kCloseLimit), [this] { return open_ == 0; });
  }
  for (const Handle& watcher : AllWatchers()) watcher->Abandon();
  for (const auto& shard : shards_) {
    {
      const std::lock_guard lock(shard->mutex);
      shard->stopping = true;
    }
    shard->changed.notify_one();
    shard->thread.join();
  }
}

WatchStats WatchHub::Stats() const {
  WatchStats stats;
  stats.too_slow = too_slow_.load(std::memory_order_relaxed);
  const int64_t newest = feed_.revision();
  for (const Handle& watcher : AllWatchers()) {
    ++stats.open;
    stats.lag = std::max(stats.lag, watcher->Lag(newest));
  }
  return stats;
}

void WatchHub::LoadPage(Handle watcher) {
  {
    const std::lock_guard lock(pages_mutex_);
    waiting_pages_.push_back(std::move(watcher));
  }
  PumpPages();
}

// What the executor refuses stays in line until the next tick.
void WatchHub::PumpPages() {
  for (;;) {
    Handle watcher;
    {
      const std::lock_guard lock(pages_mutex_);
      if (waiting_pages_.empty() || loading_pages_ == kMaxLoading) return;
      watcher = waiting_pages_.front();
      ++loading_pages_;
      waiting_pages_.pop_front();
    }
    const bool posted = executor_.Post(0, [this, watcher] {
      const absl::Status status = Guarded(method_.name, [&] {
        watcher->ReadPage();
        return absl::OkStatus();
      });
      if (!status.ok()) watcher->End(status);
      {
        const std::lock_guard lock(pages_mutex_);
        --loading_pages_;
      }
      PumpPages();
    });
    if (posted) continue;
    const std::lock_guard lock(pages_mutex_);
    --loading_pages_;
    waiting_pages_.push_front(std::move(watcher));
    return;
  }
}

}  // namespace tasker::server
