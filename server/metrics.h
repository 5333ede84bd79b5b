#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace prometheus {
class Counter;
class Histogram;
class Registry;
}  // namespace prometheus

namespace tasker::server {

/// The counters of one RPC method.
struct MethodMetrics {
  std::array<prometheus::Counter*, 17> calls{};  ///< by gRPC status code
  prometheus::Histogram* seconds = nullptr;

  void Count(int code, double call_seconds) const;
};

/// A number that somebody else keeps, read when it is scraped.
struct Reading {
  std::string name;  ///< "tasker_registry_cache_bytes"
  std::string help;
  bool is_counter = false;  ///< else a gauge
  std::string cache;        ///< the label "cache"; empty: no label
  double value = 0;
};

/// What Prometheus scrapes. Safe to call from any thread.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// tasker_registry_calls_total{method,code} and tasker_registry_call_seconds{method}. `method` is
  /// "ResolverService/ResolveTemplate". What it gives lives as long as this object.
  MethodMetrics ForMethod(const std::string& method);

  /// Everything, `readings` included, in Prometheus' text format.
  std::string Text(const std::vector<Reading>& readings) const;

 private:
  std::unique_ptr<prometheus::Registry> registry_;
};

}  // namespace tasker::server
