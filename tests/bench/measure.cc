#include "tests/bench/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <utility>

#include "lib/base/json.h"

namespace tasker::bench {
namespace {

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

double RateOf(const Work& work, double seconds) {
  const auto start = std::chrono::steady_clock::now();
  long operations = 0;
  double took = 0;
  do {
    operations += work();
    took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  } while (took < seconds);
  return static_cast<double>(operations) / took;
}

Result Compare(int rounds, std::string name, const Figure& figure, std::string baseline, const Figure& baseline_figure,
               double aim) {
  std::vector<double> figures;
  std::vector<double> baseline_figures;
  std::vector<double> ratios;
  for (int round = 0; round < rounds; ++round) {
    baseline_figures.push_back(baseline_figure());
    figures.push_back(figure());
    ratios.push_back(figures.back() / baseline_figures.back());
  }
  const auto [lowest, highest] = std::minmax_element(ratios.begin(), ratios.end());
  return {std::move(name), std::move(baseline),
          Median(figures), Median(baseline_figures),
          Median(ratios),  *lowest,
          *highest,        aim};
}

Result Measure(const Plan& plan, std::string name, const Work& work, std::string baseline, const Work& baseline_work,
               double aim) {
  return Compare(
      plan.rounds, std::move(name), [&] { return RateOf(work, plan.seconds); }, std::move(baseline),
      [&] { return RateOf(baseline_work, plan.seconds); }, aim);
}

std::string Table(const std::vector<Result>& results) {
  std::string out = fmt::format("{:<52} {:>10}  {:<32} {:>10} {:>6} {:>6}  {}\n", "what", "per s", "beside", "per s",
                                "ratio", "aim", "spread");
  for (const Result& r : results) {
    const std::string aim = r.aim == 0 ? "" : fmt::format("{:.2f}", r.aim);
    out +=
        fmt::format("{:<52} {:>10.4g}  {:<32} {:>10.4g} {:>6.2f} {:>6}  {:.2f}-{:.2f}{}\n", r.name, r.rate, r.baseline,
                    r.baseline_rate, r.ratio, aim, r.lowest, r.highest, r.ratio < r.aim ? "  below" : "");
  }
  return out;
}

bool AnyBelowHalf(const std::vector<Result>& results) {
  // docs/performance.md says why; a guard against getting worse can only start from what has been reached.
  constexpr std::array<std::string_view, 2> kKnownToMiss = {"resolve cold", "register, one a call"};
  bool any = false;
  for (const Result& r : results) {
    if (r.ratio >= r.aim / 2 || std::any_of(kKnownToMiss.begin(), kKnownToMiss.end(),
                                            [&](std::string_view rows) { return r.name.starts_with(rows); }))
      continue;
    fmt::print("below half its aim: {}: {:.2f}, aim {:.2f}\n", r.name, r.ratio, r.aim);
    any = true;
  }
  return any;
}

std::string Json(const std::vector<Result>& results) {
  base::JsonArray array;
  for (const Result& r : results) {
    array.push_back(base::JsonObject{{"name", r.name},
                                     {"rate", r.rate},
                                     {"baseline", r.baseline},
                                     {"baseline_rate", r.baseline_rate},
                                     {"ratio", r.ratio},
                                     {"lowest_ratio", r.lowest},
                                     {"highest_ratio", r.highest},
                                     {"aim", r.aim}});
  }
  return base::PrettyJson(array);
}

}  // namespace tasker::bench
