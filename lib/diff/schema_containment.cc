#include "lib/diff/schema_containment.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/base/utf8.h"
#include "lib/diff/prover.h"
#include "lib/diff/refuter.h"

namespace tasker::diff {
namespace {

// Beyond this neither proof nor search has a chance within its bounds.
constexpr size_t kMaxValues = 50'000;

size_t CountValues(const Json& value) {
  size_t count = 1;
  if (value.is_array()) {
    for (const Json& item : value.get_array()) count += CountValues(item);
  } else if (value.is_object()) {
    for (const auto& member : value.get_object()) count += CountValues(member.value());
  }
  return count;
}

Containment Unknown(std::string reason) { return {ContainmentVerdict::kUnknown, std::nullopt, std::move(reason)}; }

}  // namespace

Containment CheckContainment(const Json& a, const Json& b, const json_schema::CompileOptions& options) {
  if (CountValues(a) > kMaxValues || CountValues(b) > kMaxValues) return Unknown("a schema is too large to compare");
  SchemaDocument narrow(a, options);
  SchemaDocument wide(b, options);
  for (const auto& [document, name] : {std::pair(&narrow, "first"), std::pair(&wide, "second")}) {
    if (document->validator() == nullptr) {
      return Unknown(fmt::format("the {} schema cannot be used: {}", name, base::Shortened(document->problem(), 200)));
    }
  }
  if (a == b) return {ContainmentVerdict::kContained, std::nullopt, ""};
  Prover prover;
  if (prover.Proves(narrow.root(), wide.root())) return {ContainmentVerdict::kContained, std::nullopt, ""};
  if (std::optional<Json> found = FindCounterexample(narrow, wide)) {
    const json_schema::Report report = wide.validator()->Explain(*found, 1);
    std::string reason = "it is refused";
    if (!report.units.empty()) {
      const json_schema::OutputUnit& unit = report.units[0];
      const bool at_root = unit.instance_location.empty();
      reason = fmt::format("{}{}{}", base::Shortened(unit.instance_location, 100), at_root ? "" : ": ", unit.message);
    }
    return {ContainmentVerdict::kNotContained, std::move(found), std::move(reason)};
  }
  return Unknown("cannot decide " + prover.reason());
}

}  // namespace tasker::diff
