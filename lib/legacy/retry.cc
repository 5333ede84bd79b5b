#include "lib/legacy/retry.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <cmath>
#include <utility>

#include "lib/base/utf8.h"
#include "lib/template/model.h"

namespace tasker::legacy {
namespace {

constexpr double kMaxSeconds = 1e12;  // so that its milliseconds are exact in a double and an int64

void SetBool(Block& block, std::initializer_list<std::string_view> keys, std::string_view becomes,
             std::optional<bool>& out) {
  const std::optional<Field> field = block.Take(keys, becomes);
  if (!field) return;
  out = BoolOf(block.context(), field->value);
  if (!out) block.SetAside(*field, "is neither true nor false");
}

void SetWhole(Block& block, std::initializer_list<std::string_view> keys, std::string_view becomes,
              std::optional<uint64_t>& out) {
  const std::optional<Field> field = block.Take(keys, becomes);
  if (!field) return;
  out = WholeOf(block.context(), field->value);
  if (!out) block.SetAside(*field, "is not a whole number of at least 0");
}

// Seconds, also fractions of one, to milliseconds.
void SetMilliseconds(Block& block, std::string_view key, std::string_view becomes, std::optional<uint64_t>& out) {
  const std::optional<Field> field = block.Take({key});
  if (!field) return;
  const std::optional<double> seconds = NumberOf(block.context(), field->value);
  if (!seconds || *seconds > kMaxSeconds) return block.SetAside(*field, "is not a number of seconds");
  out = static_cast<uint64_t>(std::llround(*seconds * 1000));
  block.context().Change(field->position, fmt::format("'{}' of {} seconds has become '{}' of {} ms", key,
                                                      field->value.text(), becomes, *out));
}

void SetBackoff(Block& block, const Field& field, std::optional<std::string>& out) {
  const std::string word = field.value.is_scalar() ? block.context().PlainText(field.value) : "";
  std::string lower(word);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (!tmpl::ParseBackoff(lower)) return block.SetAside(field, "is not none, linear, exponential or fibonacci");
  if (lower != word) block.context().Change(field.value.position(), fmt::format("'{}' has become '{}'", word, lower));
  out = std::move(lower);
}

void TakeMultiplier(Block& backoff, Retry& retry) {
  const std::optional<Field> field = backoff.Take({"multiplier"});
  if (!field) return;
  const std::optional<double> multiplier = NumberOf(backoff.context(), field->value);
  if (!multiplier) return backoff.SetAside(*field, "is not a number");
  retry.backoff = "exponential";
  if (*multiplier != 2) {
    return backoff.SetAside(*field, fmt::format("is {}, and exponential backoff doubles", field->value.text()));
  }
  backoff.context().Change(field->position, "'multiplier' of 2 has become backoff 'exponential'");
}

// {initial_delay, max_delay, multiplier, jitter}
void TakeBackoffMap(Context& context, const Field& field, Place place, Retry& retry) {
  Block backoff(context, field.value, std::move(place));
  SetMilliseconds(backoff, "initial_delay", "retry.backoff_base_ms", retry.base_ms);
  SetMilliseconds(backoff, "max_delay", "retry.max_backoff_ms", retry.max_ms);
  TakeMultiplier(backoff, retry);
  context.Change(field.position, "the map 'retry_backoff' has become fields of 'retry'");
  backoff.Finish(retry.extensions);
}

// Only what a `retry` block has not said already: a second word on the same thing is set aside with the step's rest.
void TakeFlatKeys(Block& step, Retry& retry) {
  const Retry block = retry;
  if (!retry.retryable) SetBool(step, {"default_retryable", "retryable"}, "retry.retryable", retry.retryable);
  if (!retry.limit) SetWhole(step, {"default_retry_limit", "retry_limit", "max_retries"}, "retry.limit", retry.limit);
  const std::optional<Field> field = retry.backoff ? std::nullopt : step.Take({"retry_backoff"});
  if (field && field->value.is_map()) {
    TakeBackoffMap(step.context(), *field, Inside(step.place(), "retry_backoff"), retry);
  } else if (field) {
    SetBackoff(step, *field, retry.backoff);
    if (retry.backoff) step.context().Change(field->position, "'retry_backoff' has become 'retry.backoff'");
  }
  retry.flat = block.empty() && !retry.empty();
}

Retry BlockRetry(Context& context, Node map, Place place) {
  Retry retry;
  Block block(context, map, std::move(place));
  SetBool(block, {"retryable"}, "", retry.retryable);
  SetWhole(block, {"limit", "max_attempts"}, "limit", retry.limit);
  if (const auto field = block.Take({"backoff", "backoff_strategy"})) {
    SetBackoff(block, *field, retry.backoff);
    if (retry.backoff && field->key != "backoff")
      context.Change(field->position, "'backoff_strategy' has become 'retry.backoff'");
  }
  SetWhole(block, {"backoff_base_ms"}, "", retry.base_ms);
  if (!retry.base_ms) SetMilliseconds(block, "backoff_base_seconds", "retry.backoff_base_ms", retry.base_ms);
  SetWhole(block, {"max_backoff_ms"}, "", retry.max_ms);
  block.Finish(retry.extensions);
  return retry;
}

}  // namespace

Retry TakeRetry(Block& step) {
  Retry retry;
  if (const std::optional<Field> field = step.Take({"retry"})) {
    if (field->value.is_map()) {
      retry = BlockRetry(step.context(), field->value, Inside(step.place(), "retry"));
    } else {
      step.SetAside(*field, "is not a map");
    }
  }
  TakeFlatKeys(step, retry);
  return retry;
}

Retry WithDefaults(Retry retry) {
  const tmpl::RetryConfiguration defaults = tmpl::DefaultRetry();
  // A base of the author's own may lie above the default cap.
  if (retry.backoff != "none" && !retry.base_ms && !retry.max_ms) {
    retry.base_ms = defaults.backoff_base_ms;
    retry.max_ms = defaults.max_backoff_ms;
  }
  if (!retry.retryable) retry.retryable = defaults.retryable;
  if (!retry.limit) retry.limit = defaults.limit;
  if (!retry.backoff) retry.backoff = std::string(tmpl::BackoffName(defaults.backoff));
  return retry;
}

Retry Overlaid(Retry base, const Retry& over) {
  if (over.retryable) base.retryable = over.retryable;
  if (over.limit) base.limit = over.limit;
  if (over.backoff) base.backoff = over.backoff;
  if (over.base_ms) base.base_ms = over.base_ms;
  if (over.max_ms) base.max_ms = over.max_ms;
  for (const auto& [key, value] : over.extensions) base.extensions.insert_or_assign(key, value);
  return base;
}

JsonObject RetryJson(const Retry& retry) {
  JsonObject json;
  if (retry.retryable) Put(json, "retryable", *retry.retryable);
  if (retry.limit) Put(json, "limit", *retry.limit);
  if (retry.backoff) Put(json, "backoff", JsonText(*retry.backoff));
  if (retry.base_ms) Put(json, "backoff_base_ms", *retry.base_ms);
  if (retry.max_ms) Put(json, "max_backoff_ms", *retry.max_ms);
  for (const auto& [key, value] : retry.extensions) json.insert_or_assign(key, value);
  return json;
}

}  // namespace tasker::legacy
