#include "lib/store/postgres_process.h"

#include <absl/time/clock.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>

namespace tasker::store {
namespace {

namespace fs = std::filesystem;

constexpr size_t kKeptOutput = 16 * 1024;

ProcessUser FromEntry(const passwd& entry) {
  ProcessUser user{.uid = entry.pw_uid, .gid = entry.pw_gid, .groups = {}, .name = entry.pw_name};
  int count = 64;
  user.groups.resize(static_cast<size_t>(count));
  if (getgrouplist(entry.pw_name, entry.pw_gid, user.groups.data(), &count) < 0) count = 0;
  user.groups.resize(static_cast<size_t>(std::max(count, 0)));
  if (user.groups.empty()) user.groups.push_back(user.gid);
  return user;
}

// Between fork and exec in a program with threads: only system calls, no memory, no locks.
bool BecomeUser(const ProcessUser& user) {
  if (user.uid == geteuid()) return true;
  return setgroups(user.groups.size(), user.groups.data()) == 0 && setgid(user.gid) == 0 && setuid(user.uid) == 0;
}

[[noreturn]] void Complain(const char* what) {
  const int error = errno;
  const char* const text = strerrordesc_np(error);
  for (const char* part : {what, ": ", text != nullptr ? text : "unknown error", "\n"}) {
    if (write(STDERR_FILENO, part, strlen(part)) < 0) break;
  }
  _exit(127);
}

[[noreturn]] void BecomeProgram(char* const* argv, char* const* environment, const ProcessUser& user, int output,
                                pid_t parent, bool die_with_thread) {
  setsid();
  const int null = open("/dev/null", O_RDONLY);
  if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0) {
    _exit(127);
  }
  // The server's files (its lock, its sockets) are no business of the child's, whoever opened them without O_CLOEXEC.
  if (syscall(SYS_close_range, 3u, ~0u, 0u) != 0) {
    for (int fd = 3; fd < 1024; ++fd) close(fd);
  }
  struct sigaction action = {};
  action.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) sigaction(number, &action, nullptr);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  umask(077);
  if (!BecomeUser(user)) Complain("cannot become the user that PostgreSQL runs as");
  // After the change of user, which clears it. The parent may have died before.
  if (die_with_thread && (prctl(PR_SET_PDEATHSIG, SIGINT) != 0 || getppid() != parent)) _exit(127);
  if (chdir("/") != 0) _exit(127);
  execve(argv[0], argv, environment);
  Complain(argv[0]);
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& string : strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

int ExitCode(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

// Makes the calling thread see files as `user` does. In a container, root usually lacks the right (CAP_SYS_PTRACE) to
// see where another user's processes work, but that user may.
class FileAccessAs {
 public:
  explicit FileAccessAs(const ProcessUser& user) {
    setfsgid(user.gid);
    setfsuid(user.uid);
  }
  ~FileAccessAs() {
    setfsuid(geteuid());
    setfsgid(getegid());
  }
  FileAccessAs(const FileAccessAs&) = delete;
  FileAccessAs& operator=(const FileAccessAs&) = delete;
};

bool WaitUntilEmpty(const std::string& folder, const ProcessUser& user, absl::Duration patience) {
  const absl::Time deadline = absl::Now() + patience;
  while (!ProcessesIn(folder, user).empty()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(10));
  }
  return true;
}

}  // namespace

ProcessUser ProcessUser::Current() { return FromUid(geteuid(), getegid()); }

std::optional<ProcessUser> ProcessUser::FromName(const std::string& name) {
  passwd entry;
  passwd* found = nullptr;
  std::string buffer(64 * 1024, '\0');
  if (getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return std::nullopt;
  }
  return FromEntry(entry);
}

ProcessUser ProcessUser::FromUid(uid_t uid, gid_t gid) {
  passwd entry;
  passwd* found = nullptr;
  std::string buffer(64 * 1024, '\0');
  if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) return FromEntry(entry);
  return {.uid = uid, .gid = gid, .groups = {gid}, .name = fmt::format("uid {}", uid)};
}

