// Reads a template from stdin as the registry would, and prints as one line of JSON what came of it and what it cost:
// the outcome and the first error, CPU seconds and growth of the peak memory of reading and checking, then the same for
// the whole with resolving and the canonical round trip. Exit status 0 however bad the text.

#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>

#include "lib/base/issue.h"
#include "lib/base/json.h"
#include "lib/template/canonical.h"
#include "lib/template/load.h"
#include "lib/template/resolve.h"
#include "lib/validate/check.h"

namespace tasker {
namespace {

// Costs and limits mean nothing under a sanitizer or without optimisation.
#if defined(__OPTIMIZE__) && !defined(TASKER_SANITIZED)
constexpr bool kMeasures = true;
#else
constexpr bool kMeasures = false;
#endif

// Resolving copies the template, so the cost of all of many environments is no cost of any one request.
constexpr int kEnvironments = 8;

constexpr std::string_view kSmall =
    "{name: a, namespace_name: b, version: 1.0.0, task_handler: {callable: A}, steps: [{name: s, handler: {callable: "
    "B}}], environments: {test: {steps: [{name: ALL, timeout_seconds: 3}]}}}";

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Not getrusage's ru_maxrss: that starts with the peak of the program which started this one.
long PeakKib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    long kib = 0;
    if (word == "VmHWM:" && status >> kib) return kib;
  }
  return 0;
}

// "" or what is wrong with reading the template's own canonical text.
std::string RoundTripProblem(const tmpl::TaskTemplate& tmpl) {
  const auto json = base::ParseJson(tmpl::CanonicalText(tmpl));
  if (!json.ok()) return std::string(json.status().message());
  const auto again = tmpl::TemplateFromJson(*json);
  if (!again.ok()) return std::string(again.status().message());
  if (!(*again == tmpl)) return "another template comes back";
  return tmpl::TemplateDigest(*again) == tmpl::TemplateDigest(tmpl) ? "" : "another digest comes back";
}

std::string ResolveAndRoundTrip(const tmpl::TaskTemplate& tmpl) {
  std::string problem = RoundTripProblem(tmpl);
  int count = 0;
  for (const auto& [environment, overrides] : tmpl.environments) {
    if (!problem.empty() || ++count > kEnvironments) break;
    problem = RoundTripProblem(tmpl::ResolveForEnvironment(tmpl, environment).tmpl);
  }
  return problem;
}

base::Json Describe(const base::IssueList& issues) {
  for (const base::Issue& issue : issues.Sorted()) {
    if (issue.severity != base::Severity::kError) continue;
    return base::JsonObject{{"code", issue.code},
                            {"line", issue.position.line},
                            {"column", issue.position.column},
                            {"message", issue.message}};
  }
  return nullptr;
}

void Probe() {
  // Touches the code and the tables, as an idle server has.
  base::IssueList no_issues;
  if (const auto small = validate::LoadAndCheck(kSmall, {}, no_issues)) (void)ResolveAndRoundTrip(small->tmpl);

  const long idle = PeakKib();
  const std::string text(std::istreambuf_iterator<char>(std::cin), {});
  const double start = CpuSeconds();
  base::IssueList issues;
  const auto loaded = validate::LoadAndCheck(text, {}, issues);
  const base::Json error = Describe(issues);
  const double seconds = CpuSeconds() - start;
  const long growth = PeakKib() - idle;
  const std::string problem = loaded ? ResolveAndRoundTrip(loaded->tmpl) : "";
  fmt::print("{}\n", base::CanonicalJson(base::JsonObject{{"measures", kMeasures},
                                                          {"loaded", loaded.has_value()},
                                                          {"error", error},
                                                          {"errors", issues.error_count()},
                                                          {"seconds", seconds},
                                                          {"growth_kib", growth},
                                                          {"round_trip_problem", problem},
                                                          {"all_seconds", CpuSeconds() - start},
                                                          {"all_growth_kib", PeakKib() - idle}}));
}

}  // namespace
}  // namespace tasker

int main() {
  try {
    tasker::Probe();
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "hostile_sweep_probe: %s\n", e.what());
    return 1;
  }
}
