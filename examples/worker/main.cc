// A worker that follows one template: prints what runs its steps, and again whenever the reference comes to mean
// another version. Ends on SIGINT or SIGTERM.
//
//     example_worker SERVER[,SERVER…] REFERENCE [ENVIRONMENT]

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>

#include "client/library/template_client.h"

namespace client = tasker::client;

namespace {

// Wakes the worker when something has changed, and when it must end.
class Bell {
 public:
  void Ring() { Set(rung_); }
  void End() { Set(ended_); }

  // False when the worker must end.
  bool Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kRetry, [this] { return rung_ || ended_; });
    rung_ = false;
    return !ended_;
  }

 private:
  static constexpr std::chrono::seconds kRetry{1};  // for as long as there is no answer

  void Set(bool& what) {
    {
      const std::lock_guard lock(mutex_);
      what = true;
    }
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool rung_ = false;
  bool ended_ = false;
};

void PrintHandlers(const client::Answer<client::pb::ResolveTemplateResponse>& answer) {
  const auto& found = *answer.response;
  fmt::print("{}\n", found.reference());
  if (found.template_().has_task_handler())
    fmt::print("  (the task) {}\n", found.template_().task_handler().callable());
  for (const auto& step : found.template_().steps()) fmt::print("  {} {}\n", step.name(), step.handler().callable());
  if (found.has_state_notice()) fmt::print("  notice: {}\n", found.state_notice().message());
  std::fflush(stdout);
}

void Work(client::TemplateClient& templates, Bell& bell, const std::string& reference, const std::string& environment) {
  std::string current;
  do {
    // From memory but for the first time and after a change of this template.
    const auto answer = templates.Resolve({.reference = reference, .environment = environment});
    if (!answer.ok()) {
      fmt::print(stderr, "{}: {}\n", reference, fmt::streamed(answer.status()));
    } else if (answer->response->reference() != current) {
      current = answer->response->reference();
      PrintHandlers(*answer);
    }
  } while (bell.Wait());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || argc > 4) {
    fmt::print(stderr, "usage: example_worker SERVER[,SERVER...] REFERENCE [ENVIRONMENT]\n");
    return 2;
  }
  // Before any thread starts, so that all of them leave these to sigwait.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  Bell bell;
  client::TemplateClientOptions options;
  options.server.servers.clear();
  std::istringstream servers(argv[1]);
  for (std::string server; std::getline(servers, server, ',');) options.server.servers.push_back(server);
  options.on_change = [&bell](const client::pb::Change&) { bell.Ring(); };
  options.on_gap = [&bell] { bell.Ring(); };
  auto templates = client::TemplateClient::Create(options);
  if (!templates.ok()) {
    fmt::print(stderr, "{}\n", fmt::streamed(templates.status()));
    return 2;
  }

  std::thread worker([&] { Work(**templates, bell, argv[2], argc > 3 ? argv[3] : ""); });
  int signal = 0;
  sigwait(&signals, &signal);
  bell.End();
  worker.join();
  return 0;
}
