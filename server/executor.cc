#include "server/executor.h"

#include <malloc.h>

#include <utility>

namespace tasker::server {
namespace {

// The work for a larger request leaves several times as much free in malloc's hands, which would keep it.
constexpr size_t kLargeRequest = size_t{8} << 20;

}  // namespace

Executor::Executor(const ExecutorOptions& options) : options_(options) {
  for (int i = 0; i < options.threads; ++i) threads_.emplace_back([this] { Work(); });
}

Executor::~Executor() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (Idle* idle : idle_) {
      idle->is_called = true;
      idle->changed.notify_one();
    }
  }
  for (std::thread& thread : threads_) thread.join();
}

bool Executor::Post(size_t bytes, std::function<void()> task) {
  Idle* called = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= options_.max_waiting) return false;
    if (bytes_ > 0 && bytes_ + bytes > options_.max_bytes) return false;
    bytes_ += bytes;
    queue_.push_back({bytes, std::move(task)});
    if (!idle_.empty()) {
      called = idle_.back();
      called->is_called = true;
      idle_.pop_back();
    }
  }
  if (called != nullptr) called->changed.notify_one();  // without the lock, which it takes first
  return true;
}

size_t Executor::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void Executor::Work() {
  Idle idle;
  while (true) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      while (queue_.empty()) {
        if (stopping_) return;
        idle.is_called = false;
        idle_.push_back(&idle);
        idle.changed.wait(lock, [&] { return idle.is_called; });
      }
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    task.run();
    task.run = nullptr;  // frees the request before its bytes count as free
    if (task.bytes > kLargeRequest) malloc_trim(0);
    const std::lock_guard lock(mutex_);
    bytes_ -= task.bytes;
  }
}

}  // namespace tasker::server
