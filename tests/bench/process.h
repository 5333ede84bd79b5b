#pragma once

#include <string>
#include <vector>

namespace tasker::bench {

/// A program of its own; killed with this object, or when this program dies. Its stdout and stderr go nowhere, or to
/// `output` where it is a pipe's end.
class Process {
 public:
  explicit Process(const std::vector<std::string>& command, int output = -1);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  int pid() const { return pid_; }
  bool running() const;
  /// Bytes of memory that are not shared with other processes' files (RssAnon), or 0.
  long AnonymousBytes() const;
  /// All resident bytes (VmRSS), or 0.
  long ResidentBytes() const;

 private:
  int pid_ = 0;
};

/// A TCP port of the loopback that nobody listens on now.
int FreePort();

/// The path of the program `name` on this machine; empty when there is none.
std::string FindProgram(const std::string& name);

}  // namespace tasker::bench
