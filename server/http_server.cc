#include "server/http_server.h"

#include <absl/status/status.h>
#include <fmt/format.h>
#include <httplib.h>

#include <chrono>
#include <thread>
#include <utility>

#include "server/address.h"

namespace tasker::server {

class HttpServer::Listener {
 public:
  Listener(Address address, HttpContent content) : address_(std::move(address)), content_(std::move(content)) {
    server_.new_task_queue = [] { return new httplib::ThreadPool(2); };  // scrapes and probes, a few a second
    server_.set_read_timeout(5);
    server_.set_write_timeout(5);
    server_.set_payload_max_length(64 << 10);
    server_.Get("/healthz", [](const httplib::Request&, httplib::Response& response) {
      response.set_content("ok\n", "text/plain");
    });
    server_.Get("/readyz", [this](const httplib::Request&, httplib::Response& response) {
      const bool ready = content_.ready();
      response.status = ready ? 200 : 503;
      response.set_content(ready ? "ready\n" : "not ready\n", "text/plain");
    });
    server_.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
      response.set_content(content_.metrics(), "text/plain; version=0.0.4; charset=utf-8");
    });
  }

  ~Listener() {
    server_.stop();
    if (thread_.joinable()) thread_.join();
  }

  absl::Status Start() {
    // Without SO_REUSEPORT, which httplib sets by default: two servers on one port would share it silently.
    server_.set_socket_options([](socket_t socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    });
    const std::string& host = address_.host;
    const bool bound = address_.port == 0 ? (address_.port = server_.bind_to_any_port(host)) > 0
                                          : server_.bind_to_port(host, address_.port);
    if (!bound) return absl::UnavailableError(fmt::format("cannot listen for HTTP on {}", address_.ToString()));
    text_ = address_.ToString();
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    // stop() does nothing before the loop runs, and then the thread would stay.
    while (!server_.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return absl::OkStatus();
  }

  const std::string& text() const { return text_; }

 private:
  Address address_;
  HttpContent content_;
  std::string text_;
  httplib::Server server_;
  std::thread thread_;
};

HttpServer::HttpServer(std::unique_ptr<Listener> listener) : listener_(std::move(listener)) {}
HttpServer::~HttpServer() = default;
const std::string& HttpServer::address() const { return listener_->text(); }

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& address, HttpContent content) {
  absl::StatusOr<Address> parsed = ParseAddress(address);
  if (!parsed.ok()) return parsed.status();
  auto listener = std::make_unique<Listener>(*std::move(parsed), std::move(content));
  if (absl::Status status = listener->Start(); !status.ok()) return status;
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(listener)));
}

}  // namespace tasker::server
