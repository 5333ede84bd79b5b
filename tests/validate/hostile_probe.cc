// Reads and checks the text on standard input and prints "CODE CPU_MS RSS_KIB": the first issue's code ("-" when there
// is none), the processor time that took, and how much the process's largest size grew beyond its size when idle. A
// process of its own, because the largest size of a process never shrinks.

#include <sys/resource.h>

#include <cstdio>
#include <iostream>
#include <iterator>
#include <string>

#include "lib/validate/check.h"

namespace {

rusage Usage() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage;
}

double CpuMs(const rusage& usage) {
  const auto ms = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) / 1e3;
  };
  return ms(usage.ru_utime) + ms(usage.ru_stime);
}

std::string FirstCode(std::string_view text) {
  tasker::base::IssueList issues;
  tasker::validate::LoadAndCheck(text, {}, issues);
  const auto sorted = issues.Sorted();
  return sorted.empty() ? "-" : sorted.front().code;
}

}  // namespace

int main() {
  const std::string text(std::istreambuf_iterator<char>(std::cin), {});
  // Loads what the first template of a process loads, so that it is not counted.
  FirstCode(
      "name: a\nnamespace_name: b\nversion: 1.0.0\ninput_schema: {pattern: x}\nsteps: [{name: s, handler: {callable: "
      "c}}]\n");
  const rusage before = Usage();
  const std::string code = FirstCode(text);
  const rusage after = Usage();
  std::printf("%s %.0f %ld\n", code.c_str(), CpuMs(after) - CpuMs(before), after.ru_maxrss - before.ru_maxrss);
  return 0;
}
