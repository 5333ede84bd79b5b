// Answers from a client's memory, beside a map of strings under a shared mutex that holds the same.
//
//   build/release/bin/client_bench                a table
//   build/release/bin/client_bench --json FILE    the same as JSON, too
//   build/release/bin/client_bench --smoke        one short round, to see that it works
//
// Each look-up asks for another entry than the one before, in random order, so that what a core's cache does not hold
// comes from memory. Counted is processor time, so other work on the machine falsifies little.

#include <absl/time/time.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <random>
#include <shared_mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "client/library/answer_cache.h"
#include "client/library/feed.h"
#include "client/library/snapshot.h"
#include "client/library/template_client.h"
#include "tests/bench/bench_main.h"
#include "tests/bench/measure.h"

namespace tasker::bench {
namespace {

namespace pb = ::tasker::registry::v1;

constexpr char kNoServer[] = "127.0.0.1:1";  // exact versions are answered without one
constexpr char kEnvironment[] = "production";
constexpr size_t kCacheBytes = size_t{4} << 30;

double ThreadSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Look-ups in a second of one core, while `threads` do `count` of them each. The first `unmeasured` of each bring back
// into the core's caches what the side that was measured before took out of them.
template <typename LookUp>
double PerCore(int threads, long unmeasured, long count, const LookUp& look_up) {
  std::vector<double> seconds(static_cast<size_t>(threads));
  std::vector<std::thread> running;
  for (int number = 0; number < threads; ++number) {
    running.emplace_back([&, number] {
      const long first = number * count / threads;
      for (long i = 0; i < unmeasured; ++i) look_up(static_cast<size_t>(first + i));
      const double start = ThreadSeconds();
      for (long i = 0; i < count; ++i) look_up(static_cast<size_t>(first + unmeasured + i));
      seconds[static_cast<size_t>(number)] = ThreadSeconds() - start;
    });
  }
  double total = 0;
  for (int number = 0; number < threads; ++number) {
    running[static_cast<size_t>(number)].join();
    total += seconds[static_cast<size_t>(number)];
  }
  return static_cast<double>(count * threads) / total;
}

[[noreturn]] void Die(const std::string& message) {
  fmt::print(stderr, "client_bench: {}\n", message);
  exit(1);
}

// The references in the order of the look-ups, which is not that in which the entries were made.
std::vector<std::string> References(size_t entries) {
  std::vector<size_t> order(entries);
  for (size_t i = 0; i < entries; ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), std::mt19937(1));
  std::vector<std::string> references;
  for (const size_t i : order) references.push_back(fmt::format("payments/credit_card_{}:1.{}.0", i, i % 10));
  return references;
}

// An order of their own for the entries, so that neighbours in the look-ups are none in memory.
std::vector<std::string> Sorted(std::vector<std::string> references) {
  std::sort(references.begin(), references.end());
  return references;
}

std::shared_ptr<client::RememberedAnswer> MakeAnswer(const std::string& reference) {
  const std::string name = reference.substr(0, reference.find(':'));
  auto answer = client::RememberedAnswer::Make(
      client::AnswerKey{client::AnswerKind::kTemplate, false, reference, kEnvironment, {}}, name);
  auto response = std::make_unique<pb::ResolveTemplateResponse>();
  response->set_reference(reference);
  response->mutable_template_()->set_name(name);
  response->mutable_template_()->add_steps()->mutable_handler()->set_callable("Payments::Charge");
  answer->response = std::move(response);
  return answer;
}

// A client with these in memory, as after the start from a snapshot.
std::unique_ptr<client::TemplateClient> MakeClient(const std::vector<std::string>& references) {
  std::string folder = (std::filesystem::temp_directory_path() / "client-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) Die("no temporary folder");
  client::TemplateClientOptions options;
  options.server.servers = {kNoServer};
  options.cache_bytes = kCacheBytes;
  options.snapshot_path = folder + "/answers";
  options.log = [](const std::string&) {};
  client::AnswerCache cache(kCacheBytes);
  for (const std::string& reference : Sorted(references)) cache.Restore(MakeAnswer(reference), /*current=*/true);
  const absl::Status saved = client::SaveSnapshot(options.snapshot_path, kNoServer, cache, client::SteadyNow());
  if (!saved.ok()) Die(std::string(saved.message()));
  auto made = client::TemplateClient::Create(options);
  std::filesystem::remove_all(folder);
  if (!made.ok() || (*made)->GetStats().entries != references.size()) Die("the client did not start from its snapshot");
  return *std::move(made);
}

class Plain {
 public:
  explicit Plain(const std::vector<std::string>& references) {
    for (const std::string& reference : Sorted(references)) {
      auto response = std::make_shared<pb::ResolveTemplateResponse>();
      response->set_reference(reference);
      answers_.emplace(reference + "|" + kEnvironment, std::move(response));
    }
  }

  std::shared_ptr<const pb::ResolveTemplateResponse> Find(const std::string& reference) const {
    const std::string key = reference + "|" + kEnvironment;
    const std::shared_lock lock(mutex_);
    const auto found = answers_.find(key);
    return found == answers_.end() ? nullptr : found->second;
  }

 private:
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const pb::ResolveTemplateResponse>> answers_;
};

std::vector<Result> MeasureAll(bool smoke) {
  const int rounds = smoke ? 1 : 7;
  const long count = smoke ? 10'000 : 1'000'000;
  std::vector<Result> results;
  for (const size_t entries : {size_t{1}, size_t{1'000}, smoke ? size_t{2'000} : size_t{100'000}}) {
    const std::vector<std::string> references = References(entries);
    const auto client = MakeClient(references);
    const Plain plain(references);
    for (const int threads : {1, 2}) {
      results.push_back(Compare(
          rounds, fmt::format("hits a core, {} entries, {} thread{}", entries, threads, threads > 1 ? "s" : ""),
          [&] {
            return PerCore(threads, static_cast<long>(entries), count, [&](size_t i) {
              if (!client->Resolve({.reference = references[i % entries], .environment = kEnvironment}).ok()) {
                Die("a look-up missed");
              }
            });
          },
          "unordered_map, shared_mutex",
          [&] {
            return PerCore(threads, static_cast<long>(entries), count, [&](size_t i) {
              if (plain.Find(references[i % entries]) == nullptr) Die("a look-up missed");
            });
          }));
    }
  }
  return results;
}

int Run(const Arguments& arguments) {
  const std::vector<Result> results = MeasureAll(arguments.smoke);
  fmt::print("{}", Table(results));
  if (!arguments.json_file.empty()) std::ofstream(arguments.json_file) << Json(results) << "\n";
  return 0;
}

}  // namespace
}  // namespace tasker::bench

int main(int argc, char** argv) { return tasker::bench::BenchMain(argc, argv, tasker::bench::Run); }
