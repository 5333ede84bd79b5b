// Any schema on any instance: compiling and evaluating end within their limits, and all ways of asking agree.
// The input is the schema's JSON text, a line with "---" alone, and the instance's; without such a line it is both.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "lib/base/json.h"
#include "lib/json_schema/schema.h"

namespace tasker::json_schema {
namespace {

constexpr std::string_view kSeparator = "\n---\n";

void Require(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "%.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

void CheckInstance(const Schema& schema, const Json& instance, std::string_view text) {
  constexpr size_t kMaxUnits = 20;
  const Verdict verdict = schema.Validate(instance);
  const Report report = schema.Explain(instance, kMaxUnits);
  Require(report.units.size() <= kMaxUnits, "more output units than asked for");
  Require(report.units.empty() == (report.verdict == Verdict::kValid), "a reason without fault, or the reverse");
  const auto of_text = schema.ValidateText(text);
  Require(of_text.ok(), "the text was parsed before, but not now");
  Require(*of_text == verdict, "the text and its value have different verdicts");
  // Explaining goes on after a failure, so it alone may come to a limit.
  Require(report.verdict == verdict || report.verdict == Verdict::kLimitExceeded, "the verdicts differ");
}

void CheckInput(std::string_view schema_text, std::string_view instance_text, Dialect dialect) {
  const auto document = base::ParseJson(schema_text);
  if (!document.ok()) return;
  CompileOptions options;
  options.dialect = dialect;
  options.formats = FormatMode::kAssert;
  // Small enough for libFuzzer's pace; the limits themselves are what is under test, not their size. A sanitized frame
  // is several times as large as one of the product.
  options.limits.steps = 100'000;
  options.limits.depth = 300;
  options.limits.lint_steps = 10'000;
  const CompileResult result = Compile(*document, options);
  Require(result.problems.size() <= options.limits.problems, "more problems than the limit");
  bool errors = false;
  for (const SchemaProblem& problem : result.problems) errors |= problem.severity == base::Severity::kError;
  Require(errors == (result.schema == nullptr), "a schema despite errors, or none without");
  const auto instance = base::ParseJson(instance_text);
  if (result.schema != nullptr && instance.ok()) CheckInstance(*result.schema, *instance, instance_text);
}

}  // namespace
}  // namespace tasker::json_schema

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using tasker::json_schema::Dialect;
  using tasker::json_schema::kSeparator;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t at = text.find(kSeparator);
  const bool split = at != std::string_view::npos;
  const std::string_view schema = text.substr(0, at);
  const std::string_view instance = split ? text.substr(at + kSeparator.size()) : text;
  // The length chooses the dialect, so that a readable input stays one.
  tasker::json_schema::CheckInput(schema, instance, static_cast<Dialect>(size % 5));
  return 0;
}
