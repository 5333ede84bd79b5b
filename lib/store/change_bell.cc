#include "lib/store/change_bell.h"

#include <absl/time/clock.h>
#include <libpq-fe.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "lib/store/connection_pool.h"

namespace tasker::store {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(100);
constexpr absl::Duration kLongestPause = absl::Seconds(5);

}  // namespace

// libpq itself: libpqxx can wait for notifications, but not for them and for Wake.
class ChangeBell::Connection {
 public:
  explicit Connection(const std::string& connection_string) : pg_(PQconnectdb(connection_string.c_str())) {}
  ~Connection() { PQfinish(pg_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool Listen() {
    if (PQstatus(pg_) != CONNECTION_OK) return false;
    PGresult* const result = PQexec(pg_, "LISTEN tasker_changes");
    const bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return done;
  }

  std::string error() const { return PQerrorMessage(pg_); }
  PGconn* pg() { return pg_; }

 private:
  PGconn* const pg_;
};

ChangeBell::ChangeBell(const ConnectionPool& pool)
    : connection_string_(pool.connection_string()),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      pause_(kFirstPause) {}

ChangeBell::~ChangeBell() {
  connection_.reset();
  close(wake_);
}

void ChangeBell::Wake() { eventfd_write(wake_, 1); }

void ChangeBell::Reconnect() { connection_.reset(); }

void ChangeBell::Connect() {
  auto connection = std::make_unique<Connection>(connection_string_);
  if (connection->Listen()) {
    pause_ = kFirstPause;
    next_try_ = absl::Now() + kFirstPause;  // one that breaks at once must not be made again and again without end
    connection_ = std::move(connection);
    return;
  }
  spdlog::debug("database: listen for changes: {}", connection->error());
  next_try_ = absl::Now() + pause_;
  pause_ = std::min(2 * pause_, kLongestPause);
}

bool ChangeBell::TakeNotifications() {
  bool rang = false;
  while (PGnotify* const notification = PQnotifies(connection_->pg())) {
    const std::string_view text = notification->extra;
    int64_t revision = 0;
    std::from_chars(text.data(), text.data() + text.size(), revision);
    heard_ = std::max(heard_, revision);
    PQfreemem(notification);
    rang = true;
  }
  return rang;
}

ChangeBell::Event ChangeBell::Wait(absl::Duration timeout) {
  if (connection_ == nullptr && absl::Now() >= next_try_) {
    Connect();
    if (connection_ != nullptr) return Event::kRang;
  }
  const absl::Time deadline = absl::Now() + timeout;
  if (connection_ != nullptr && TakeNotifications()) return Event::kRang;
  for (;;) {
    pollfd waits[2] = {{wake_, POLLIN, 0}, {connection_ != nullptr ? PQsocket(connection_->pg()) : -1, POLLIN, 0}};
    const int64_t left_ms =
        std::max<int64_t>(absl::ToInt64Milliseconds(deadline - absl::Now() + absl::Microseconds(999)), 0);
    const int ready = poll(waits, 2, static_cast<int>(std::min<int64_t>(left_ms, 60'000)));
    if (waits[0].revents != 0) {
      eventfd_t count = 0;
      eventfd_read(wake_, &count);
      return Event::kWoken;
    }
    if (connection_ != nullptr && waits[1].revents != 0) {
      if (PQconsumeInput(connection_->pg()) == 0) {
        spdlog::debug("database: listening for changes ended: {}", connection_->error());
        connection_.reset();
        return Event::kSilent;
      }
      if (TakeNotifications()) return Event::kRang;
    }
    if (ready == 0 || absl::Now() >= deadline) return connection_ != nullptr ? Event::kTimeout : Event::kSilent;
  }
}

}  // namespace tasker::store
