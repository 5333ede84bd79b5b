#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace tasker::server {

/// Asks at once and then every second whether the database answers, and says so when that changes. Its own thread, so
/// that a full executor does not look like a dead database.
class Readiness {
 public:
  /// `check` may take seconds; `report` gets the first answer (before the constructor returns) and every change (on
  /// this object's thread).
  Readiness(std::function<bool()> check, std::function<void(bool)> report);
  ~Readiness();
  Readiness(const Readiness&) = delete;
  Readiness& operator=(const Readiness&) = delete;

  /// The last answer; false after Stop. Any thread.
  bool ready() const;
  /// Not ready from now on, whatever the database does; waits for the thread. The second time it does nothing.
  void Stop();

 private:
  void Watch();

  const std::function<bool()> check_;
  const std::function<void(bool)> report_;
  std::condition_variable stop_;
  mutable std::mutex mutex_;  // guards the next two
  bool ready_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tasker::server
