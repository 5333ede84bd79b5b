#include "lib/validate/rules/override_retry.h"

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "lib/validate/rules.h"

namespace tasker::validate {
namespace {

enum Field { kRetryable, kLimit, kBackoff, kBackoffBaseMs, kMaxBackoffMs };
constexpr std::array<std::string_view, 5> kRetryFields = {"retryable", "limit", "backoff", "backoff_base_ms",
                                                          "max_backoff_ms"};
constexpr uint64_t kDefaultBaseMs = 1000;

std::string ValueText(const tmpl::RetryConfiguration& retry, size_t field) {
  switch (field) {
    case kRetryable:
      return retry.retryable ? "true" : "false";
    case kLimit:
      return std::to_string(retry.limit);
    case kBackoff:
      return std::string(tmpl::BackoffName(retry.backoff));
    case kBackoffBaseMs:
      return std::to_string(retry.backoff_base_ms.value_or(kDefaultBaseMs));
    default:
      return retry.max_backoff_ms ? std::to_string(*retry.max_backoff_ms) : "no cap";
  }
}

// Whether a worker looks at the field at all.
bool Matters(const tmpl::RetryConfiguration& retry, size_t field) {
  if (field == kRetryable) return true;
  if (!retry.retryable) return false;
  return (field != kBackoffBaseMs && field != kMaxBackoffMs) || retry.backoff != tmpl::BackoffStrategy::kNone;
}

}  // namespace

WrittenRetry ReadWrittenRetry(Context& context, const tmpl::RetryConfiguration& retry, const std::string& path) {
  WrittenRetry out{&retry, 0};
  const std::optional<tmpl::Node> block = context.Written(path);
  for (size_t i = 0; block && block->is_map() && i < block->size(); ++i) {
    const tmpl::Node::Member member = block->member(i);
    if (member.value.is_null()) continue;
    const std::string_view key = member.key == "max_attempts" ? "limit" : member.key;
    for (size_t field = 0; field < kRetryFields.size(); ++field) {
      if (kRetryFields[field] == key) out.written |= 1u << field;
    }
  }
  return out;
}

void RetryResets::Add(const std::string& step, const WrittenRetry& before, const WrittenRetry& after) {
  for (size_t field = 0; field < kRetryFields.size(); ++field) {
    const bool reset = (before.written & ~after.written & (1u << field)) != 0;
    if (!reset || !Matters(*after.retry, field)) continue;
    std::string from = ValueText(*before.retry, field);
    std::string to = ValueText(*after.retry, field);
    if (from == to) continue;
    resets_.resize(kRetryFields.size());
    if (resets_[field].steps++ == 0) resets_[field] = {step, std::move(from), std::move(to), 1};
  }
}

void RetryResets::Report(Context& context, const std::string& path) const {
  for (size_t field = 0; field < resets_.size(); ++field) {
    const Reset& reset = resets_[field];
    if (reset.steps == 0) continue;
    const std::string others = reset.steps == 1   ? ""
                               : reset.steps == 2 ? " (and of another step)"
                                                  : fmt::format(" (and of {} other steps)", reset.steps - 1);
    context.Warning("OVERRIDE_RETRY_RESET", path,
                    fmt::format("this retry override leaves out '{}', which resets it from {} to {} for step {}{}",
                                kRetryFields[field], reset.from, reset.to, Quoted(reset.step), others),
                    fmt::format("a retry override replaces the whole block; write '{}: {}' in it, too",
                                kRetryFields[field], reset.from),
                    Context::At::kKey);
  }
}

}  // namespace tasker::validate
