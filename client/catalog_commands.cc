#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "client/command.h"
#include "client/documents.h"
#include "client/failure.h"
#include "client/pages.h"
#include "client/reference_argument.h"
#include "client/registry_client.h"

namespace tasker::client {
namespace {

struct GetArguments {
  std::string reference;
  bool source = false;
};

ExitCode PrintSource(const pb::GetTemplateResponse& response) {
  if (!response.has_source()) {
    PrintError(response.reference() + " was registered as a message, so there is no text of its author");
    return kRefused;
  }
  Print(response.source());
  return kDone;
}

ExitCode Get(const GetArguments& arguments, const Session& session) {
  const auto client = RegistryClient::Create(session.options.server);
  if (!client.ok()) return PrintOptionProblem(client.status());
  pb::GetTemplateRequest request;
  request.set_reference(arguments.reference);
  request.set_view(pb::TEMPLATE_VIEW_JSON);
  request.set_include_source(arguments.source);
  const auto response = (*client)->GetTemplate(request);
  if (!response.ok()) return PrintFailure(response.status());
  if (response->has_state_notice()) PrintNote(NoticeText(response->reference(), response->state_notice()));
  if (arguments.source) return PrintSource(*response);
  const base::Json document = StoredJson(*response);
  if (session.format != OutputFormat::kTable) {
    PrintDocument(document, session.format);
    return kDone;
  }
  std::vector<std::pair<std::string, std::string>> fields{{"reference", response->reference()},
                                                          {"digest", response->digest()}};
  if (!response->channels().empty()) fields.emplace_back("channels", Joined(response->channels()));
  for (const auto& [key, value] : document.at("provenance").as_object()) {
    if (const std::string text = CellText(value); !text.empty()) fields.emplace_back(key, text);
  }
  PrintRecord(fields);
  Print("\n");
  PrintTable(StepTable(document.at("template")));
  return kDone;
}

ExitCode List(pb::ListTemplatesRequest request, const Session& session) {
  Table table({"TEMPLATE", "VERSION", "OF", "STATE", "CHANNELS", "TAGS", "REGISTERED", "DESCRIPTION"});
  base::JsonArray rows;
  return PrintPages(
      session, std::move(request), &RegistryClient::ListTemplates, table, rows, "no template matches",
      [&](const pb::ListTemplatesResponse& page) {
        for (const pb::TemplateSummary& summary : page.templates()) {
          rows.push_back(SummaryJson(summary));
          table.AddRow({summary.namespace_name() + "/" + summary.name(), summary.version(),
                        std::to_string(summary.version_count()), StateNote(summary.state()), Joined(summary.channels()),
                        Joined(summary.tags()), TimeText(summary.create_time()), summary.description()});
        }
      });
}

ExitCode Versions(pb::ListTemplateVersionsRequest request, const Session& session) {
  Table table({"VERSION", "STATE", "CHANNELS", "STEPS", "REGISTERED", "DIGEST", "DESCRIPTION"});
  base::JsonArray rows;
  return PrintPages(session, std::move(request), &RegistryClient::ListTemplateVersions, table, rows,
                    "no version matches", [&](const pb::ListTemplateVersionsResponse& page) {
                      for (const pb::TemplateSummary& summary : page.versions()) {
                        rows.push_back(SummaryJson(summary));
                        table.AddRow({summary.version(), StateNote(summary.state()), Joined(summary.channels()),
                                      std::to_string(summary.step_count()), TimeText(summary.create_time()),
                                      summary.digest(), summary.description()});
                      }
                    });
}

ExitCode Callables(const std::string& reference, const Session& session) {
  const auto client = RegistryClient::Create(session.options.server);
  if (!client.ok()) return PrintOptionProblem(client.status());
  pb::ListCallablesRequest request;
  request.set_reference(reference);
  const auto response = (*client)->ListCallables(request);
  if (!response.ok()) return PrintFailure(response.status());
  Table table({"STEP", "CALLABLE", "METHOD", "KIND"});
  base::JsonArray rows;
  for (const pb::CallableUse& use : response->callables()) {
    rows.push_back(CallableJson(use));
    table.AddRow({StepOrTask(use.step_name()), use.callable(), use.method(), CallableKindText(use.kind())});
  }
  if (session.format == OutputFormat::kTable) {
    PrintTable(table);
  } else {
    PrintDocument(base::JsonObject{{"reference", response->reference()}, {"callables", std::move(rows)}},
                  session.format);
  }
  return kDone;
}

// What `states` of a request says: any of these, instead of active and deprecated.
template <typename Request>
void AddStates(CLI::App& app, const std::shared_ptr<Request>& request) {
  const std::map<std::string, pb::TemplateState> states = {{"active", pb::TEMPLATE_STATE_ACTIVE},
                                                           {"deprecated", pb::TEMPLATE_STATE_DEPRECATED},
                                                           {"yanked", pb::TEMPLATE_STATE_YANKED}};
  app.add_option_function<std::vector<std::string>>(
         "--state",
         [request, states](const std::vector<std::string>& words) {
           for (const std::string& word : words) request->add_states(states.at(word));
         },
         "Only this state: active, deprecated or yanked; may be repeated\n(default: active and deprecated)")
      ->type_name("STATE")
      ->allow_extra_args(false)
      ->check(CLI::IsMember(states));
}

}  // namespace

Run AddGet(CLI::App& app) {
  const auto arguments = std::make_shared<GetArguments>();
  AddReference(app, arguments->reference);
  app.add_flag("--source", arguments->source, "Print the author's text, byte for byte");
  return [arguments](const Session& session) { return Get(*arguments, session); };
}

Run AddList(CLI::App& app) {
  const auto request = std::make_shared<pb::ListTemplatesRequest>();
  const auto filter = [&](const char* name, std::string* value, const char* description) {
    app.add_option(name, *value, description);
  };
  filter("--namespace", request->mutable_namespace_name(), "Only this namespace");
  filter("--name", request->mutable_name_prefix(), "Only names that begin so");
  filter("--tag", request->mutable_tag(), "Only templates with this tag");
  filter("--system", request->mutable_system(), "Only templates that use this system");
  filter("--event", request->mutable_event(), "Only templates that declare or publish this event");
  filter("--callable", request->mutable_callable(), "Only templates that use this callable");
  filter("--text", request->mutable_text(),
         "Only templates whose name, description or tags hold\nall of these words, or words that begin so");
  AddStates(app, request);
  return [request](const Session& session) { return List(*request, session); };
}

Run AddVersions(CLI::App& app) {
  const auto request = std::make_shared<pb::ListTemplateVersionsRequest>();
  app.add_option("template", *request->mutable_reference(), "NAMESPACE/NAME")->type_name("NAMESPACE/NAME")->required();
  AddStates(app, request);
  return [request](const Session& session) { return Versions(*request, session); };
}

Run AddCallables(CLI::App& app) {
  const auto reference = std::make_shared<std::string>();
  AddReference(app, *reference);
  return [reference](const Session& session) { return Callables(*reference, session); };
}

}  // namespace tasker::client
