#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <memory>
#include <string>

namespace tasker::server {

/// What the HTTP port answers; both functions are called on its threads.
struct HttpContent {
  std::function<std::string()> metrics;  ///< GET /metrics, Prometheus' text format
  std::function<bool()> ready;           ///< GET /readyz: 200 "ready", else 503
};

/// The plain HTTP port for machines: /metrics, /healthz (200 as long as the process answers at all), /readyz.
class HttpServer {
 public:
  /// `address` is host:port, port 0 picks a free one. INVALID_ARGUMENT for another form; UNAVAILABLE when it cannot
  /// be bound.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const std::string& address, HttpContent content);
  /// Closes the port and waits for its threads.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// host:port with the actual port.
  const std::string& address() const;

 private:
  class Listener;
  explicit HttpServer(std::unique_ptr<Listener> listener);

  std::unique_ptr<Listener> listener_;
};

}  // namespace tasker::server
