#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/json.h"
#include "lib/validate/rules.h"

namespace tasker::validate {
namespace {

constexpr uint32_t kMaxRetryLimit = 100;
constexpr uint64_t kMaxBackoffMs = 3'600'000;               // an hour
constexpr uint32_t kMaxTimeoutSeconds = 30 * 24 * 60 * 60;  // 30 days

void CheckRetry(Context& context, const tmpl::RetryConfiguration& retry, const std::string& path) {
  if (retry.limit > kMaxRetryLimit) {
    context.Error("RETRY_LIMIT_OUT_OF_RANGE", path + "/limit",
                  fmt::format("a retry limit of {} is out of range: 0 to {}", retry.limit, kMaxRetryLimit));
  }
  const auto check_wait = [&](std::string_view key, const std::optional<uint64_t>& value) {
    if (!value || *value <= kMaxBackoffMs) return;
    context.Error("RETRY_BACKOFF_OUT_OF_RANGE", base::JsonPointer(path, key),
                  fmt::format("{} of {} is out of range: 0 to {} (one hour)", key, *value, kMaxBackoffMs),
                  "the unit is milliseconds");
  };
  check_wait("backoff_base_ms", retry.backoff_base_ms);
  check_wait("max_backoff_ms", retry.max_backoff_ms);
}

void CheckTimeout(Context& context, const std::optional<uint32_t>& timeout, const std::string& path) {
  if (!timeout || (*timeout >= 1 && *timeout <= kMaxTimeoutSeconds)) return;
  context.Error("TIMEOUT_OUT_OF_RANGE", path + "/timeout_seconds",
                fmt::format("a timeout of {} seconds is out of range: 1 to {} (30 days)", *timeout, kMaxTimeoutSeconds),
                *timeout == 0 ? "leave timeout_seconds out for no timeout of its own" : "the unit is seconds");
}

}  // namespace

void CheckRanges(Context& context) {
  const tmpl::TaskTemplate& tmpl = context.tmpl();
  for (size_t i = 0; i < tmpl.steps.size(); ++i) {
    const std::string path = fmt::format("/steps/{}", i);
    CheckRetry(context, tmpl.steps[i].retry, path + "/retry");
    CheckTimeout(context, tmpl.steps[i].timeout_seconds, path);
  }
  for (const auto& [name, environment] : tmpl.environments) {
    const std::string steps = base::JsonPointer("/environments", name) + "/steps";
    for (size_t i = 0; i < environment.steps.size(); ++i) {
      const tmpl::StepOverride& step = environment.steps[i];
      if (!step.retry && !step.timeout_seconds) continue;
      const std::string path = base::JsonPointer(steps, i);
      if (step.retry) CheckRetry(context, *step.retry, path + "/retry");
      CheckTimeout(context, step.timeout_seconds, path);
    }
  }
}

}  // namespace tasker::validate
