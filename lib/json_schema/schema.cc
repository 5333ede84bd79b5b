#include "lib/json_schema/schema.h"

#include <utility>

#include "lib/json_schema/evaluation.h"
#include "lib/json_schema/node.h"

namespace tasker::json_schema {

Schema::Schema(std::unique_ptr<const Program> program) : program_(std::move(program)) {}
Schema::~Schema() = default;

Verdict Schema::Validate(const Json& instance) const {
  return Evaluation<false>(*program_, program_->limits.steps, 0).Run(*program_->root, instance);
}

Report Schema::Explain(const Json& instance, size_t max_units) const {
  Evaluation<true> evaluation(*program_, program_->limits.steps, max_units);
  Report report;
  report.verdict = evaluation.Run(*program_->root, instance);
  report.units = evaluation.TakeUnits();
  report.omitted = evaluation.omitted();
  return report;
}

absl::StatusOr<Verdict> Schema::ValidateText(std::string_view text) const {
  if (const std::optional<Verdict> verdict = EvaluateText(*program_, text)) return *verdict;
  const absl::StatusOr<Json> value = base::ParseJson(text);
  if (!value.ok()) return value.status();
  return Validate(*value);
}

Dialect Schema::dialect() const { return program_->dialect; }
size_t Schema::memory_bytes() const { return program_->memory_bytes; }

}  // namespace tasker::json_schema
