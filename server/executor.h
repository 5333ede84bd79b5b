#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tasker::server {

struct ExecutorOptions {
  int threads = 16;                      ///< at least 1; as many database calls run at once
  size_t max_waiting = 1024;             ///< tasks in the queue
  size_t max_bytes = size_t{512} << 20;  ///< of requests, waiting and running
};

/// Threads for work that blocks, with a queue that refuses instead of growing. Work goes to the thread that ran last,
/// whose stack and memory are still in the processor's cache. Safe to call from any thread.
class Executor {
 public:
  explicit Executor(const ExecutorOptions& options);
  /// Runs what waits, then joins.
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  /// Runs `task`, which must not throw, on one of the threads; `bytes` is the size of the request it works for. False,
  /// and `task` is dropped, when the queue is full. A single request larger than `max_bytes` still runs when it is
  /// alone.
  bool Post(size_t bytes, std::function<void()> task);

  /// Tasks waiting now.
  size_t waiting() const;

 private:
  struct Task {
    size_t bytes;
    std::function<void()> run;
  };
  struct Idle {
    std::condition_variable changed;
    bool is_called = false;
  };
  void Work();

  const ExecutorOptions options_;
  mutable std::mutex mutex_;  // guards what follows, but for the threads
  std::deque<Task> queue_;
  std::vector<Idle*> idle_;  // each on its thread's stack; the last came last
  size_t bytes_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace tasker::server
