#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <string>

namespace tasker::store {

class Session;

struct PoolOptions {
  std::string database_url;  ///< libpq URL or key words; several hosts allowed
  int max_connections = 16;  ///< opened when needed, at least 1

  /// The longest that a call may take whose caller set no deadline or a later one.
  absl::Duration max_call = absl::Seconds(30);
};

/// What a call does, which decides whether it may be sent again after its connection broke.
enum class CallKind {
  kRead,
  kIdempotentWrite,  ///< a second run changes nothing more
  kWrite,            ///< sent again only when PostgreSQL certainly did nothing
};

/// Connections to one database, at most `max_connections`. Each holds its prepared statements. A connection that broke
/// is closed, and with it every idle one that was opened before: a restart of PostgreSQL costs one failed attempt,
/// which the caller does not see. Safe to call from any thread.
class ConnectionPool {
 public:
  /// Does not connect yet. INVALID_ARGUMENT when libpq cannot read `database_url` (without quoting it: it may hold a
  /// password).
  static absl::StatusOr<std::shared_ptr<ConnectionPool>> Create(PoolOptions options);
  ~ConnectionPool();
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  /// Runs `call` on a connection of its own, outside a transaction block: every statement commits by itself.
  /// `call` may run several times: after a serialization failure or deadlock, and after a broken connection as `kind`
  /// allows; so it must start afresh each time. What it throws comes back as a Status (see pq_error.h). `what` names
  /// the call in the log. Waits for a free connection at most until `deadline` (RESOURCE_EXHAUSTED).
  absl::Status Run(std::string_view what, CallKind kind, absl::Time deadline,
                   const std::function<void(Session&)>& call);

  /// Like Run, inside one transaction that commits when `call` returns OK and is rolled back otherwise; `call` runs at
  /// most once, and only `deadline` bounds it.
  absl::Status RunTransaction(std::string_view what, absl::Time deadline,
                              const std::function<absl::Status(Session&)>& call);

  /// How the connections are opened, as libpq's key words; may hold a password.
  const std::string& connection_string() const;

  /// Open connections, idle or busy.
  int size() const;

 private:
  class Core;
  explicit ConnectionPool(std::unique_ptr<Core> core);

  std::unique_ptr<Core> core_;
};

}  // namespace tasker::store