absl::StatusOr<ChildProcess> StartProcess(const std::vector<std::string>& argv, const ProcessUser& user,
                                          bool die_with_thread) {
  std::vector<std::string> arguments = argv;
  std::vector<std::string> environment = {"LC_ALL=C", "PATH=/usr/local/bin:/usr/bin:/bin", "TZ=UTC"};
  const std::vector<char*> argument_pointers = Pointers(arguments);
  const std::vector<char*> environment_pointers = Pointers(environment);
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) return absl::UnavailableError("cannot make a pipe for a child process");
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    BecomeProgram(argument_pointers.data(), environment_pointers.data(), user, pipe_ends[1], parent, die_with_thread);
  }
  close(pipe_ends[1]);
  if (pid < 0) {
    close(pipe_ends[0]);
    return absl::UnavailableError("cannot fork a child process");
  }
  return ChildProcess{.pid = pid, .output = pipe_ends[0]};
}

absl::StatusOr<FinishedProcess> RunProcess(const std::vector<std::string>& argv, const ProcessUser& user) {
  absl::StatusOr<ChildProcess> child = StartProcess(argv, user, /*die_with_thread=*/false);
  if (!child.ok()) return child.status();
  FinishedProcess finished;
  char buffer[4096];
  for (;;) {
    const ssize_t got = read(child->output, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    finished.output.append(buffer, static_cast<size_t>(got));
    if (finished.output.size() > 2 * kKeptOutput) finished.output.erase(0, finished.output.size() - kKeptOutput);
  }
  close(child->output);
  int wait_status = 0;
  while (waitpid(child->pid, &wait_status, 0) < 0 && errno == EINTR) {
  }
  finished.exit_code = ExitCode(wait_status);
  return finished;
}

std::optional<std::string> FirstClosedFolder(const std::string& folder, const ProcessUser& user) {
  // Only the kernel knows (lists of access rights, read-only mounts, …): ask it as that user.
  std::vector<std::string> steps;
  fs::path path;
  for (const fs::path& part : fs::path(folder)) steps.push_back((path /= part).string());
  const pid_t pid = fork();
  if (pid == 0) {
    if (!BecomeUser(user)) _exit(255);
    for (size_t i = 0; i < steps.size(); ++i) {
      if (chdir(steps[i].c_str()) != 0) _exit(static_cast<int>(std::min<size_t>(i, 200)));
    }
    _exit(254);
  }
  int wait_status = 0;
  while (pid > 0 && waitpid(pid, &wait_status, 0) < 0 && errno == EINTR) {
  }
  const int code = pid > 0 ? ExitCode(wait_status) : 255;
  if (code == 254) return std::nullopt;
  return static_cast<size_t>(code) < steps.size() ? steps[static_cast<size_t>(code)] : folder;
}

std::vector<pid_t> ProcessesIn(const std::string& folder, const ProcessUser& user) {
  const FileAccessAs access(user);
  std::vector<pid_t> pids;
  struct stat wanted = {};
  if (stat(folder.c_str(), &wanted) != 0) return pids;
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename();
    pid_t pid = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (parsed.ec != std::errc() || *parsed.ptr != '\0' || pid == getpid()) continue;
    struct stat found = {};
    if (stat((entry->path() / "cwd").c_str(), &found) != 0) continue;
    if (found.st_dev == wanted.st_dev && found.st_ino == wanted.st_ino) pids.push_back(pid);
  }
  return pids;
}

bool EndProcessesIn(const std::string& folder, const ProcessUser& user, pid_t leader, absl::Duration patience) {
  const std::vector<pid_t> pids = ProcessesIn(folder, user);
  if (pids.empty()) return true;
  if (std::find(pids.begin(), pids.end(), leader) != pids.end()) {
    kill(leader, SIGINT);
    if (WaitUntilEmpty(folder, user, patience)) return true;
  }
  for (const int signal : {SIGQUIT, SIGKILL}) {
    for (const pid_t pid : ProcessesIn(folder, user)) kill(pid, signal);
    if (WaitUntilEmpty(folder, user, absl::Seconds(10))) return true;
  }
  return false;
}

}  // namespace tasker::store
