#pragma once

#include <absl/time/time.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "lib/store/store.h"

namespace tasker::registry {

/// Trims the change log now and then, on a thread of its own. Any number of servers may have one.
class ChangeTrimmer {
 public:
  ChangeTrimmer(std::shared_ptr<store::Store> store, const store::ChangeRetention& retention, absl::Duration interval);
  /// Waits for the round that is under way.
  ~ChangeTrimmer();
  ChangeTrimmer(const ChangeTrimmer&) = delete;
  ChangeTrimmer& operator=(const ChangeTrimmer&) = delete;

 private:
  void Run();
  bool stopping() const;

  const std::shared_ptr<store::Store> store_;
  const store::ChangeRetention retention_;
  const absl::Duration interval_;
  std::condition_variable stop_;
  mutable std::mutex mutex_;  // guards the next one
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tasker::registry
