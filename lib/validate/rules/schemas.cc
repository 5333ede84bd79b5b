#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/json_schema/schema.h"
#include "lib/validate/rules.h"

namespace tasker::validate {
namespace {

constexpr size_t kMaxValues = 100'000;    // in one schema; compiling takes some 200 bytes for each
constexpr size_t kLintSteps = 1'000'000;  // over all schemas: what checking their defaults, examples and enums may cost

struct EmbeddedSchema {
  std::string path;
  const base::Json* value;
};

// Whether the keyword itself is out of place, rather than its value.
bool IsAboutKeyword(std::string_view code) {
  return code == "SCHEMA_KEYWORD_UNKNOWN" || code == "SCHEMA_KEYWORD_OTHER_DIALECT" || code == "SCHEMA_KEYWORD_ALONE" ||
         code == "SCHEMA_REF_SIBLING";
}

// The values in `value`, itself included; stops counting beyond `most`.
size_t CountValues(const base::Json& value, size_t most) {
  size_t count = 1;
  if (value.is_array()) {
    for (const base::Json& item : value.get_array()) {
      if (count > most) return count;
      count += CountValues(item, most - std::min(most, count));
    }
  } else if (value.is_object()) {
    for (const auto& [key, member] : value.get_object()) {
      if (count > most) return count;
      count += CountValues(member, most - std::min(most, count));
    }
  }
  return count;
}

std::vector<EmbeddedSchema> EmbeddedSchemas(const tmpl::TaskTemplate& tmpl) {
  std::vector<EmbeddedSchema> schemas;
  for (size_t i = 0; i < tmpl.domain_events.size(); ++i) {
    const auto& schema = tmpl.domain_events[i].schema;
    if (schema) schemas.push_back({fmt::format("/domain_events/{}/schema", i), &*schema});
  }
  if (tmpl.input_schema) schemas.push_back({"/input_schema", &*tmpl.input_schema});
  for (size_t i = 0; i < tmpl.steps.size(); ++i) {
    const tmpl::StepDefinition& step = tmpl.steps[i];
    for (size_t j = 0; j < step.publishes_events.size(); ++j) {
      const auto& schema = step.publishes_events[j].schema;
      if (schema) schemas.push_back({fmt::format("/steps/{}/publishes_events/{}/schema", i, j), &*schema});
    }
    if (step.result_schema) schemas.push_back({fmt::format("/steps/{}/result_schema", i), &*step.result_schema});
  }
  return schemas;
}

}  // namespace

void CheckSchemas(Context& context) {
  const std::vector<EmbeddedSchema> schemas = EmbeddedSchemas(context.tmpl());
  json_schema::CompileOptions options;
  options.limits.lint_steps = std::min(options.limits.lint_steps, kLintSteps / std::max<size_t>(schemas.size(), 1));
  for (const EmbeddedSchema& schema : schemas) {
    if (CountValues(*schema.value, kMaxValues) > kMaxValues) {
      context.Error("SCHEMA_TOO_LARGE", schema.path, fmt::format("the schema has more than {} values", kMaxValues),
                    "describe the values by type or pattern instead of listing them");
      continue;
    }
    for (json_schema::SchemaProblem& problem : json_schema::Compile(*schema.value, options).problems) {
      // A template cannot bring other documents, so every location is inside this schema.
      const std::string path = schema.path + problem.location;
      const Context::At at = IsAboutKeyword(problem.code) ? Context::At::kKey : Context::At::kValue;
      if (problem.severity == base::Severity::kError) {
        context.Error(problem.code, path, std::move(problem.message), std::move(problem.hint), at);
      } else {
        context.Warning(problem.code, path, std::move(problem.message), std::move(problem.hint), at);
      }
    }
  }
}

}  // namespace tasker::validate
