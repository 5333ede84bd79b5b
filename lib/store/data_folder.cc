#include "lib/store/data_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "lib/base/digest.h"

namespace tasker::store {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSystemFolder = "/var/lib/tasker-registry";
// sockaddr_un holds 108 bytes with the NUL.
constexpr size_t kMaxSocketPath = 107;
constexpr std::string_view kSocketName = "/.s.PGSQL.5432";

std::string ShortHash(const std::string& path) { return base::Sha256Digest(path).substr(7, 16); }

absl::Status Failure(std::string_view what, const std::string& path, const std::error_code& error) {
  return absl::FailedPreconditionError(fmt::format("cannot {} {}: {}", what, path, error.message()));
}

absl::Status Errno(std::string_view what, const std::string& path) {
  return Failure(what, path, std::error_code(errno, std::generic_category()));
}

// Makes `path` and its parents. A folder that is new can be entered by others, whatever the umask: the cluster's user
// must.
absl::Status MakeEnterable(const std::string& path, bool& made) {
  std::error_code error;
  made = fs::create_directories(path, error);
  if (error) return Failure("make the data folder", path, error);
  if (made && chmod(path.c_str(), 0755) != 0) return Errno("set the rights of", path);
  return absl::OkStatus();
}

absl::StatusOr<ProcessUser> ClusterUser(const std::string& path) {
  const std::string cluster = path + "/postgres";
  struct stat found = {};
  const bool exists = stat(cluster.c_str(), &found) == 0;
  if (geteuid() != 0) {
    if (exists && found.st_uid != geteuid()) {
      return absl::FailedPreconditionError(
          fmt::format("{} belongs to {}; run as that user or choose another --data-dir", cluster,
                      ProcessUser::FromUid(found.st_uid, found.st_gid).name));
    }
    return ProcessUser::Current();
  }
  if (exists && found.st_uid != 0) return ProcessUser::FromUid(found.st_uid, found.st_gid);
  std::optional<ProcessUser> user = ProcessUser::FromName("postgres");
  if (!user) {
    return absl::FailedPreconditionError(
        "PostgreSQL refuses to run as root, and there is no user 'postgres' to run it as; run as an ordinary user, or "
        "add that user");
  }
  return *std::move(user);
}

}  // namespace

absl::StatusOr<DataFolder> DataFolder::Choose(const std::string& path) {
  bool made = false;
  if (absl::Status status = MakeEnterable(path, made); !status.ok()) return status;
  absl::StatusOr<ProcessUser> user = ClusterUser(path);
  if (!user.ok()) return user.status();
  const std::optional<std::string> closed = FirstClosedFolder(path, *user);
  if (!closed) return DataFolder(path, *std::move(user));
  if (made) rmdir(path.c_str());
  return absl::PermissionDeniedError(
      fmt::format("PostgreSQL runs as user {}, who cannot enter {}", user->name, *closed));
}

absl::StatusOr<DataFolder> DataFolder::Open(const std::string& wished, bool may_relocate) {
  std::error_code error;
  const std::string path = fs::weakly_canonical(fs::absolute(wished, error), error).string();
  if (error) return Failure("find", wished, error);
  absl::StatusOr<DataFolder> folder = Choose(path);
  if (absl::IsPermissionDenied(folder.status())) {
    const std::string reason(folder.status().message());
    if (!may_relocate) {
      return absl::FailedPreconditionError(
          fmt::format("{}; let that user pass (chmod o+x), or choose another --data-dir", reason));
    }
    folder = Choose(fmt::format("{}/{}", kSystemFolder, ShortHash(path)));
    if (absl::IsPermissionDenied(folder.status())) {
      return absl::FailedPreconditionError(
          fmt::format("{}; neither can {}", reason, std::string(folder.status().message())));
    }
    if (folder.ok()) folder->relocation_reason_ = reason;
  }
  if (!folder.ok()) return folder;
  if (absl::Status status = folder->Lock(); !status.ok()) return status;
  return folder;
}

DataFolder::DataFolder(DataFolder&& other) noexcept
    : path_(std::move(other.path_)),
      relocation_reason_(std::move(other.relocation_reason_)),
      user_(std::move(other.user_)),
      lock_(std::exchange(other.lock_, -1)) {}

DataFolder& DataFolder::operator=(DataFolder&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(relocation_reason_, other.relocation_reason_);
  std::swap(user_, other.user_);
  std::swap(lock_, other.lock_);
  return *this;
}

DataFolder::~DataFolder() {
  if (lock_ >= 0) close(lock_);
}

absl::Status DataFolder::Lock() {
  const std::string file = path_ + "/lock";
  lock_ = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (lock_ < 0) return Errno("open the lock file", file);
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Errno("lock", file);
    std::string pid;
    std::ifstream(file) >> pid;
    return absl::FailedPreconditionError(fmt::format(
        "the data folder {} is in use by the server with process id {}; stop it or choose another --data-dir", path_,
        pid.empty() ? "unknown" : pid));
  }
  const std::string pid = fmt::format("{}\n", getpid());
  if (ftruncate(lock_, 0) != 0 || pwrite(lock_, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return Errno("write", file);
  }
  return absl::OkStatus();
}

absl::Status DataFolder::MakeForUser(const std::string& folder) const {
  std::error_code error;
  fs::remove_all(folder, error);
  if (error) return Failure("empty", folder, error);
  if (mkdir(folder.c_str(), 0700) != 0) return Errno("make", folder);
  if (user_.uid != geteuid() && chown(folder.c_str(), user_.uid, user_.gid) != 0) return Errno("give away", folder);
  return absl::OkStatus();
}

absl::StatusOr<std::string> DataFolder::MakeSocketFolder() const {
  std::string folder = path_ + "/socket";
  if (folder.size() + kSocketName.size() > kMaxSocketPath) {
    folder = geteuid() == 0 ? fmt::format("/run/tasker-registry-{}", ShortHash(path_))
                            : fmt::format("/tmp/tasker-registry-{}-{}", geteuid(), ShortHash(path_));
  }
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return Errno("make", folder);
  // /tmp is everybody's: the name may have been taken.
  struct stat found = {};
  if (lstat(folder.c_str(), &found) != 0 || !S_ISDIR(found.st_mode) || found.st_uid != geteuid()) {
    return absl::FailedPreconditionError(fmt::format("{} is not a folder of this user; remove it", folder));
  }
  const bool shared = user_.uid != geteuid();
  if (shared && chown(folder.c_str(), geteuid(), user_.gid) != 0) return Errno("give a group to", folder);
  if (chmod(folder.c_str(), shared ? 0770 : 0700) != 0) return Errno("set the rights of", folder);
  for (const char* suffix : {"", ".lock"}) {
    const std::string stale = fmt::format("{}{}{}", folder, kSocketName, suffix);
    if (unlink(stale.c_str()) != 0 && errno != ENOENT) return Errno("remove", stale);
  }
  return folder;
}

}  // namespace tasker::store
