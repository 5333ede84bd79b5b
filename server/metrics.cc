#include "server/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <string_view>

namespace tasker::server {
namespace {

constexpr std::array<const char*, 17> kCodeNames = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

// From an answer out of memory to a batch of 10,000.
const prometheus::Histogram::BucketBoundaries kSeconds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                          0.05,   0.1,     0.25,   0.5,   1,      5,     30};

prometheus::MetricFamily& FamilyOf(const Reading& reading, std::vector<prometheus::MetricFamily>& families) {
  for (prometheus::MetricFamily& family : families) {
    if (family.name == reading.name) return family;
  }
  prometheus::MetricFamily& family = families.emplace_back();
  family.name = reading.name;
  family.help = reading.help;
  family.type = reading.is_counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
  return family;
}

}  // namespace

void MethodMetrics::Count(int code, double call_seconds) const {
  calls[code >= 0 && code < static_cast<int>(calls.size()) ? static_cast<size_t>(code) : 2]->Increment();
  seconds->Observe(call_seconds);
}

Metrics::Metrics() : registry_(std::make_unique<prometheus::Registry>()) {}
Metrics::~Metrics() = default;

MethodMetrics Metrics::ForMethod(const std::string& method) {
  auto& calls = prometheus::BuildCounter()
                    .Name("tasker_registry_calls_total")
                    .Help("Calls that have ended, by gRPC method and status code.")
                    .Register(*registry_);
  auto& seconds = prometheus::BuildHistogram()
                      .Name("tasker_registry_call_seconds")
                      .Help("How long calls took, from their arrival to their answer.")
                      .Register(*registry_);
  MethodMetrics metrics;
  for (size_t code = 0; code < kCodeNames.size(); ++code) {
    metrics.calls[code] = &calls.Add({{"method", method}, {"code", kCodeNames[code]}});
  }
  metrics.seconds = &seconds.Add({{"method", method}}, kSeconds);
  return metrics;
}

std::string Metrics::Text(const std::vector<Reading>& readings) const {
  std::vector<prometheus::MetricFamily> families = registry_->Collect();
  for (const Reading& reading : readings) {
    prometheus::MetricFamily& family = FamilyOf(reading, families);
    prometheus::ClientMetric& metric = family.metric.emplace_back();
    if (!reading.cache.empty()) metric.label.push_back({"cache", reading.cache});
    if (reading.is_counter) {
      metric.counter.value = reading.value;
    } else {
      metric.gauge.value = reading.value;
    }
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace tasker::server
