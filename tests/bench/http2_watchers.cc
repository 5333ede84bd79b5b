#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "tests/bench/watchers.h"

namespace tasker::bench {
namespace {

// gRPC's framing of a message: a byte that says whether it is compressed, and its length.
constexpr size_t kPrefixBytes = 5;
constexpr int kPollMilliseconds = 50;  // how late Stop is noticed

class Watch {
 public:
  Watch(int64_t revision, WatchProgress& progress) : record_(revision, progress) {}

  void Receive(std::string_view bytes) {
    buffer_.append(bytes);
    size_t at = 0;
    while (buffer_.size() - at >= kPrefixBytes) {
      uint32_t size = 0;
      std::memcpy(&size, buffer_.data() + at + 1, sizeof size);
      size = ntohl(size);
      if (buffer_.size() - at - kPrefixBytes < size) break;
      message_.ParseFromArray(buffer_.data() + at + kPrefixBytes, static_cast<int>(size));
      record_.Take(message_);
      at += kPrefixBytes + size;
    }
    buffer_.erase(0, at);
  }
  const std::vector<double>& delays() const { return record_.delays(); }

 private:
  WatchRecord record_;
  std::string buffer_;  // a message of which more is to come
  registry::v1::WatchTemplatesResponse message_;
};

int ConnectTo(const std::string& address) {
  const size_t colon = address.rfind(':');
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(colon + 1))));
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || inet_pton(AF_INET, address.substr(0, colon).c_str(), &name.sin_addr) != 1 ||
      connect(fd, reinterpret_cast<sockaddr*>(&name), sizeof name) != 0) {
    throw std::runtime_error("cannot connect to " + address);
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

class Connection {
 public:
  Connection(const std::string& address, int64_t revision, WatchProgress& progress)
      : progress_(progress), address_(address), revision_(revision), fd_(ConnectTo(address)) {
    registry::v1::WatchTemplatesRequest request;
    request.set_from_revision(revision);
    request_ = std::string(kPrefixBytes - 1, '\0') + static_cast<char>(request.ByteSizeLong());
    request.AppendToString(&request_);
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks, [](nghttp2_session*, uint8_t, int32_t stream, const uint8_t* data, size_t size, void* self) {
          static_cast<Connection*>(self)->watches_.at(stream).Receive({reinterpret_cast<const char*>(data), size});
          return 0;
        });
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks,
                                                           [](nghttp2_session*, int32_t, uint32_t, void* self) {
                                                             static_cast<Connection*>(self)->progress_.failed = true;
                                                             return 0;
                                                           });
    nghttp2_session_client_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
  }
  ~Connection() {
    nghttp2_session_del(session_);
    close(fd_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int fd() const { return fd_; }

  void StartWatch() {
    const std::array<std::array<std::string_view, 2>, 6> fields = {{{":method", "POST"},
                                                                    {":scheme", "http"},
                                                                    {":path",
                                                                     "/tasker.registry.v1.ResolverService/"
                                                                     "WatchTemplates"},
                                                                    {":authority", address_},
                                                                    {"te", "trailers"},
                                                                    {"content-type", "application/grpc"}}};
    std::vector<nghttp2_nv> headers;
    for (const auto& [name, value] : fields) {
      headers.push_back({reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
                         reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
                         NGHTTP2_NV_FLAG_NONE});
    }
    nghttp2_data_provider body{};
    body.source.ptr = &request_;
    body.read_callback = [](nghttp2_session*, int32_t, uint8_t* out, size_t, uint32_t* flags,
                            nghttp2_data_source* source, void*) -> ssize_t {
      *flags = NGHTTP2_DATA_FLAG_EOF;
      return static_cast<ssize_t>(static_cast<std::string*>(source->ptr)->copy(reinterpret_cast<char*>(out), 256));
    };
    const int32_t stream = nghttp2_submit_request(session_, nullptr, headers.data(), headers.size(), &body, nullptr);
    watches_.try_emplace(stream, revision_, progress_);
  }

  // Takes what has come; false when the connection is of no more use.
  bool Receive() {
    std::array<uint8_t, 64 << 10> bytes;
    const ssize_t size = recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (size <= 0) return size < 0 && errno == EAGAIN;
    return nghttp2_session_mem_recv(session_, bytes.data(), static_cast<size_t>(size)) == size && Send();
  }

  bool Send() {
    const uint8_t* data = nullptr;
    while (const ssize_t size = nghttp2_session_mem_send(session_, &data)) {
      // Little enough that the socket always has room.
      if (size < 0 || send(fd_, data, static_cast<size_t>(size), MSG_NOSIGNAL) != size) return false;
    }
    return true;
  }

  void Collect(std::vector<double>& delays) const {
    for (const auto& [stream, watch] : watches_)
      delays.insert(delays.end(), watch.delays().begin(), watch.delays().end());
  }

 private:
  WatchProgress& progress_;
  const std::string address_;
  const int64_t revision_;
  std::string request_;  // of a watch: less than 256 bytes, with gRPC's prefix
  const int fd_;
  nghttp2_session* session_ = nullptr;
  std::unordered_map<int32_t, Watch> watches_;
};

class Http2Watchers final : public Watchers {
 public:
  Http2Watchers(const std::string& address, int watchers, int connections, int64_t revision, WatchProgress& progress)
      : progress_(progress), poll_(epoll_create1(EPOLL_CLOEXEC)) {
    for (int i = 0; i < connections; ++i)
      connections_.push_back(std::make_unique<Connection>(address, revision, progress));
    for (int i = 0; i < watchers; ++i) connections_[static_cast<size_t>(i % connections)]->StartWatch();
    for (const auto& connection : connections_) {
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.ptr = connection.get();
      if (epoll_ctl(poll_, EPOLL_CTL_ADD, connection->fd(), &event) != 0 || !connection->Send()) {
        throw std::runtime_error("cannot start the watches");
      }
    }
    thread_ = std::thread([this] { Run(); });
  }
  ~Http2Watchers() override {
    Stop();
    close(poll_);
  }

  std::vector<double> Stop() override {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
    std::vector<double> delays;
    for (const auto& connection : connections_) connection->Collect(delays);
    connections_.clear();
    return delays;
  }

 private:
  void Run() {
    std::array<epoll_event, 64> events{};
    while (!stopping_) {
      const int count = epoll_wait(poll_, events.data(), static_cast<int>(events.size()), kPollMilliseconds);
      for (int i = 0; i < count; ++i) {
        if (static_cast<Connection*>(events[static_cast<size_t>(i)].data.ptr)->Receive()) continue;
        progress_.failed = true;
        return;
      }
    }
  }

  WatchProgress& progress_;
  const int poll_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Watchers> MakeHttp2Watchers(const std::string& address, int watchers, int connections, int64_t revision,
                                            WatchProgress& progress) {
  return std::make_unique<Http2Watchers>(address, watchers, connections, revision, progress);
}

}  // namespace tasker::bench
