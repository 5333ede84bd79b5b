#pragma once

#include <string>

namespace tasker::bench {

/// A call that the load generator makes over and over. Each "@@@@@@@@" in `bytes` becomes a number of eight digits
/// below `spread`, another one each time.
struct LoadCall {
  std::string address;
  std::string method;  ///< "/tasker.registry.v1.ResolverService/ResolveTemplate"
  std::string bytes;
  long spread = 1;
};

inline constexpr char kPlace[] = "@@@@@@@@";

struct LoadResult {
  double rate = 0;                    ///< calls a second
  double p50 = 0, p99 = 0, p999 = 0;  ///< seconds
};

/// The load generator (registry_load, beside this program), a process of its own. Throws std::runtime_error when a call
/// fails. One thread at a time.
class Load {
 public:
  Load();
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  /// Keeps `depth` calls going.
  LoadResult Closed(const LoadCall& call, int depth, double seconds);
  /// Starts `rate` calls a second. Latencies count from when a call was due.
  LoadResult Open(const LoadCall& call, double rate, double seconds);

 private:
  LoadResult Run(const std::string& kind, const LoadCall& call, double amount, double seconds);

  int pid_ = 0;
  int to_ = -1;
  int from_ = -1;
};

/// Where the programs of this build are.
std::string ProgramFolder();

}  // namespace tasker::bench
