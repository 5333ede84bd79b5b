// What reading and validating a template costs: against a bare yaml-cpp parse of the same text, and as it grows.
// Usage: template_bench [FILE]; FILE is the specification's example by default. Prints one table; see
// docs/template-language.md.

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>

#include "lib/validate/check.h"

namespace {

// Processor time of this thread: other programs on the machine do not count.
double NowMs() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

class IgnoreEvents : public YAML::EventHandler {
  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

void ParseOnly(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  IgnoreEvents handler;
  while (parser.HandleNextDocument(handler)) {
  }
}

bool ReadAndCheck(std::string_view text) {
  tasker::tmpl::LoadOptions options;
  options.limits.text_bytes = size_t{256} << 20;
  options.limits.nodes = 50'000'000;
  tasker::base::IssueList issues;
  return tasker::validate::LoadAndCheck(text, options, issues).has_value();
}

// The shortest of `rounds` runs in milliseconds: what the code costs when the machine leaves it alone.
template <typename Run>
double ShortestMs(int rounds, Run run) {
  double best = 1e300;
  for (int i = 0; i < rounds; ++i) {
    const double start = NowMs();
    run();
    best = std::min(best, NowMs() - start);
  }
  return best;
}

constexpr std::string_view kHead = "name: bench\nnamespace_name: bench\nversion: 1.0.0\nsteps:\n";

std::string Chain(int steps) {
  std::string text(kHead);
  for (int i = 0; i < steps; ++i) {
    text += fmt::format("  - name: step_{}\n    handler: {{callable: Step}}\n", i);
    if (i > 0) text += fmt::format("    dependencies: [step_{}]\n", i - 1);
  }
  return text;
}

std::string AllEarlier(int steps) {
  std::string text(kHead);
  for (int i = 0; i < steps; ++i) {
    text += fmt::format("  - name: step_{}\n    handler: {{callable: Step}}\n    dependencies:\n", i);
    for (int j = 0; j < i; ++j) text += fmt::format("      - step_{}\n", j);
  }
  return text;
}

void Row(std::string_view shape, int steps, const std::string& text) {
  const bool valid = ReadAndCheck(text);
  const double ms = ShortestMs(text.size() < 4'000'000 ? 30 : 5, [&] { ReadAndCheck(text); });
  fmt::print("| {} | {} | {:.2f} | {:.1f} | {:.1f} |{}\n", shape, steps, static_cast<double>(text.size()) / 1e6, ms,
             ms * 1e6 / static_cast<double>(text.size()), valid ? "" : " NOT VALID");
}

}  // namespace

int main(int argc, char** argv) {
  std::ifstream in(argc > 1 ? argv[1] : BENCH_EXAMPLE, std::ios::binary);
  const std::string example(std::istreambuf_iterator<char>(in), {});
  if (!ReadAndCheck(example)) {
    fmt::print(stderr, "the example is missing or not valid\n");
    return 1;
  }
  // Alternating, so that both meet the same machine.
  double parse = 1e300;
  double check = 1e300;
  for (int i = 0; i < 200; ++i) {
    parse = std::min(parse, ShortestMs(1, [&] { ParseOnly(example); }));
    check = std::min(check, ShortestMs(1, [&] { ReadAndCheck(example); }));
  }
  fmt::print("The example, {} bytes: yaml-cpp's events alone {:.3f} ms, read and validated {:.3f} ms, ratio {:.2f}\n\n",
             example.size(), parse, check, check / parse);
  fmt::print("| shape | steps | MB | ms | ns a byte |\n| --- | --- | --- | --- | --- |\n");
  for (const int steps : {1000, 2000, 4000, 8000, 10'000}) Row("chain", steps, Chain(steps));
  for (const int steps : {250, 500, 1000, 2000}) Row("all earlier steps", steps, AllEarlier(steps));
  return 0;
}
