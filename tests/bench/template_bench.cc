// What reading and validating a template costs: beside a bare yaml-cpp event parse of the same text in the same run,
// and as the text grows. Medians of rounds.
//
//   build/release/bin/template_bench              a table; about a minute
//   build/release/bin/template_bench --json FILE  the same as JSON, too
//   build/release/bin/template_bench --smoke      one round without the largest texts, to see that it works

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/json.h"
#include "lib/validate/check.h"
#include "tests/bench/yaml_cpp_events.h"

namespace {

// Processor time of this thread: other programs on the machine do not count.
double NowMs() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

bool ReadAndCheck(std::string_view text) {
  tasker::tmpl::LoadOptions options;
  options.limits.text_bytes = size_t{256} << 20;
  options.limits.nodes = 50'000'000;
  tasker::base::IssueList issues;
  return tasker::validate::LoadAndCheck(text, options, issues).has_value();
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

struct Row {
  std::string shape;
  int steps = 0;
  size_t bytes = 0;
  double check_ms = 0;  // medians of the rounds
  double parse_ms = 0;
  double ratio = 0;

  double NsPerByte() const { return check_ms * 1e6 / static_cast<double>(bytes); }
};

template <typename Run>
double Ms(int runs, const Run& run) {
  const double start = NowMs();
  for (int i = 0; i < runs; ++i) run();
  return (NowMs() - start) / runs;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Both sides in turn, round by round, so that a change of the machine's speed hits both.
Row Measure(std::string shape, int steps, const std::string& text, bool smoke) {
  if (!ReadAndCheck(text)) throw std::runtime_error(fmt::format("{}, {} steps: missing or not valid", shape, steps));
  const int runs = static_cast<int>(std::max<size_t>(1, 500'000 / text.size()));
  const int rounds = smoke ? 1 : text.size() > 4'000'000 ? 5 : 15;
  std::vector<double> check;
  std::vector<double> parse;
  std::vector<double> ratio;
  for (int i = 0; i < rounds; ++i) {
    parse.push_back(Ms(runs, [&] { tasker::bench::ParseYamlCppEvents(text); }));
    check.push_back(Ms(runs, [&] { ReadAndCheck(text); }));
    ratio.push_back(check.back() / parse.back());
  }
  return {std::move(shape), steps, text.size(), Median(check), Median(parse), Median(ratio)};
}

std::vector<Row> MeasureAll(const std::string& example, bool smoke) {
  std::vector<Row> rows = {Measure("the example", 5, example, smoke)};
  for (const int steps : {1000, 2000, 4000, 8000, 10'000}) {
    rows.push_back(Measure("chain", steps, Chain(steps), smoke));
  }
  for (const int steps : {250, 500, 1000, 2000}) {
    if (smoke && steps > 250) break;
    rows.push_back(Measure("all earlier steps", steps, AllEarlier(steps), smoke));
  }
  return rows;
}

void PrintTable(const std::vector<Row>& rows) {
  fmt::print("| shape | steps | MB | ms | ns a byte | yaml-cpp's events, ms | ratio |\n");
  fmt::print("| --- | --- | --- | --- | --- | --- | --- |\n");
  for (const Row& row : rows) {
    fmt::print("| {} | {} | {:.3f} | {:.3f} | {:.1f} | {:.3f} | {:.2f} |\n", row.shape, row.steps,
               static_cast<double>(row.bytes) / 1e6, row.check_ms, row.NsPerByte(), row.parse_ms, row.ratio);
  }
}

std::string ToJson(const std::vector<Row>& rows) {
  tasker::base::JsonArray array;
  for (const Row& row : rows) {
    array.push_back(tasker::base::JsonObject{{"shape", row.shape},
                                             {"steps", row.steps},
                                             {"bytes", row.bytes},
                                             {"check_ms", row.check_ms},
                                             {"ns_per_byte", row.NsPerByte()},
                                             {"parse_ms", row.parse_ms},
                                             {"ratio", row.ratio}});
  }
  return tasker::base::PrettyJson(array);
}

}  // namespace

int main(int argc, char** argv) {
  bool smoke = false;
  std::string json_file;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--smoke") {
      smoke = true;
    } else if (word == "--json" && i + 1 < argc) {
      json_file = argv[++i];
    } else {
      fmt::print(stderr, "usage: template_bench [--smoke] [--json FILE]\n");
      return 2;
    }
  }
  try {
    std::ifstream in(BENCH_EXAMPLE, std::ios::binary);
    const std::vector<Row> rows = MeasureAll({std::istreambuf_iterator<char>(in), {}}, smoke);
    PrintTable(rows);
    if (!json_file.empty()) std::ofstream(json_file) << ToJson(rows) << "\n";
    return 0;
  } catch (const std::exception& e) {
    fmt::print(stderr, "template_bench: {}\n", e.what());
    return 1;
  }
}
