#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/validate/context.h"

namespace tasker::validate {

/// A retry block and which of its fields its author wrote.
struct WrittenRetry {
  const tmpl::RetryConfiguration* retry = nullptr;
  uint32_t written = 0;  // one bit for each of kRetryFields
};

/// `retry`, which stands at `path`.
WrittenRetry ReadWrittenRetry(Context& context, const tmpl::RetryConfiguration& retry, const std::string& path);

/// Collects what one retry override resets, step by step, and reports it once for each field.
class RetryResets {
 public:
  /// Notes what `after` resets of what `before` set.
  void Add(const std::string& step, const WrittenRetry& before, const WrittenRetry& after);
  /// `path` is the pointer of the override's retry.
  void Report(Context& context, const std::string& path) const;

 private:
  struct Reset {
    std::string step;  // the first one
    std::string from;
    std::string to;
    size_t steps = 0;
  };
  std::vector<Reset> resets_;  // empty, or one for each of kRetryFields
};

}  // namespace tasker::validate
