#include <absl/time/clock.h>
#include <fmt/format.h>
#include <grpcpp/create_channel.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <latch>
#include <optional>
#include <pqxx/pqxx>
#include <thread>

#include "lib/registry/checked_source.h"
#include "lib/registry/registrar.h"
#include "lib/store/store.h"
#include "lib/template/canonical.h"
#include "lib/template/resolve.h"
#include "tasker/registry/v1/resolver.grpc.pb.h"
#include "tests/bench/process.h"
#include "tests/bench/rows.h"
#include "tests/bench/yaml_cpp_events.h"

namespace tasker::bench {
namespace {

namespace pb = ::tasker::registry::v1;

constexpr char kResolve[] = "ResolverService/ResolveTemplate";
constexpr int kColdTemplates = 1000;

std::string ResolveBytes(const std::string& reference, pb::TemplateView view = pb::TEMPLATE_VIEW_UNSPECIFIED,
                         const std::string& if_not_digest = "") {
  pb::ResolveTemplateRequest request;
  request.set_reference(reference);
  request.set_environment("production");
  request.set_view(view);
  request.set_if_not_digest(if_not_digest);
  return request.SerializeAsString();
}

// etcd (Debian's etcd-server) with one key.
class Etcd {
 public:
  explicit Etcd(Load& load) {
    const std::string program = FindProgram("etcd");
    if (program.empty()) return;
    const std::string clients = fmt::format("http://127.0.0.1:{}", port_);
    const std::string peers = fmt::format("http://127.0.0.1:{}", FreePort());
    process_.emplace(std::vector<std::string>{program, "--data-dir", folder_.path() + "/etcd", "--listen-client-urls",
                                              clients, "--advertise-client-urls", clients, "--listen-peer-urls", peers,
                                              "--initial-advertise-peer-urls", peers, "--initial-cluster",
                                              "default=" + peers, "--log-level", "fatal"});
    for (int attempt = 0; attempt < 100 && !ready_; ++attempt) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      try {
        load.Closed(Call("Put", Field(1, "template") + Field(2, "x")), 1, 0.01);
        ready_ = true;
      } catch (const std::runtime_error&) {  // it still starts
      }
    }
  }
  bool ready() const { return ready_; }

  /// The call that reads `value` back, without asking other members.
  LoadCall Range(Load& load, const std::string& key, const std::string& value) const {
    load.Closed(Call("Put", Field(1, key) + Field(2, value)), 1, 0.01);
    return Call("Range", Field(1, key) + std::string("\x38\x01", 2));  // serializable = 7
  }

