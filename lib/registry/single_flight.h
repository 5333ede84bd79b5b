#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace tasker::registry {

/// Lets one of several callers who want the same thing at once get it, and gives it to all. Safe to call from any
/// thread.
template <typename Value>
class SingleFlight {
 public:
  /// What `work` gives, run by this caller or by another who asked for `key` and is not done yet. Waits for the other
  /// at most until `deadline`: DEADLINE_EXCEEDED. When the other's own deadline was what failed it, runs `work` again.
  /// `work` must not throw.
  absl::StatusOr<Value> Do(const std::string& key, absl::Time deadline,
                           const std::function<absl::StatusOr<Value>()>& work) {
    for (;;) {
      std::unique_lock lock(mutex_);
      const auto [place, is_first] = flights_.try_emplace(key);
      if (is_first) {
        place->second = std::make_shared<Flight>();
        lock.unlock();
        absl::StatusOr<Value> result = work();
        Land(key, result);
        return result;
      }
      const std::shared_ptr<Flight> flight = place->second;
      const absl::Time until = std::min(deadline, absl::Now() + absl::Hours(24));  // not the clock's far end
      if (!flight->landed.wait_until(lock, absl::ToChronoTime(until), [&] { return flight->result.has_value(); })) {
        return absl::DeadlineExceededError("the deadline passed while another call asked the database for the same");
      }
      if (!absl::IsDeadlineExceeded(flight->result->status())) return *flight->result;
    }
  }

  /// For who works on several at once: whether `key` is now this caller's, who must call Land for it. False: another
  /// caller works on it.
  bool Begin(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto [place, is_first] = flights_.try_emplace(key);
    if (is_first) place->second = std::make_shared<Flight>();
    return is_first;
  }
  /// Gives `result` to those who wait for `key`; DEADLINE_EXCEEDED makes one of them do the work.
  void Land(const std::string& key, const absl::StatusOr<Value>& result) {
    const std::lock_guard lock(mutex_);
    const auto place = flights_.find(key);
    place->second->result = result;
    place->second->landed.notify_all();
    flights_.erase(place);
  }

 private:
  struct Flight {
    std::condition_variable landed;
    std::optional<absl::StatusOr<Value>> result;
  };

  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<Flight>> flights_;
};

}  // namespace tasker::registry
