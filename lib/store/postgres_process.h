#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace tasker::store {

/// Whom a child process runs as.
struct ProcessUser {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;
  std::string name;

  /// This process's own user: nothing is switched.
  static ProcessUser Current();
  /// nullopt when there is no such user.
  static std::optional<ProcessUser> FromName(const std::string& name);
  /// Also for a uid without an entry in the user database.
  static ProcessUser FromUid(uid_t uid, gid_t gid);
};

/// A child process in a session of its own (so that Ctrl-C reaches only us), with a clean environment, default signal
/// handling and no inherited files; stdout and stderr go to one pipe.
struct ChildProcess {
  pid_t pid = 0;
  int output = -1;  ///< read end, close it
};

/// Starts `argv` as `user` (only root can name another). With `die_with_thread`, the child gets SIGINT (PostgreSQL's
/// fast shutdown) when the calling *thread* ends in any way, a `kill -9` of the process included. UNAVAILABLE when it
/// cannot fork; a program that cannot be started exits with 127 and says why in its output.
absl::StatusOr<ChildProcess> StartProcess(const std::vector<std::string>& argv, const ProcessUser& user,
                                          bool die_with_thread);

struct FinishedProcess {
  int exit_code = -1;  ///< 128 + signal when killed
  std::string output;  ///< its last 16 KiB
};

/// Runs `argv` to its end.
absl::StatusOr<FinishedProcess> RunProcess(const std::vector<std::string>& argv, const ProcessUser& user);

/// Whether `user` can enter `folder` through all its parents; else the first folder on the way that it cannot enter.
std::optional<std::string> FirstClosedFolder(const std::string& folder, const ProcessUser& user);

/// The processes of `user` whose working directory is `folder`: every process of a PostgreSQL cluster has its data
/// folder there.
std::vector<pid_t> ProcessesIn(const std::string& folder, const ProcessUser& user);

/// Ends all of them: asks `leader` (0: nobody) for a fast shutdown and waits `patience`, then SIGQUIT (PostgreSQL's
/// immediate shutdown), then SIGKILL. False when some are still there.
bool EndProcessesIn(const std::string& folder, const ProcessUser& user, pid_t leader, absl::Duration patience);

}  // namespace tasker::store
