#include "server/readiness.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

namespace tasker::server {
namespace {

constexpr std::chrono::seconds kInterval{1};

}  // namespace

Readiness::Readiness(std::function<bool()> check, std::function<void(bool)> report)
    : check_(std::move(check)), report_(std::move(report)), ready_(check_()) {
  report_(ready_);
  thread_ = std::thread([this] { Watch(); });
}

Readiness::~Readiness() { Stop(); }

bool Readiness::ready() const {
  const std::lock_guard lock(mutex_);
  return ready_ && !stopping_;
}

void Readiness::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Readiness::Watch() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (stop_.wait_for(lock, kInterval, [this] { return stopping_; })) return;
    }
    const bool answers = check_();
    const std::lock_guard lock(mutex_);
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
