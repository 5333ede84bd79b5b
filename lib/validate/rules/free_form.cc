#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/base/json.h"
#include "lib/validate/rules.h"

namespace tasker::validate {
namespace {

constexpr int kMaxLevels = 30;                                // google.protobuf.Struct holds 32 back to JSON
constexpr int64_t kMaxExactInteger = (int64_t{1} << 53) - 1;  // beyond it a double has gaps

// A pointer as a chain on the stack, so that text is made only for what is reported.
struct Place {
  const Place* parent;
  std::string_view key;
  size_t index;

  std::string ToString() const {
    if (parent == nullptr) return std::string(key);  // the pointer of the free-form value itself
    return key.data() == nullptr ? base::JsonPointer(parent->ToString(), index)
                                 : base::JsonPointer(parent->ToString(), key);
  }
};

bool IsExact(const base::Json& value) {
  if (value.is_uint64()) return value.get_uint64() <= static_cast<uint64_t>(kMaxExactInteger);
  if (value.is_int64()) return value.get_int64() >= -kMaxExactInteger && value.get_int64() <= kMaxExactInteger;
  return true;
}

// `level` counts the lists and maps around `value`. Nothing below a value that is too deep is looked at.
void Walk(Context& context, const base::Json& value, const Place& place, int level) {
  if (!IsExact(value)) {
    context.Warning("INTEGER_INEXACT", place.ToString(),
                    fmt::format("integer {} is beyond 2^53-1, so readers that hold numbers as doubles round it",
                                base::CanonicalJson(value)),
                    "quote it to keep it as text; the JSON view is exact");
  }
  if (!value.is_array() && !value.is_object()) return;
  if (level == kMaxLevels) {
    context.Error("FREE_FORM_TOO_DEEP", place.ToString(),
                  fmt::format("free-form values may be nested {} levels deep, and this is one more", kMaxLevels),
                  "flatten the value");
    return;
  }
  if (value.is_array()) {
    size_t i = 0;
    for (const base::Json& item : value.get_array()) Walk(context, item, {&place, {}, i++}, level + 1);
  } else {
    for (const auto& [key, member] : value.get_object()) {
      Walk(context, member, {&place, {key.data(), key.size()}, 0}, level + 1);
    }
  }
}

void WalkMembers(Context& context, const base::JsonObject& object, const std::string& path, int level) {
  const Place root{nullptr, path, 0};
  for (const auto& [key, member] : object) Walk(context, member, {&root, {key.data(), key.size()}, 0}, level);
}

void WalkValue(Context& context, const std::optional<base::Json>& value, const std::string& path) {
  if (value) Walk(context, *value, {nullptr, path, 0}, 0);
}

void WalkHandler(Context& context, const tmpl::HandlerDefinition& handler, const std::string& path) {
  WalkMembers(context, handler.initialization, path + "/initialization", 1);
  WalkMembers(context, handler.extensions, path, 0);
}

void WalkHandler(Context& context, const tmpl::HandlerOverride& handler, const std::string& path) {
  if (handler.initialization) WalkMembers(context, *handler.initialization, path + "/initialization", 1);
  WalkMembers(context, handler.extensions, path, 0);
}

void WalkStep(Context& context, const tmpl::StepDefinition& step, const std::string& path) {
  WalkHandler(context, step.handler, path + "/handler");
  WalkMembers(context, step.retry.extensions, path + "/retry", 0);
  for (size_t i = 0; i < step.publishes_events.size(); ++i) {
    const std::string event = fmt::format("{}/publishes_events/{}", path, i);
    WalkValue(context, step.publishes_events[i].schema, event + "/schema");
    WalkMembers(context, step.publishes_events[i].extensions, event, 0);
  }
  if (step.batch_config) WalkMembers(context, step.batch_config->extensions, path + "/batch_config", 0);
  WalkValue(context, step.result_schema, path + "/result_schema");
  WalkValue(context, step.lifecycle, path + "/lifecycle");
  WalkValue(context, step.composition, path + "/composition");
  WalkMembers(context, step.extensions, path, 0);
}

void WalkEnvironment(Context& context, const tmpl::EnvironmentOverride& environment, const std::string& path) {
  if (environment.task_handler) WalkHandler(context, *environment.task_handler, path + "/task_handler");
  for (size_t i = 0; i < environment.steps.size(); ++i) {
    const tmpl::StepOverride& step = environment.steps[i];
    const std::string step_path = fmt::format("{}/steps/{}", path, i);
    if (step.handler) WalkHandler(context, *step.handler, step_path + "/handler");
    if (step.retry) WalkMembers(context, step.retry->extensions, step_path + "/retry", 0);
    WalkMembers(context, step.extensions, step_path, 0);
  }
  WalkMembers(context, environment.extensions, path, 0);
}

}  // namespace

void CheckFreeForm(Context& context) {
  const tmpl::TaskTemplate& tmpl = context.tmpl();
  if (tmpl.metadata) WalkMembers(context, tmpl.metadata->extensions, "/metadata", 1);
  if (tmpl.task_handler) WalkHandler(context, *tmpl.task_handler, "/task_handler");
  WalkMembers(context, tmpl.system_dependencies.extensions, "/system_dependencies", 0);
  for (size_t i = 0; i < tmpl.domain_events.size(); ++i) {
    const std::string event = fmt::format("/domain_events/{}", i);
    WalkValue(context, tmpl.domain_events[i].schema, event + "/schema");
    WalkMembers(context, tmpl.domain_events[i].extensions, event, 0);
  }
  WalkValue(context, tmpl.input_schema, "/input_schema");
  WalkValue(context, tmpl.lifecycle, "/lifecycle");
  for (size_t i = 0; i < tmpl.steps.size(); ++i) WalkStep(context, tmpl.steps[i], fmt::format("/steps/{}", i));
  for (const auto& [name, environment] : tmpl.environments) {
    WalkEnvironment(context, environment, base::JsonPointer("/environments", name));
  }
  WalkMembers(context, tmpl.extensions, "", 0);
}

}  // namespace tasker::validate
