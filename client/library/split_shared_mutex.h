#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <mutex>

namespace tasker::client {

/// A shared mutex for what is read all the time and changed seldom. A reader locks only its thread's part, which stays
/// in its core's cache; a writer locks all parts, which takes it some microseconds. For std::shared_lock and
/// std::unique_lock; a thread must not lock twice, and unlocks what it has locked itself.
class SplitSharedMutex {
 public:
  void lock() {
    for (Part& part : parts_) part.mutex.lock();
  }
  void unlock() {
    for (Part& part : parts_) part.mutex.unlock();
  }
  void lock_shared() { Own().lock(); }
  void unlock_shared() { Own().unlock(); }

 private:
  // More threads than this share parts. The thread sanitizer follows at most 64 locks that one thread holds.
  static constexpr size_t kParts = 32;
  static constexpr size_t kCacheLine = 64;

  struct alignas(kCacheLine) Part {
    std::mutex mutex;
  };

  std::mutex& Own() {
    static std::atomic<size_t> threads{0};
    thread_local const size_t number = threads.fetch_add(1, std::memory_order_relaxed);
    return parts_[number % kParts].mutex;
  }

  std::array<Part, kParts> parts_;
};

}  // namespace tasker::client
