#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lib/json_schema/schema.h"

namespace tasker::json_schema {

/// Collects problems up to a limit; errors push out warnings. Not safe for concurrent use.
class ProblemList {
 public:
  explicit ProblemList(size_t limit) : limit_(limit) {}

  void Add(SchemaProblem problem) {
    const bool error = problem.severity == base::Severity::kError;
    if (error) ++errors_;
    if (problems_.size() >= limit_) {
      if (!error) return;
      size_t i = problems_.size();
      while (i > 0 && problems_[i - 1].severity == base::Severity::kError) --i;
      if (i == 0) return;
      problems_.erase(problems_.begin() + static_cast<std::ptrdiff_t>(i - 1));
    }
    problems_.push_back(std::move(problem));
  }

  bool has_errors() const { return errors_ > 0; }
  bool full() const { return problems_.size() >= limit_; }
  std::vector<SchemaProblem> Take() { return std::move(problems_); }

 private:
  size_t limit_;
  size_t errors_ = 0;
  std::vector<SchemaProblem> problems_;
};

}  // namespace tasker::json_schema
