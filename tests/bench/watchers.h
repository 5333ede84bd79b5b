#pragma once

#include <absl/time/time.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tasker/registry/v1/resolver.pb.h"

namespace tasker::bench {

/// How far all watches together are; whoever waits reads it while others count.
struct WatchProgress {
  std::atomic<long> begun = 0;
  std::atomic<long> changes = 0;
  std::atomic<bool> failed = false;  ///< a watch ended, or missed a revision, or saw one twice
};

/// What one watch has received. Belongs to one thread at a time.
class WatchRecord {
 public:
  /// `revision`: from which it watches.
  WatchRecord(int64_t revision, WatchProgress& progress) : progress_(progress), revision_(revision) {}

  /// Notes how late each change of `message` came, and that each revision comes once and in order.
  void Take(const registry::v1::WatchTemplatesResponse& message);
  const std::vector<double>& delays() const { return delays_; }

 private:
  WatchProgress& progress_;
  int64_t revision_;  // the last one
  bool begun_ = false;
  std::vector<double> delays_;
};

/// A crowd of watches from a revision on; they end with this object.
class Watchers {
 public:
  virtual ~Watchers() = default;

  /// Ends them and gives all delays, in seconds.
  virtual std::vector<double> Stop() = 0;
};

/// Ordinary clients of gRPC's C++ library, with its callback API.
std::unique_ptr<Watchers> MakeGrpcWatchers(const std::string& address, int watchers, int connections, int64_t revision,
                                           WatchProgress& progress);

/// One thread that speaks HTTP/2 through libnghttp2 and does nothing else: it takes as little as can be of the
/// processors that it shares with the server. Throws std::runtime_error when it cannot connect.
std::unique_ptr<Watchers> MakeHttp2Watchers(const std::string& address, int watchers, int connections, int64_t revision,
                                            WatchProgress& progress);

}  // namespace tasker::bench
