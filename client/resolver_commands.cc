#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <string>

#include "client/command.h"
#include "client/documents.h"
#include "client/environment_argument.h"
#include "client/failure.h"
#include "client/reference_argument.h"
#include "client/registry_client.h"

namespace tasker::client {
namespace {

struct Arguments {
  std::string reference;
  std::string step;
  std::string environment;
  bool require_environment = false;
};

std::shared_ptr<Arguments> AddArguments(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  AddReference(app, arguments->reference);
  AddEnvironment(app, arguments->environment);
  AddRequireEnvironment(app, arguments->require_environment);
  return arguments;
}

absl::StatusOr<pb::ResolveTemplateResponse> ResolveExactly(RegistryClient& client, const std::string& reference,
                                                           const Arguments& arguments) {
  pb::ResolveTemplateRequest request;
  request.set_reference(reference);
  request.set_environment(arguments.environment);
  request.set_require_environment(arguments.require_environment);
  request.set_view(pb::TEMPLATE_VIEW_JSON);
  return client.ResolveTemplate(request);
}

ExitCode Resolve(const Arguments& arguments, const Session& session) {
  const auto client = RegistryClient::Create(session.options.server);
  if (!client.ok()) return PrintOptionProblem(client.status());
  const auto response = ResolveExactly(**client, arguments.reference, arguments);
  if (!response.ok()) return PrintFailure(response.status());
  NoteUndefinedEnvironment(arguments.environment, response->environment_defined());
  if (response->has_state_notice()) PrintNote(NoticeText(response->reference(), response->state_notice()));
  const base::Json document = ResolutionJson(*response);
  if (session.format != OutputFormat::kTable) {
    PrintDocument(document, session.format);
    return kDone;
  }
  PrintRecord({{"reference", response->reference()},
               {"digest", response->digest()},
               {"resolution", response->resolution_digest()},
               {"environment", response->environment()}});
  Print("\n");
  PrintTable(StepTable(document.at("template")));
  return kDone;
}

// The part of the resolved template that says what runs the step; the task's own handler for "". Empty when the
// template has changed its shape since the server named the step.
base::JsonObject HandlerPart(const base::Json& document, const std::string& step_name) {
  const base::JsonObject* const tmpl = document.if_object();
  if (tmpl == nullptr) return {};
  if (step_name.empty()) {
    const base::Json* const handler = tmpl->if_contains("task_handler");
    return handler == nullptr ? base::JsonObject() : base::JsonObject{{"handler", *handler}};
  }
  const base::Json* const steps = tmpl->if_contains("steps");
  if (steps == nullptr || !steps->is_array()) return {};
  for (const base::Json& item : steps->get_array()) {
    if (!item.is_object() || CellText(item.at("name")) != step_name) continue;
    base::JsonObject out;
    for (const char* const key : {"handler", "system_dependency", "retry", "timeout_seconds", "publishes_events"}) {
      if (const base::Json* const value = item.get_object().if_contains(key)) out[key] = *value;
    }
    return out;
  }
  return {};
}

// ResolveHandler's messages hold numbers as doubles, so the values themselves come from the exact view.
base::JsonObject HandlerDocument(const pb::ResolveHandlerResponse& response, const base::Json& document) {
  base::JsonObject out;
  out["reference"] = response.reference();
  out["digest"] = response.digest();
  out["environment"] = response.environment();
  out["environment_defined"] = response.environment_defined();
  out["step_name"] = response.step_name();
  if (response.has_state_notice()) out["state_notice"] = NoticeJson(response.state_notice());
  out["callable_kind"] = CallableKindText(response.callable_kind());
  for (const auto& member : HandlerPart(document, response.step_name())) out[member.key()] = member.value();
  base::JsonArray schedule;
  for (const uint64_t wait : response.retry_schedule_ms()) schedule.emplace_back(wait);
  out["retry_schedule_ms"] = std::move(schedule);
  return out;
}

ExitCode Handler(const Arguments& arguments, const Session& session) {
  const auto client = RegistryClient::Create(session.options.server);
  if (!client.ok()) return PrintOptionProblem(client.status());
  pb::ResolveHandlerRequest request;
  request.set_reference(arguments.reference);
  request.set_environment(arguments.environment);
  request.set_step_name(arguments.step);
  request.set_require_environment(arguments.require_environment);
  const auto response = (*client)->ResolveHandler(request);
  if (!response.ok()) return PrintFailure(response.status());
  const auto resolved = ResolveExactly(**client, response->reference(), arguments);
  if (!resolved.ok()) return PrintFailure(resolved.status());
  NoteUndefinedEnvironment(arguments.environment, response->environment_defined());
  if (response->has_state_notice()) PrintNote(NoticeText(response->reference(), response->state_notice()));
  const base::JsonObject document = HandlerDocument(*response, TemplateDocument(resolved->template_json()));
  if (session.format != OutputFormat::kTable) {
    PrintDocument(document, session.format);
    return kDone;
  }
  std::vector<std::pair<std::string, std::string>> fields;
  for (const auto& [key, value] : document) {
    if (!value.is_object()) {
      fields.emplace_back(key, CellText(value));
      continue;
    }
    for (const auto& [inner, part] : value.get_object())
      fields.emplace_back(std::string(key) + "." + std::string(inner), CellText(part));
  }
  PrintRecord(fields);
  return kDone;
}

}  // namespace

Run AddResolve(CLI::App& app) {
  const auto arguments = AddArguments(app);
  return [arguments](const Session& session) { return Resolve(*arguments, session); };
}

Run AddHandler(CLI::App& app) {
  const auto arguments = AddArguments(app);
  app.add_option("step", arguments->step, "The step's name; without it, the task's own handler");
  return [arguments](const Session& session) { return Handler(*arguments, session); };
}

}  // namespace tasker::client
