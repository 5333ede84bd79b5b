#include <fmt/format.h>

#include "lib/json_schema/compiler.h"
#include "lib/json_schema/evaluation.h"
#include "lib/json_schema/excerpt.h"

namespace tasker::json_schema {

// Values in a schema that the schema itself refuses: mistakes that no evaluation would bring to light.
void Compiler::TrySamples() {
  size_t left = options_.limits.lint_steps;
  for (const Sample& sample : samples_) {
    if (left == 0 || problems_.full()) return;
    Evaluation<true> evaluation(*program_, left, 1);
    const Verdict verdict = evaluation.Run(*sample.node, *sample.value);
    left -= std::min(left, evaluation.steps());
    if (verdict != Verdict::kInvalid) continue;
    const std::vector<OutputUnit> units = evaluation.TakeUnits();
    const std::string_view kind = sample.keyword == "default"                             ? "default"
                                  : sample.keyword == "enum" || sample.keyword == "const" ? "value"
                                                                                          : "example";
    resources_.AddProblem(
        base::Severity::kWarning, "SCHEMA_VALUE_REFUSED", sample.place, sample.below,
        fmt::format("the {} {} is refused by its own schema: {}", kind, Excerpt(*sample.value), units.front().message));
  }
}

}  // namespace tasker::json_schema
