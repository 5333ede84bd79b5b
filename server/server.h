#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <memory>
#include <string>
#include <vector>

#include "lib/store/connection_pool.h"
#include "server/options.h"

namespace grpc {
class Service;
}
namespace tasker::store {
class EmbeddedPostgres;
}

namespace tasker::server {

/// The program's version: "0.1.0".
std::string Version();

/// The database that the options name; without one, an embedded PostgreSQL, which `postgres` then holds.
struct Database {
  std::unique_ptr<store::EmbeddedPostgres> postgres;
  std::shared_ptr<store::ConnectionPool> pool;

  Database();
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();
};
absl::StatusOr<Database> OpenDatabase(const Options& options);

/// A whole registry server. Its threads, ports and PostgreSQL live as long as it.
class Server {
 public:
  /// Opens the database, brings its schema up to date, and listens. The error says what to do. `beside` are services
  /// of the caller's own, served on the same port; they must outlive the server. REQUIRES: CheckOptions(options) is OK.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const Options& options,
                                                       const std::vector<grpc::Service*>& beside = {});

  /// Drains (with the options' grace) when nobody has.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const std::string& grpc_address() const;  ///< host:port, the actual one
  const std::string& http_address() const;  ///< empty without HTTP

  /// "ready grpc=127.0.0.1:50051 http=127.0.0.1:8080"
  std::string ReadyLine() const;

  /// Takes no new calls, leaves `grace` to those that run, cancels the rest, and returns when none is left. The second
  /// time it does nothing. Not for signal handlers.
  void Drain(absl::Duration grace);

 private:
  class Parts;
  explicit Server(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace tasker::server
