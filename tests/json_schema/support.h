#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "lib/json_schema/schema.h"

namespace tasker::json_schema {

inline Json Parsed(std::string_view text) {
  auto value = base::ParseJson(text);
  if (!value.ok()) {
    ADD_FAILURE() << value.status() << ": " << text;
    return nullptr;
  }
  return *std::move(value);
}

/// The compiled schema, or null and a failed test.
inline std::shared_ptr<const Schema> Compiled(std::string_view text, const CompileOptions& options = {}) {
  CompileResult result = Compile(Parsed(text), options);
  for (const SchemaProblem& problem : result.problems) {
    if (problem.severity == base::Severity::kError) ADD_FAILURE() << problem.location << ": " << problem.message;
  }
  return result.schema;
}

/// The verdict that all ways of asking agree on.
inline Verdict VerdictOn(const Schema& schema, std::string_view instance) {
  const Json value = Parsed(instance);
  const Verdict verdict = schema.Validate(value);
  const Report report = schema.Explain(value);
  EXPECT_EQ(report.verdict, verdict) << instance;
  EXPECT_EQ(report.units.empty(), verdict == Verdict::kValid) << instance;
  const absl::StatusOr<Verdict> of_text = schema.ValidateText(instance);
  EXPECT_EQ(of_text.status(), absl::OkStatus()) << instance;
  EXPECT_EQ(of_text.value_or(Verdict::kLimitExceeded), verdict) << instance;
  return verdict;
}

}  // namespace tasker::json_schema
