// The client library for tests in Python. Each line of stdin is a reference to resolve, or empty; each is answered by a
// line of JSON: what was found, and what the client knows of changes.
//
//     library_probe server=HOST:PORT [tls-ca=FILE] [tls-cert=FILE tls-key=FILE] [token-file=FILE]
//                   [keepalive=10s] [longest-silence=10s]
//
// Calls give up after 30 s, without a retry. Selectors are answered from memory for an hour without a watch.

#include <absl/time/time.h>
#include <fmt/format.h>
#include <fmt/ostream.h>

#include <cstdint>
#include <cstdio>
#include <iostream>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "client/library/template_client.h"

namespace tasker::client {
namespace {

class Probe {
 public:
  absl::Status Start(std::map<std::string, std::string> words) {
    TemplateClientOptions options;
    options.server.servers = {words["server"]};
    options.server.timeout = absl::Seconds(30);
    options.server.tls_ca = words["tls-ca"];
    options.server.tls_cert = words["tls-cert"];
    options.server.tls_key = words["tls-key"];
    options.server.token_file = words["token-file"];
    options.retries = 0;
    options.max_staleness = absl::Hours(1);
    options.keepalive = Duration(words["keepalive"]);
    options.longest_silence = Duration(words["longest-silence"]);
    options.on_change = [this](const pb::Change& change) {
      const std::lock_guard lock(mutex_);
      changes_.push_back(change.revision());
    };
    auto made = TemplateClient::Create(std::move(options));
    if (!made.ok()) return made.status();
    client_ = *std::move(made);
    return absl::OkStatus();
  }

  void Answer(const std::string& reference) {
    std::string found;
    std::string code = "OK";
    absl::Duration age;
    if (!reference.empty()) {
      const auto answer = client_->Resolve({.reference = reference});
      code = absl::StatusCodeToString(answer.status().code());
      if (answer.ok()) {
        found = answer->response->reference();
        age = answer->age;
      } else {
        fmt::print(stderr, "{}\n", fmt::streamed(answer.status()));
      }
    }
    const TemplateClient::Stats stats = client_->GetStats();
    const std::lock_guard lock(mutex_);
    fmt::print(R"({{"found": "{}", "code": "{}", "age": {}, "watching": {}, "changes": [{}]}})", found, code,
               absl::ToDoubleSeconds(age), stats.watching, fmt::join(changes_, ", "));
    fmt::print("\n");
    std::fflush(stdout);
  }

 private:
  // What is not asked for must not happen: the test is of the other.
  static absl::Duration Duration(const std::string& text) {
    absl::Duration out;
    return absl::ParseDuration(text, &out) ? out : absl::Hours(1);
  }

  std::mutex mutex_;  // guards changes_
  std::vector<int64_t> changes_;
  std::unique_ptr<TemplateClient> client_;  // last, so that it ends first
};

int Run(int argc, char** argv) {
  std::map<std::string, std::string> words;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    words[word.substr(0, word.find('='))] = word.substr(word.find('=') + 1);
  }
  Probe probe;
  if (const absl::Status status = probe.Start(std::move(words)); !status.ok()) {
    fmt::print(stderr, "{}\n", fmt::streamed(status));
    return 2;
  }
  for (std::string line; std::getline(std::cin, line);) probe.Answer(line);
  return 0;
}

}  // namespace
}  // namespace tasker::client

int main(int argc, char** argv) { return tasker::client::Run(argc, argv); }
