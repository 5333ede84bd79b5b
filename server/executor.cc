#include "server/executor.h"

#include <utility>

namespace tasker::server {

Executor::Executor(const ExecutorOptions& options) : options_(options) {
  for (int i = 0; i < options.threads; ++i) threads_.emplace_back([this] { Work(); });
}

Executor::~Executor() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool Executor::Post(size_t bytes, std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (queue_.size() >= options_.max_waiting) return false;
  if (bytes_ > 0 && bytes_ + bytes > options_.max_bytes) return false;
  bytes_ += bytes;
  queue_.push_back({bytes, std::move(task)});
  changed_.notify_one();
  return true;
}

size_t Executor::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void Executor::Work() {
  while (true) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    task.run();
    task.run = nullptr;  // frees the request before its bytes count as free
    const std::lock_guard lock(mutex_);
    bytes_ -= task.bytes;
  }
}

}  // namespace tasker::server
