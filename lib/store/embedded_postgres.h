#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string>

namespace tasker::store {

struct EmbeddedPostgresOptions {
  /// Holds the cluster (in "postgres") and the lock file; made when absent.
  std::string data_dir = {};
  /// Whether another folder may be used when PostgreSQL's user cannot enter `data_dir`: true when nobody chose it.
  bool may_relocate = false;
  /// Where `postgres` and `initdb` are; empty: looked for (pg_config, /usr/lib/postgresql/*/bin, PATH), the version
  /// that made the cluster first, else the newest.
  std::string bin_dir = {};
  /// Connections that the cluster takes.
  int max_connections = 64;
  /// False only for tests: a crash of the machine may then lose or break the data.
  bool fsync = true;
};

/// A private PostgreSQL cluster that lives as long as this object: reached through a unix socket only, by this user
/// only (folder permissions), no TCP. Started by root, it runs as the owner of an existing cluster, else as user
/// `postgres`, because PostgreSQL refuses to be root. It is stopped when this process dies in any way, and started
/// again when PostgreSQL dies. Its messages go to the log.
class EmbeddedPostgres {
 public:
  /// Makes the cluster when there is none, recovers what an earlier life left behind (also processes, after a
  /// `kill -9`), starts it and waits until it answers. Errors, each saying what to do:
  ///   FAILED_PRECONDITION  no PostgreSQL on this machine; the folder belongs to a live server (named by pid), to
  ///   another
  ///                        user or to another major version; PostgreSQL's user cannot enter it;
  ///   UNAVAILABLE          PostgreSQL did not start; its last messages are in the text.
  static absl::StatusOr<std::unique_ptr<EmbeddedPostgres>> Start(const EmbeddedPostgresOptions& options);

  /// Stops the cluster (see Stop) and gives the folder free.
  ~EmbeddedPostgres();
  EmbeddedPostgres(const EmbeddedPostgres&) = delete;
  EmbeddedPostgres& operator=(const EmbeddedPostgres&) = delete;

  /// PoolOptions::database_url of the database `name` of this cluster, which exists for "tasker".
  std::string DatabaseUrl(const std::string& name = "tasker") const;

  /// The folder in use, absolute: `data_dir`, or where it was relocated to.
  const std::string& data_dir() const;
  /// Why another folder than `data_dir` is used; empty when it is not.
  const std::string& relocation_reason() const;
  /// Where `postgres` was found.
  const std::string& bin_dir() const;
  /// The server process; 0 while it is being started again.
  int pid() const;

  /// Fast shutdown: open transactions are rolled back, connections closed. Waits until every process is gone (at most
  /// 30 s, then less gently). Does nothing the second time.
  void Stop();

 private:
  class Cluster;
  explicit EmbeddedPostgres(std::unique_ptr<Cluster> cluster);

  std::unique_ptr<Cluster> cluster_;
};

}  // namespace tasker::store
