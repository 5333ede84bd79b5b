#include "server/readiness.h"

#include <absl/time/time.h>
#include <spdlog/spdlog.h>

#include <utility>

namespace tasker::server {
namespace {

constexpr absl::Duration kInterval = absl::Seconds(1);

}  // namespace

Readiness::Readiness(std::function<bool()> check, std::function<void(bool)> report)
    : check_(std::move(check)), report_(std::move(report)), ready_(check_()) {
  report_(ready_);
  thread_ = std::thread([this] { Watch(); });
}

Readiness::~Readiness() { Stop(); }

bool Readiness::ready() const {
  const absl::MutexLock lock(&mutex_);
  return ready_ && !stopping_;
}

void Readiness::Stop() {
  {
    const absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

void Readiness::Watch() {
  while (true) {
    {
      const absl::MutexLock lock(&mutex_);
      if (mutex_.AwaitWithTimeout(absl::Condition(&stopping_), kInterval)) return;
    }
    const bool answers = check_();
    const absl::MutexLock lock(&mutex_);
    if (stopping_) return;
    if (answers == ready_) continue;
    ready_ = answers;
    if (answers) {
      spdlog::info("the database answers again");
    } else {
      spdlog::warn("the database does not answer; not ready");
    }
    report_(answers);
  }
}

}  // namespace tasker::server
