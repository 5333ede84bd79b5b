#include "lib/json_schema/pattern.h"

#include <memory>

#include "lib/json_schema/ecma_pattern.h"

namespace tasker::json_schema {
namespace {

// For the program and its cache of states together: a schema may hold many patterns.
constexpr int64_t kPatternMemory = 2 << 20;

}  // namespace

Pattern::Pattern(std::string_view ecma) : text_(ecma), plain_(PlainPattern::Parse(ecma)) {
  if (plain_) return;
  EcmaPattern translated = TranslatePattern(ecma);
  error_ = std::move(translated.error);
  unsupported_ = std::move(translated.unsupported);
  if (!error_.empty() || !unsupported_.empty()) return;
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kPatternMemory);
  options.set_never_capture(true);
  re2_ = std::make_unique<RE2>(translated.re2, options);
  if (re2_->ok()) return;
  switch (re2_->error_code()) {
    case RE2::ErrorPatternTooLarge:
      unsupported_ = "a pattern that large";
      break;
    case RE2::ErrorRepeatSize:
      unsupported_ = "repeats within repeats beyond 1,000 in all";
      break;
    default:
      error_ = re2_->error();
  }
}

}  // namespace tasker::json_schema
