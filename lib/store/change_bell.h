#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <memory>
#include <string>

namespace tasker::store {

class ConnectionPool;

/// Rings when a change was committed: a connection of its own that listens to PostgreSQL's notifications. It only says
/// that it is worth looking; one that is lost or silent costs time, never a change. Wait, Reconnect and the
/// destructor belong to one thread.
class ChangeBell {
 public:
  enum class Event {
    kRang,     ///< a change was committed, or one may have been while there was no connection
    kTimeout,  ///< nothing happened
    kWoken,    ///< Wake was called
    kSilent,   ///< there is no connection: it broke just now, or the time passed without one
  };

  /// Connects as `pool` does, on the first Wait.
  explicit ChangeBell(const ConnectionPool& pool);
  ~ChangeBell();
  ChangeBell(const ChangeBell&) = delete;
  ChangeBell& operator=(const ChangeBell&) = delete;

  /// Waits at most `timeout`. Connects first where there is no connection, which may take as long as a connect does; a
  /// new connection rings, since something may have happened before it. After a failure, further tries come after
  /// pauses that grow to 5 s.
  Event Wait(absl::Duration timeout);

  /// Drops the connection; the next Wait makes another.
  void Reconnect();

  /// The highest revision that a notification has named; 0: none yet.
  int64_t heard() const { return heard_; }

  /// Ends a Wait, or the next one, at once. Any thread.
  void Wake();

 private:
  class Connection;

  void Connect();
  bool TakeNotifications();

  const std::string connection_string_;
  const int wake_;  // an eventfd
  std::unique_ptr<Connection> connection_;
  int64_t heard_ = 0;
  absl::Time next_try_ = absl::InfinitePast();
  absl::Duration pause_;
};

}  // namespace tasker::store
