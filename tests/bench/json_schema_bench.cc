// Times lib/json_schema against ajv 8 on the same machine in one run: JSON text in, verdict out, and compilation.
//   npm ci --prefix tests/bench/ajv && build/release/bin/json_schema_bench
// Without node or ajv it prints its own figures alone.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "lib/json_schema/schema.h"

namespace tasker::json_schema {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kRounds = 7;
constexpr std::chrono::milliseconds kRound(150);

// Nanoseconds of the fastest round: on a machine with other work, the one least disturbed.
template <typename Action>
double Fastest(const Action& action) {
  double best = 1e300;
  for (int round = 0; round < kRounds; ++round) {
    int64_t runs = 0;
    const Clock::time_point start = Clock::now();
    Clock::duration elapsed{};
    do {
      for (int i = 0; i < 5; ++i) action();
      runs += 5;
      elapsed = Clock::now() - start;
    } while (elapsed < kRound);
    best = std::min(best, std::chrono::duration<double, std::nano>(elapsed).count() / static_cast<double>(runs));
  }
  return best;
}

struct Figures {
  double check = 0;
  double compile = 0;
};

std::vector<fs::path> Cases() {
  std::vector<fs::path> cases;
  for (const auto& entry : fs::directory_iterator(fs::path(BENCH_FOLDER) / "json_schema_cases")) {
    cases.push_back(entry.path());
  }
  std::sort(cases.begin(), cases.end());
  return cases;
}

Figures Measure(const fs::path& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  const absl::StatusOr<Json> content = base::ParseJson(text.str());
  if (!content.ok()) throw std::runtime_error(file.string() + " is not JSON");
  const Json& schema = content->at("schema");
  const std::string instance = base::CanonicalJson(content->at("instance"));
  const auto compiled = Compile(schema).schema;
  if (compiled == nullptr) throw std::runtime_error(file.string() + ": the schema does not compile");
  const Json value = content->at("instance");
  Figures figures;
  figures.check = Fastest([&] {
    if (*compiled->ValidateText(instance) != Verdict::kValid) throw std::runtime_error("refused");
  });
  figures.compile = Fastest([&] {
    if (Compile(schema).schema == nullptr) throw std::runtime_error("does not compile");
  });
  const double alone = Fastest([&] {
    if (compiled->Validate(value) != Verdict::kValid) throw std::runtime_error("refused");
  });
  fmt::print("{:14} {:7} bytes: {:9.0f} ns with parsing, {:9.0f} ns without, {:9.0f} ns to compile\n",
             file.stem().string(), instance.size(), figures.check, alone, figures.compile);
  return figures;
}

std::map<std::string, Figures> MeasureAjv(const std::vector<fs::path>& cases) {
  std::string command = fmt::format("node '{}/ajv/bench.js'", BENCH_FOLDER);
  for (const fs::path& file : cases) command += fmt::format(" '{}'", file.string());
  std::map<std::string, Figures> all;
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return all;
  char name[200];
  Figures figures;
  while (std::fscanf(pipe, "%199s %lf %lf", name, &figures.check, &figures.compile) == 3) all[name] = figures;
  pclose(pipe);
  return all;
}

int Run() {
  const std::vector<fs::path> cases = Cases();
  std::map<std::string, Figures> ours;
  for (const fs::path& file : cases) ours[file.stem().string()] = Measure(file);
  const std::map<std::string, Figures> ajv = MeasureAjv(cases);
  if (ajv.empty()) {
    fmt::print("ajv is not installed: npm ci --prefix tests/bench/ajv\n");
    return 0;
  }
  for (const auto& [name, theirs] : ajv) {
    const Figures& mine = ours.at(name);
    fmt::print("{:14} ajv {:9.0f} ns with parsing, {:9.0f} ns to compile; ajv/ours: {:.2f} and {:.1f}\n", name,
               theirs.check, theirs.compile, theirs.check / mine.check, theirs.compile / mine.compile);
  }
  return 0;
}

}  // namespace
}  // namespace tasker::json_schema

int main() {
  try {
    return tasker::json_schema::Run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "json_schema_bench: {}\n", error.what());
    return 1;
  }
}
