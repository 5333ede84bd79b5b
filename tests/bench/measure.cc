#include "tests/bench/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "lib/base/json.h"

namespace tasker::bench {
namespace {

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

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

Result Compare(int rounds, std::string name, const Figure& figure, std::string baseline,
               const Figure& baseline_figure) {
  std::vector<double> figures;
  std::vector<double> baseline_figures;
  std::vector<double> ratios;
  for (int round = 0; round < rounds; ++round) {
    baseline_figures.push_back(baseline_figure());
    figures.push_back(figure());
    ratios.push_back(figures.back() / baseline_figures.back());
  }
  const auto [lowest, highest] = std::minmax_element(ratios.begin(), ratios.end());
  return {std::move(name), std::move(baseline), Median(figures), Median(baseline_figures), Median(ratios), *lowest,
          *highest};
}

Result Measure(const Plan& plan, std::string name, const Work& work, std::string baseline, const Work& baseline_work) {
  return Compare(
      plan.rounds, std::move(name), [&] { return RateOf(work, plan.seconds); }, std::move(baseline),
      [&] { return RateOf(baseline_work, plan.seconds); });
}

std::string Table(const std::vector<Result>& results) {
  std::string out =
      fmt::format("{:<44} {:>10} {:<36} {:>10} {:>7} {:>13}\n", "what", "per s", "beside", "per s", "ratio", "spread");
  for (const Result& r : results) {
    out += fmt::format("{:<44} {:>10.0f} {:<36} {:>10.0f} {:>7.2f} {:>6.2f}-{:.2f}\n", r.name, r.rate, r.baseline,
                       r.baseline_rate, r.ratio, r.lowest, r.highest);
  }
  return out;
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
                                     {"highest_ratio", r.highest}});
  }
  return base::PrettyJson(array);
}

}  // namespace tasker::bench
