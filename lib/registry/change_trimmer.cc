#include "lib/registry/change_trimmer.h"

#include <absl/time/clock.h>
#include <spdlog/spdlog.h>

#include <string>
#include <utility>

namespace tasker::registry {
namespace {

constexpr absl::Duration kCallLimit = absl::Seconds(30);

}  // namespace

ChangeTrimmer::ChangeTrimmer(std::shared_ptr<store::Store> store, const store::ChangeRetention& retention,
                             absl::Duration interval)
    : store_(std::move(store)), retention_(retention), interval_(interval), thread_([this] { Run(); }) {}

ChangeTrimmer::~ChangeTrimmer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  thread_.join();
}

bool ChangeTrimmer::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void ChangeTrimmer::Run() {
  for (;;) {
    int64_t removed = 0;
    while (!stopping()) {
      const absl::StatusOr<int64_t> some = store_->TrimChanges(retention_, absl::Now() + kCallLimit);
      if (!some.ok()) spdlog::warn("changes: cannot be trimmed: {}", std::string(some.status().message()));
      if (!some.ok() || *some == 0) break;
      removed += *some;
    }
    if (removed > 0) spdlog::info("changes: removed the oldest {}", removed);
    std::unique_lock lock(mutex_);
    if (stop_.wait_for(lock, absl::ToChronoNanoseconds(interval_), [this] { return stopping_; })) return;
  }
}

}  // namespace tasker::registry
