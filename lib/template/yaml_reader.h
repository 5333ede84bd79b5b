#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "lib/base/issue.h"
#include "lib/template/document.h"

namespace tasker::tmpl {

/// What one template's text may be at most. Hostile text stays cheap because reading stops at the first limit.
struct ReadLimits {
  size_t text_bytes = size_t{4} << 20;
  int depth = 64;            ///< nested lists and maps, aliases followed
  size_t nodes = 1'000'000;  ///< keys and values, aliases followed
  size_t steps = 10'000;     ///< steps, overrides or events in one list; checked when the model is built
};

/// Reads one YAML 1.2 document (JSON is YAML) with the position of everything. Aliases and `<<` merge keys are applied.
/// Returns nullopt after adding at least one error to `issues`: broken syntax, duplicate keys, a key that is not text,
/// a second document, an alias of its own container, a tag outside the core schema, invalid UTF-8, NUL, a limit.
/// Never throws; safe from any thread. The document does not refer to `text` afterwards.
std::optional<Document> ReadYaml(std::string_view text, const ReadLimits& limits, base::IssueList& issues);

}  // namespace tasker::tmpl
