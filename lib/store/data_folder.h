#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <string>

#include "lib/store/postgres_process.h"

namespace tasker::store {

/// The folder of an embedded cluster: chosen, made, and held by a lock as long as this object lives.
///   lock       locked by the server that uses the folder, holds its pid
///   postgres   the cluster, owned by the user that PostgreSQL runs as
///   socket     PostgreSQL's socket, unless the path is too long for one
class DataFolder {
 public:
  /// Chooses and locks; see EmbeddedPostgresOptions and EmbeddedPostgres::Start for what it decides.
  static absl::StatusOr<DataFolder> Open(const std::string& wished, bool may_relocate);

  DataFolder(DataFolder&& other) noexcept;
  DataFolder& operator=(DataFolder&& other) noexcept;
  ~DataFolder();

  const std::string& path() const { return path_; }
  const std::string& relocation_reason() const { return relocation_reason_; }
  const ProcessUser& user() const { return user_; }
  std::string cluster() const { return path_ + "/postgres"; }
  /// Where a cluster is made, before it gets its name.
  std::string unfinished_cluster() const { return path_ + "/postgres.new"; }

  /// Makes `folder`, empty, for the cluster's user alone.
  absl::Status MakeForUser(const std::string& folder) const;
  /// A folder for the socket that only this user and the cluster's can enter, without an earlier life's socket.
  absl::StatusOr<std::string> MakeSocketFolder() const;

 private:
  DataFolder(std::string path, ProcessUser user) : path_(std::move(path)), user_(std::move(user)) {}

  static absl::StatusOr<DataFolder> Choose(const std::string& path);
  absl::Status Lock();

  std::string path_;
  std::string relocation_reason_;
  ProcessUser user_;
  int lock_ = -1;
};

}  // namespace tasker::store
