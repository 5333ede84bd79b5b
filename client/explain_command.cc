#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <string>

#include "client/command.h"
#include "client/environment_argument.h"
#include "client/failure.h"
#include "client/reference_argument.h"
#include "client/registry_client.h"
#include "client/report.h"
#include "client/table.h"
#include "lib/wire/issue.h"

namespace tasker::client {
namespace {

std::string LayerText(pb::ValueLayer layer) {
  switch (layer) {
    case pb::VALUE_LAYER_DEFAULT:
      return "default";
    case pb::VALUE_LAYER_BASE:
      return "base";
    case pb::VALUE_LAYER_TASK_HANDLER_OVERRIDE:
      return "task_handler override";
    case pb::VALUE_LAYER_ALL_OVERRIDE:
      return "ALL override";
    case pb::VALUE_LAYER_STEP_OVERRIDE:
      return "step override";
    default:
      return "unknown";
  }
}

std::string ValueText(const pb::ExplainedValue& value) {
  return value.has_value_json() ? value.value_json() : "(none)";
}

std::string PlaceText(const pb::ExplainedValue& value) { return value.line() > 0 ? std::to_string(value.line()) : ""; }

base::JsonObject ValueJson(const pb::ExplainedValue& value) {
  base::JsonObject out;
  if (value.has_value_json()) {
    absl::StatusOr<base::Json> parsed = base::ParseJson(value.value_json());
    out["value"] = parsed.ok() ? *std::move(parsed) : base::Json(nullptr);
  }
  out["layer"] = LayerText(value.layer());
  out["source_path"] = value.source_path();
  if (value.line() > 0) {
    out["line"] = value.line();
    out["column"] = value.column();
  }
  return out;
}

base::Json ExplanationJson(const pb::ExplainResolutionResponse& response) {
  base::JsonArray fields, lints;
  for (const pb::ExplainedField& field : response.fields()) {
    base::JsonArray replaced;
    for (const pb::ExplainedValue& before : field.replaced()) replaced.push_back(ValueJson(before));
    base::JsonObject out{{"path", field.path()}};
    for (auto& [key, value] : ValueJson(field.current())) out[key] = std::move(value);
    out["replaced"] = std::move(replaced);
    fields.push_back(std::move(out));
  }
  for (const pb::Issue& lint : response.lints()) lints.push_back(IssueJson(wire::FromProto(lint)));
  return base::JsonObject{{"reference", response.reference()},
                          {"environment", response.environment()},
                          {"environment_defined", response.environment_defined()},
                          {"fields", std::move(fields)},
                          {"lints", std::move(lints)}};
}

void PrintExplanation(const pb::ExplainResolutionResponse& response) {
  Table table({"FIELD", "VALUE", "FROM", "LINE", "REPLACED"});
  for (const pb::ExplainedField& field : response.fields()) {
    std::string replaced;
    for (const pb::ExplainedValue& before : field.replaced()) {
      if (!replaced.empty()) replaced += ", ";
      replaced += fmt::format("{} ({})", ValueText(before), LayerText(before.layer()));
    }
    table.AddRow({field.path(), ValueText(field.current()), LayerText(field.current().layer()),
                  PlaceText(field.current()), replaced});
  }
  PrintTable(table);
}

ExitCode Explain(const pb::ExplainResolutionRequest& request, const Session& session) {
  const auto client = RegistryClient::Create(session.options.server);
  if (!client.ok()) return PrintOptionProblem(client.status());
  const auto response = (*client)->ExplainResolution(request);
  if (!response.ok()) return PrintFailure(response.status());
  NoteUndefinedEnvironment(request.environment(), response->environment_defined());
  if (session.format != OutputFormat::kTable) {
    PrintDocument(ExplanationJson(*response), session.format);
    return kDone;
  }
  PrintExplanation(*response);
  for (const pb::Issue& lint : response->lints()) {
    PrintNote(fmt::format("warning: line {}: {} [{}]", lint.line(), lint.message(), lint.code()));
  }
  return kDone;
}

}  // namespace

Run AddExplain(CLI::App& app) {
  const auto request = std::make_shared<pb::ExplainResolutionRequest>();
  AddReference(app, *request->mutable_reference());
  AddEnvironment(app, *request->mutable_environment());
  return [request](const Session& session) { return Explain(*request, session); };
}

}  // namespace tasker::client
