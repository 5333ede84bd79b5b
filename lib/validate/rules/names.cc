#include <fmt/format.h>

#include <string>
#include <string_view>

#include "lib/base/json.h"
#include "lib/base/utf8.h"
#include "lib/template/reference.h"
#include "lib/validate/rules.h"

namespace tasker::validate {
namespace {

constexpr size_t kMaxEnvironmentName = 255;  // bytes; it is part of cache keys

void CheckName(Context& context, std::string_view what, const std::string& name, std::string path) {
  if (name.empty() || tmpl::IsName(name)) return;
  context.Error("NAME_INVALID", std::move(path), fmt::format("{} cannot be {}", Quoted(name), what),
                std::string(tmpl::kNameRule));
}

void CheckCallable(Context& context, std::string_view of, const tmpl::HandlerDefinition& handler, std::string path) {
  if (handler.callable.empty() || handler.callable.find_first_not_of(" \t\r\n") != std::string::npos) return;
  context.Error("CALLABLE_EMPTY", std::move(path), fmt::format("the callable of {} is blank", of),
                "name what runs it: a class, a method, a registered key");
}

bool IsDigits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

int TwoDigits(std::string_view text, size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); }

bool IsDate(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  if (!IsDigits(text.substr(0, 4)) || !IsDigits(text.substr(5, 2)) || !IsDigits(text.substr(8, 2))) return false;
  const int year = TwoDigits(text, 0) * 100 + TwoDigits(text, 2);
  const int month = TwoDigits(text, 5);
  const int day = TwoDigits(text, 8);
  if (month < 1 || month > 12) return false;
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return day >= 1 && day <= kDays[month - 1] + (month == 2 && leap ? 1 : 0);
}

// hh:mm, the hour below 24.
bool IsClock(std::string_view text) {
  return text.size() == 5 && text[2] == ':' && IsDigits(text.substr(0, 2)) && IsDigits(text.substr(3, 2)) &&
         TwoDigits(text, 0) < 24 && TwoDigits(text, 3) < 60;
}

// RFC 3339 §5.6: a date, 'T' (or 't', or a blank), hh:mm:ss with an optional fraction, 'Z' or an offset.
bool IsTimestamp(std::string_view text) {
  if (text.size() < 20 || !IsDate(text.substr(0, 10))) return false;
  if (std::string_view("Tt ").find(text[10]) == std::string_view::npos) return false;
  if (!IsClock(text.substr(11, 5)) || text[16] != ':' || !IsDigits(text.substr(17, 2))) return false;
  if (TwoDigits(text, 17) > 60) return false;  // 60: a leap second
  std::string_view rest = text.substr(19);
  if (rest.starts_with('.')) {
    const size_t end = rest.find_first_not_of("0123456789", 1);
    if (end == 1 || end == std::string_view::npos) return false;
    rest.remove_prefix(end);
  }
  if (rest == "Z" || rest == "z") return true;
  return rest.size() == 6 && (rest[0] == '+' || rest[0] == '-') && IsClock(rest.substr(1));
}

void CheckTimestamp(Context& context, std::string_view key, const std::optional<std::string>& value) {
  if (!value || IsTimestamp(*value)) return;
  context.Error("TIMESTAMP_INVALID", base::JsonPointer("/metadata", key),
                fmt::format("{} '{}' is not an RFC 3339 timestamp", key, base::Shortened(*value)),
                IsDate(*value) ? fmt::format("write {}T00:00:00Z", *value) : "write it like 2024-01-15T00:00:00Z");
}

}  // namespace

void CheckNames(Context& context) {
  const tmpl::TaskTemplate& tmpl = context.tmpl();
  CheckName(context, "a template's name", tmpl.name, "/name");
  CheckName(context, "a namespace's name", tmpl.namespace_name, "/namespace_name");
  if (!tmpl.version.empty() && !tmpl::ParseVersion(tmpl.version)) {
    tmpl::VersionProblem problem = tmpl::ExplainVersion(tmpl.version);
    context.Error("VERSION_INVALID", "/version", std::move(problem.message), std::move(problem.hint));
  }
  if (tmpl.metadata) {
    CheckTimestamp(context, "created_at", tmpl.metadata->created_at);
    CheckTimestamp(context, "updated_at", tmpl.metadata->updated_at);
  }
  if (tmpl.task_handler) CheckCallable(context, "the task handler", *tmpl.task_handler, "/task_handler/callable");
  for (size_t i = 0; i < tmpl.steps.size(); ++i) {
    const tmpl::StepDefinition& step = tmpl.steps[i];
    CheckName(context, "a step's name", step.name, fmt::format("/steps/{}/name", i));
    CheckCallable(context, "step " + Quoted(step.name), step.handler, fmt::format("/steps/{}/handler/callable", i));
  }
  for (const auto& [name, environment] : tmpl.environments) {
    if (!name.empty() && name.size() <= kMaxEnvironmentName) continue;
    context.Error("ENVIRONMENT_NAME_INVALID", base::JsonPointer("/environments", name),
                  fmt::format("{} cannot be an environment's name", Quoted(name)),
                  fmt::format("an environment's name has 1 to {} bytes", kMaxEnvironmentName), Context::At::kKey);
  }
}

}  // namespace tasker::validate
