// The load generator of registry_bench, a process of its own. One command a line on stdin, one line back on stdout:
//
//   closed ADDRESS METHOD REQUEST DEPTH SECONDS SPREAD   keeps DEPTH calls going for SECONDS
//   open ADDRESS METHOD REQUEST RATE SECONDS SPREAD      starts RATE calls a second, whatever the answers take
//   → ok CALLS SECONDS P50 P99 P999                      latencies in seconds; of an open loop, from when a call was
//   due → failed METHOD: MESSAGE                             a call failed
//
// REQUEST is the message's bytes in hex. Each "@@@@@@@@" in it is replaced, for each call, by the next number below
// SPREAD with eight digits; the count goes on from command to command.
#include <absl/strings/escaping.h>
#include <absl/synchronization/notification.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <fmt/format.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

namespace tasker::bench {
namespace {

constexpr std::string_view kPlace = "@@@@@@@@";

class Requests {
 public:
  Requests(std::string bytes, long spread) : bytes_(std::move(bytes)), spread_(std::max(1L, spread)) {
    for (size_t at = bytes_.find(kPlace); at != std::string::npos; at = bytes_.find(kPlace, at + kPlace.size())) {
      places_.push_back(at);
    }
    same_ = Buffer(bytes_);
  }

  grpc::ByteBuffer Next() const {
    static std::atomic<long> count = 0;
    if (places_.empty()) return same_;
    std::string bytes = bytes_;
    for (const size_t place : places_) {
      bytes.replace(place, kPlace.size(), fmt::format("{:08}", count.fetch_add(1) % spread_));
    }
    return Buffer(bytes);
  }

 private:
  static grpc::ByteBuffer Buffer(const std::string& bytes) {
    const grpc::Slice slice(bytes);
    return grpc::ByteBuffer(&slice, 1);
  }

  const std::string bytes_;
  const long spread_;
  std::vector<size_t> places_;
  grpc::ByteBuffer same_;
};

struct Command {
  std::string kind, address, method, request;
  double amount = 0;  // depth or rate
  double seconds = 0;
  long spread = 0;
};

class Run {
 public:
  Run(const std::shared_ptr<grpc::Channel>& channel, const Command& command)
      : stub_(channel),
        method_(command.method),
        requests_(absl::HexStringToBytes(command.request), command.spread),
        end_(absl::Now() + absl::Seconds(command.seconds)) {}

  void Closed(int depth) {
    under_way_ = depth;
    for (int i = 0; i < depth; ++i) Start(absl::Now(), /*again=*/true);
    done_.WaitForNotification();
  }

  void Open(double rate) {
    under_way_ = 1;  // this loop
    const absl::Duration step = absl::Seconds(1 / rate);
    for (absl::Time due = absl::Now(); due < end_; due += step) {
      absl::SleepFor(due - absl::Now());
      ++under_way_;
      Start(due, /*again=*/false);
    }
    Leave();
    done_.WaitForNotification();
  }

  std::string Report() {
    if (!failure_.empty()) return fmt::format("failed {}: {}", method_, failure_);
    const double seconds = absl::ToDoubleSeconds(absl::Now() - start_);
    std::sort(latencies_.begin(), latencies_.end());
    const auto at = [&](double share) {
      const auto index = static_cast<size_t>(share * static_cast<double>(latencies_.size()));
      return latencies_.empty() ? 0.0 : latencies_[std::min(index, latencies_.size() - 1)];
    };
    return fmt::format("ok {} {:.6f} {:.9f} {:.9f} {:.9f}", latencies_.size(), seconds, at(0.5), at(0.99), at(0.999));
  }

 private:
  struct Slot {
    absl::Time due;
    bool again = false;
    grpc::ByteBuffer request;
    grpc::ByteBuffer response;
    std::unique_ptr<grpc::ClientContext> context;
  };

  void Start(absl::Time due, bool again) {
    auto* const slot = new Slot{.due = due, .again = again, .request = {}, .response = {}, .context = nullptr};
    Send(slot);
  }

  void Send(Slot* slot) {
    slot->request = requests_.Next();
    slot->context = std::make_unique<grpc::ClientContext>();
    stub_.UnaryCall(slot->context.get(), method_, {}, &slot->request, &slot->response,
                    [this, slot](grpc::Status status) {
                      const absl::Time now = absl::Now();
                      const bool goes_on = slot->again && status.ok() && now < end_;
                      {
                        const std::lock_guard lock(mutex_);
                        latencies_.push_back(absl::ToDoubleSeconds(now - slot->due));
                        if (!status.ok() && failure_.empty()) failure_ = status.error_message() + " ";
                      }
                      if (goes_on) {
                        slot->due = now;
                        Send(slot);
                        return;
                      }
                      delete slot;
                      Leave();
                    });
  }

  void Leave() {
    if (under_way_.fetch_sub(1) == 1) done_.Notify();  // the last use of this object
  }

  grpc::GenericStub stub_;
  const std::string method_;
  const Requests requests_;
  const absl::Time start_ = absl::Now();
  const absl::Time end_;
  std::mutex mutex_;  // guards the two below
  std::vector<double> latencies_;
  std::string failure_;
  std::atomic<long> under_way_ = 0;
  absl::Notification done_;
};

std::string Execute(const Command& command) {
  static std::map<std::string, std::shared_ptr<grpc::Channel>> channels;
  std::shared_ptr<grpc::Channel>& channel = channels[command.address];
  if (channel == nullptr) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    channel = grpc::CreateCustomChannel(command.address, grpc::InsecureChannelCredentials(), arguments);
  }
  Run run(channel, command);
  if (command.kind == "open") {
    run.Open(command.amount);
  } else {
    run.Closed(static_cast<int>(command.amount));
  }
  return run.Report();
}

}  // namespace
}  // namespace tasker::bench

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    tasker::bench::Command command;
    std::istringstream words(line);
    words >> command.kind >> command.address >> command.method >> command.request >> command.amount >>
        command.seconds >> command.spread;
    if (command.request == "-") command.request.clear();
    if (!words || (command.kind != "open" && command.kind != "closed")) {
      fmt::print(stderr, "registry_load: no command: {}\n", line);
      return 2;
    }
    fmt::print("{}\n", tasker::bench::Execute(command));
    std::fflush(stdout);
  }
  return 0;
}
