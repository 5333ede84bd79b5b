#pragma once

#include <memory>
#include <string>

#include "lib/store/connection_pool.h"
#include "lib/store/embedded_postgres.h"
#include "lib/store/store.h"

namespace tasker::test {

/// A new folder that PostgreSQL's user can enter. It is removed when this object or the process ends, in whatever way;
/// a PostgreSQL that runs in it is waited for first.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int leash_ = -1;  // the remover waits until nobody holds the other end
  int remover_ = 0;
};

/// The test program's own PostgreSQL, started when first asked for and stopped with the program. It loses data when the
/// machine crashes (no fsync), so it is fast.
class TestCluster {
 public:
  static TestCluster& Get();

  /// The URL of a new, empty database of this cluster.
  std::string NewDatabase();
  /// The URL of a new database with the current migrations.
  std::string NewMigratedDatabase();
  /// The same, behind a pool.
  std::shared_ptr<store::ConnectionPool> NewMigratedPool(int max_connections = 16);

  store::EmbeddedPostgres& postgres() { return *postgres_; }

 private:
  TestCluster();

  std::string NewDatabaseLike(const std::string& original);

  TemporaryFolder folder_;
  std::unique_ptr<store::EmbeddedPostgres> postgres_;
  std::shared_ptr<store::ConnectionPool> admin_;
};

/// A pool on `url`; fails the test when the URL is bad.
std::shared_ptr<store::ConnectionPool> OpenPool(const std::string& url, int max_connections = 16);

/// Runs SQL, several statements if need be, and gives the first column of the last one's rows; fails the test on an
/// error.
std::vector<std::string> RunSql(store::ConnectionPool& pool, const std::string& sql);

}  // namespace tasker::test
