#include "tests/bench/load.h"

#include <absl/strings/escaping.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <sstream>
#include <stdexcept>

namespace tasker::bench {

std::string ProgramFolder() { return std::filesystem::read_symlink("/proc/self/exe").parent_path().string(); }

Load::Load() {
  int down[2];
  int up[2];
  if (pipe2(down, O_CLOEXEC) != 0 || pipe2(up, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  const std::string program = ProgramFolder() + "/registry_load";
  pid_ = fork();
  if (pid_ == 0) {
    dup2(down[0], 0);
    dup2(up[1], 1);
    execl(program.c_str(), program.c_str(), nullptr);
    _exit(127);
  }
  close(down[0]);
  close(up[1]);
  to_ = down[1];
  from_ = up[0];
}

Load::~Load() {
  close(to_);  // the generator ends at the end of its input
  close(from_);
  waitpid(pid_, nullptr, 0);
}

LoadResult Load::Closed(const LoadCall& call, int depth, double seconds) { return Run("closed", call, depth, seconds); }

LoadResult Load::Open(const LoadCall& call, double rate, double seconds) { return Run("open", call, rate, seconds); }

LoadResult Load::Run(const std::string& kind, const LoadCall& call, double amount, double seconds) {
  const std::string hex = call.bytes.empty() ? "-" : absl::BytesToHexString(call.bytes);
  const std::string line =
      fmt::format("{} {} {} {} {} {} {}\n", kind, call.address, call.method, hex, amount, seconds, call.spread);
  for (size_t sent = 0; sent < line.size();) {
    const ssize_t n = write(to_, line.data() + sent, line.size() - sent);
    if (n <= 0) throw std::runtime_error("the load generator has ended");
    sent += static_cast<size_t>(n);
  }
  std::string answer;
  for (char c = 0; c != '\n'; answer += c) {
    if (read(from_, &c, 1) != 1) throw std::runtime_error("the load generator has ended");
  }
  std::istringstream words(answer);
  std::string outcome;
  double calls = 0;
  double took = 0;
  LoadResult result;
  words >> outcome >> calls >> took >> result.p50 >> result.p99 >> result.p999;
  if (outcome != "ok") throw std::runtime_error(answer);
  result.rate = calls / took;
  return result;
}

}  // namespace tasker::bench