 private:
  LoadCall Call(const std::string& method, const std::string& bytes) const {
    return {fmt::format("127.0.0.1:{}", port_), "/etcdserverpb.KV/" + method, bytes, 1};
  }
  static std::string Field(int number, const std::string& value) {
    std::string out(1, static_cast<char>(number << 3 | 2));
    for (size_t left = value.size(); true; left >>= 7) {
      out += static_cast<char>((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
      if (left <= 0x7f) return out + value;
    }
  }

  const int port_ = FreePort();
  test::TemporaryFolder folder_;
  std::optional<Process> process_;
  bool ready_ = false;
};

struct Subject {
  std::string label;      // "5 steps"
  std::string reference;  // exact
  std::string answer;     // the encoded response
  size_t json_bytes = 0;  // of the response in the JSON view
  std::string digest;     // of the resolution
};

class Resolving {
 public:
  explicit Resolving(Bench& bench) : bench_(bench), etcd_(bench.load()) {
    const registry::Registrar registrar(std::make_shared<store::Store>(bench.database().pool()), {});
    for (const int steps : {5, 50}) {
      const std::string name = fmt::format("steps_{}", steps);
      pb::RegisterTemplateRequest request;
      request.mutable_source()->set_yaml(TemplateYaml(name, "1.0.0", steps));
      request.add_channels("stable");
      registrar.Register(request, {}).value();
      subjects_.push_back(Describe(fmt::format("bench/{}:1.0.0", name), fmt::format("{} steps", steps)));
      bench.Note(fmt::format("The answer about {} steps has {} bytes, in the JSON view {}", steps,
                             subjects_.back().answer.size(), subjects_.back().json_bytes));
    }
    if (!etcd_.ready()) bench.Note("etcd is not installed (Debian's etcd-server): its rows are left out");
  }

  void Warm() {
    for (const Subject& subject : subjects_) {
      const LoadCall exact = server_.Call(kResolve, ResolveBytes(subject.reference));
      for (const int depth : {1, 32}) {
        const std::string tail = fmt::format("{}, depth {}", subject.label, depth);
        bench_.Row("resolve exact, " + tail, exact, "echo", server_.Echo(), depth, 0.9);
        if (etcd_.ready()) {  // one at a time, the echo itself is only twice as fast
          bench_.Row("resolve exact, " + tail + " (etcd)", exact, "etcd's Range of the same bytes",
                     etcd_.Range(bench_.load(), subject.label, subject.answer), depth, depth == 1 ? 0 : 3);
        }
        bench_.Row(
            "resolve not modified, " + tail,
            server_.Call(kResolve, ResolveBytes(subject.reference, pb::TEMPLATE_VIEW_UNSPECIFIED, subject.digest)),
            "echo", server_.Echo(), depth, 0.9);
        const std::string template_name = subject.reference.substr(0, subject.reference.find(':'));
        for (const char* selector : {":latest", ":^1", ":stable"}) {
          bench_.Row(fmt::format("resolve {}, {}", selector, tail),
                     server_.Call(kResolve, ResolveBytes(template_name + selector)), "exact", exact, depth, 0.95);
        }
        const LoadCall json = server_.Call(kResolve, ResolveBytes(subject.reference, pb::TEMPLATE_VIEW_JSON));
        bench_.Row("resolve JSON view, " + tail, json, "exact", exact, depth, 0.95);
        // What is left of the difference when both answers have as many bytes is the registry's own.
        bench_.Row("resolve exact, " + tail + " (bytes)", exact, "bare answer of as many bytes",
                   server_.Give(subject.answer.size()), depth, 0);
        bench_.Row("resolve JSON view, " + tail + " (bytes)", json, "bare answer of as many bytes",
                   server_.Give(subject.json_bytes), depth, 0);
      }
    }
  }

  // Latencies where the server is busy, but not full.
  void Latency() {
    const Subject& subject = subjects_.front();
    const LoadCall exact = server_.Call(kResolve, ResolveBytes(subject.reference));
    const std::string name = fmt::format("resolve exact, {}, open loop", subject.label);
    if (!bench_.Wants(name)) return;
    const double peak = bench_.load().Closed(exact, 32, bench_.plan().seconds).rate;
    const double seconds = bench_.plan().seconds * 4;
    using Percentile = double LoadResult::*;
    for (const auto& [label, percentile, aim] :
         {std::tuple<const char*, Percentile, double>{"1 / p50", &LoadResult::p50, 0},
          std::tuple<const char*, Percentile, double>{"1 / p99", &LoadResult::p99, 1 / 1.5},
          std::tuple<const char*, Percentile, double>{"1 / p99.9", &LoadResult::p999, 0}}) {
      bench_.Row(
          fmt::format("{}, {}", name, label),
          [&, p = percentile] { return 1 / (bench_.load().Open(exact, 0.7 * peak, seconds).*p); },
          fmt::format("echo at the same rate, {}", label),
          [&, p = percentile] { return 1 / (bench_.load().Open(server_.Echo(), 0.7 * peak, seconds).*p); }, aim);
    }
  }

  // The example of the documents, which has an input schema.
  void Validating() {
    const std::string name = "validate input, 1 / p99, depth 1";
    if (!bench_.Wants(name)) return;
    std::ifstream file(TASKER_SOURCE_DIR "/examples/templates/credit_card_payment.yaml", std::ios::binary);
    const registry::Registrar registrar(std::make_shared<store::Store>(bench_.database().pool()), {});
    pb::RegisterTemplateRequest example;
    example.mutable_source()->set_yaml(std::string{std::istreambuf_iterator<char>(file), {}});
    registrar.Register(example, {}).value();
    pb::ValidateTaskInputRequest request;
    request.set_reference("payments/credit_card_payment:1.0.0");
    request.set_payload_json(R"({"card_number": "4111111111111111", "cvv": "123", "amount": 19.99, "currency": "EUR",)"
                             R"( "customer_id": 42})");
    const LoadCall call = server_.Call("ResolverService/ValidateTaskInput", request.SerializeAsString());
    LoadCall echo = server_.Echo();
    echo.bytes = call.bytes;
    const double seconds = bench_.plan().seconds;
    bench_.load().Closed(call, 1, seconds / 5);
    bench_.Row(
        name, [&] { return 1 / bench_.load().Closed(call, 1, seconds).p99; }, "echo of the same bytes, 1 / p99",
        [&] { return 1 / bench_.load().Closed(echo, 1, seconds).p99; }, 0);
  }

  // A server that remembers nothing, so that every call asks the database.
  void Cold() {
    if (!bench_.Wants("resolve cold")) return;
    const registry::Registrar registrar(std::make_shared<store::Store>(bench_.database().pool()), {});
    pb::RegisterTemplatesRequest request;
    for (int i = 0; i < kColdTemplates; ++i) {
      request.add_sources()->set_yaml(TemplateYaml(fmt::format("cold_{:08}", i), "1.0.0", 5));
    }
    registrar.Register(request, {}).value();
    const RegistryServer forgetful(bench_.database().url(), 1);
    const LoadCall call =
        forgetful.Call(kResolve, ResolveBytes(fmt::format("bench/cold_{}:1.0.0", kPlace)), kColdTemplates);
    for (const int depth : {1, 32}) {
      bench_.Row(
          fmt::format("resolve cold, 5 steps, depth {}", depth),
          [&] { return bench_.load().Closed(call, depth, bench_.plan().seconds).rate; },
          fmt::format("prepared SELECT configuration, {}", depth), [&] { return SelectRate(depth); }, 0.4);
    }
  }

 private:
  Subject Describe(const std::string& reference, const std::string& label) const {
    const pb::ResolveTemplateResponse response = Resolve(reference, pb::TEMPLATE_VIEW_UNSPECIFIED);
    return {label, reference, response.SerializeAsString(), Resolve(reference, pb::TEMPLATE_VIEW_JSON).ByteSizeLong(),
            response.resolution_digest()};
  }

  pb::ResolveTemplateResponse Resolve(const std::string& reference, pb::TemplateView view) const {
    const auto stub =
        pb::ResolverService::NewStub(grpc::CreateChannel(server_.address(), grpc::InsecureChannelCredentials()));
    pb::ResolveTemplateRequest request;
    request.ParseFromString(ResolveBytes(reference, view));
    grpc::ClientContext context;
    pb::ResolveTemplateResponse response;
    const grpc::Status status = stub->ResolveTemplate(&context, request, &response);
    if (!status.ok()) throw std::runtime_error(status.error_message());
    return response;
  }

  // `connections` of them at once, each one statement after the other.
  double SelectRate(int connections) {
    std::atomic<long> total = 0;
    std::atomic<bool> over = false;
    std::latch connected(connections + 1);  // what connecting takes does not count
    std::vector<std::jthread> threads;
    for (int n = 0; n < connections; ++n) {
      threads.emplace_back([&, n] {
        pqxx::connection connection(bench_.database().url());
        connection.prepare("select",
                           "SELECT configuration FROM tasker.named_tasks WHERE namespace = 'bench' AND name = $1 AND "
                           "major = 1 AND minor = 0 AND patch = 0");
        connected.arrive_and_wait();
        for (long i = n * 100; !over; ++i) {
          pqxx::nontransaction(connection).exec_prepared("select", fmt::format("cold_{:08}", i % kColdTemplates));
          ++total;
        }
      });
    }
    connected.arrive_and_wait();
    const long before = total;
    const absl::Time start = absl::Now();
    absl::SleepFor(absl::Seconds(bench_.plan().seconds));
    const double rate = static_cast<double>(total - before) / absl::ToDoubleSeconds(absl::Now() - start);
    over = true;
    return rate;
  }

  Bench& bench_;
  Etcd etcd_;
  const RegistryServer server_{bench_.database().url()};
  std::vector<Subject> subjects_;
};

}  // namespace

void MeasureTemplates(Bench& bench) {
  const std::string text = TemplateYaml("steps_5", "1.0.0", 5);
  pb::TemplateSource source;
  source.set_yaml(text);
  const tmpl::TaskTemplate tmpl = *registry::CheckSource(source, {}).tmpl;
  const auto rate = [&](const Work& work) { return RateOf(work, bench.plan().seconds); };
  const Figure events = [&] {
    return rate([&] {
      ParseYamlCppEvents(text);
      return 1L;
    });
  };
  bench.Row(
      "read and check YAML, 5 steps",
      [&] { return rate([&] { return registry::CheckSource(source, {}).tmpl.has_value() ? 1L : 0L; }); },
      "yaml-cpp events", events, 0);
  bench.Row(
      "resolve to canonical JSON, 5 steps",
      [&] {
        return rate([&] {
          return tmpl::CanonicalText(tmpl::ResolveForEnvironment(tmpl, "production").tmpl).empty() ? 0L : 1L;
        });
      },
      "yaml-cpp events", events, 0);
}

void MeasureResolving(Bench& bench) {
  Resolving resolving(bench);
  resolving.Warm();
  resolving.Latency();
  resolving.Validating();
  resolving.Cold();
}

}  // namespace tasker::bench
