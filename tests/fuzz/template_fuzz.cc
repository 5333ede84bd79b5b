// Reading, validating, resolving and the canonical round trip of any text at all: nothing crashes, and what is accepted
// comes back from its own canonical JSON as an equal model with an equal digest.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "lib/base/issue.h"
#include "lib/base/json.h"
#include "lib/template/callable.h"
#include "lib/template/canonical.h"
#include "lib/template/load.h"
#include "lib/template/resolve.h"
#include "lib/validate/check.h"

namespace tasker {
namespace {

void Require(bool holds, std::string_view what, std::string_view text) {
  if (holds) return;
  std::fprintf(stderr, "%.*s\n%.*s\n", static_cast<int>(what.size()), what.data(), static_cast<int>(text.size()),
               text.data());
  std::abort();
}

void RequireEqual(const tmpl::TaskTemplate& one, const tmpl::TaskTemplate& other, std::string_view text) {
  Require(one == other, "the canonical JSON is another template", text);
  Require(tmpl::TemplateDigest(one) == tmpl::TemplateDigest(other), "the digest differs", text);
}

// Both ways back: as storage reads it, and as a person who registers what `get` printed.
void CheckRoundTrip(const tmpl::TaskTemplate& tmpl, const tmpl::LoadOptions& options) {
  const std::string canonical = tmpl::CanonicalText(tmpl);
  const auto json = base::ParseJson(canonical);
  Require(json.ok(), std::string(json.status().message()), canonical);
  const auto stored = tmpl::TemplateFromJson(*json);
  Require(stored.ok(), std::string(stored.status().message()), canonical);
  RequireEqual(*stored, tmpl, canonical);

  base::IssueList issues;
  const auto again = tmpl::LoadTemplate(canonical, options, issues);
  Require(!issues.has_errors(), issues.has_errors() ? issues.Sorted().front().message : "", canonical);
  RequireEqual(again->tmpl, tmpl, canonical);
}

void CheckText(std::string_view text, bool keep_unknown_keys) {
  tmpl::LoadOptions options;
  options.keep_unknown_keys = keep_unknown_keys;
  // Small enough for libFuzzer's pace; the limits themselves are what is under test, not their size.
  options.limits.text_bytes = size_t{64} << 10;
  options.limits.nodes = 10'000;
  base::IssueList issues;
  const auto loaded = validate::LoadAndCheck(text, options, issues);
  (void)issues.Sorted();
  if (!loaded) return;

  // Aliases are written out, so the canonical text may be larger than what was read.
  options.limits.text_bytes = size_t{64} << 20;
  CheckRoundTrip(loaded->tmpl, options);
  for (const auto& [environment, overrides] : loaded->tmpl.environments) {
    CheckRoundTrip(tmpl::ResolveForEnvironment(loaded->tmpl, environment).tmpl, options);
  }
  for (const std::string& callable : tmpl::AllCallables(loaded->tmpl)) (void)tmpl::DetectCallableKind(callable);
}

}  // namespace
}  // namespace tasker

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  // The last byte chooses the mode, so that a readable template stays one as a seed.
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  tasker::CheckText(text, text.back() % 2 == 0);
  return 0;
}
