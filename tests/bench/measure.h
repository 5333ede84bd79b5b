#pragma once

#include <functional>
#include <string>
#include <vector>

namespace tasker::bench {

/// Does some of the work and says how many operations that were.
using Work = std::function<long()>;

/// Something measured beside what it is held against, in the same run.
struct Result {
  std::string name;
  std::string baseline;
  double rate = 0;           ///< operations per second, median of the rounds
  double baseline_rate = 0;  ///< the same
  double ratio = 0;          ///< median of the rounds' rate / baseline rate
  double lowest = 0;         ///< of the rounds' ratios
  double highest = 0;
  double aim = 0;  ///< that the ratio should reach; 0: none
};

struct Plan {
  int rounds = 7;
  double seconds = 0.5;  ///< that each side gets in each round
};

/// Measures one side once and gives its figure, of which more is better: a rate, or 1 / a latency in seconds.
using Figure = std::function<double()>;

/// Both sides in turn, round by round, so that a change of the machine's speed hits both.
Result Compare(int rounds, std::string name, const Figure& figure, std::string baseline, const Figure& baseline_figure,
               double aim = 0);

/// The same for rates.
Result Measure(const Plan& plan, std::string name, const Work& work, std::string baseline, const Work& baseline_work,
               double aim = 0);

/// Operations per second of one side alone.
double RateOf(const Work& work, double seconds);

/// Prints the results that reach less than half of their aim, and says whether there are any.
bool AnyBelowHalf(const std::vector<Result>& results);

std::string Table(const std::vector<Result>& results);
std::string Json(const std::vector<Result>& results);

}  // namespace tasker::bench
