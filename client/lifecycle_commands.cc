#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <string>

#include "client/answer.h"
#include "client/command.h"
#include "client/documents.h"
#include "client/failure.h"
#include "client/reference_argument.h"
#include "client/registry_client.h"

namespace tasker::client {
namespace {

template <typename Response>
base::JsonObject StateAnswer(const Response& response) {
  return {
      {"reference", response.reference()}, {"state", StateText(response.state())}, {"revision", response.revision()}};
}

ExitCode Deprecate(const pb::DeprecateTemplateRequest& request, const Session& session) {
  const auto client = RegistryClient::Create(session.options.server);
  if (!client.ok()) return PrintOptionProblem(client.status());
  const auto response = (*client)->DeprecateTemplate(request);
  if (!response.ok()) return PrintFailure(response.status());
  PrintAnswer(StateAnswer(*response), session.format);
  return kDone;
}

ExitCode Yank(const pb::YankTemplateRequest& request, const Session& session) {
  const auto client = RegistryClient::Create(session.options.server);
  if (!client.ok()) return PrintOptionProblem(client.status());
  const auto response = (*client)->YankTemplate(request);
  if (!response.ok()) return PrintFailure(response.status());
  base::JsonArray channels;
  for (const std::string& channel : response->channels()) {
    channels.emplace_back(channel);
    PrintNote("channel '" + channel + "' points at " + response->reference() + " and finds nothing until it is moved");
  }
  base::JsonObject answer = StateAnswer(*response);
  answer["channels"] = std::move(channels);
  PrintAnswer(answer, session.format);
  return kDone;
}

ExitCode Restore(const pb::RestoreTemplateRequest& request, const Session& session) {
  const auto client = RegistryClient::Create(session.options.server);
  if (!client.ok()) return PrintOptionProblem(client.status());
  const auto response = (*client)->RestoreTemplate(request);
  if (!response.ok()) return PrintFailure(response.status());
  PrintAnswer(StateAnswer(*response), session.format);
  return kDone;
}

ExitCode Purge(const pb::PurgeTemplateRequest& request, bool yes, const Session& session) {
  if (!yes) {
    PrintError("purge deletes " + request.reference() + " for good; say --yes to do it");
    return kUsage;
  }
  const auto client = RegistryClient::Create(session.options.server);
  if (!client.ok()) return PrintOptionProblem(client.status());
  const auto response = (*client)->PurgeTemplate(request);
  if (!response.ok()) return PrintFailure(response.status());
  PrintAnswer(
      {{"reference", response->reference()}, {"digest", response->digest()}, {"revision", response->revision()}},
      session.format);
  return kDone;
}

ExitCode SetPolicy(const pb::SetVersionPolicyRequest& request, const Session& session) {
  const auto client = RegistryClient::Create(session.options.server);
  if (!client.ok()) return PrintOptionProblem(client.status());
  const auto response = (*client)->SetVersionPolicy(request);
  if (!response.ok()) return PrintFailure(response.status());
  PrintAnswer({{"namespace_name", response->namespace_name()},
               {"old_policy", PolicyText(response->old_policy())},
               {"policy", PolicyText(response->policy())},
               {"revision", response->revision()}},
              session.format);
  return kDone;
}

}  // namespace

Run AddDeprecate(CLI::App& app) {
  const auto request = std::make_shared<pb::DeprecateTemplateRequest>();
  AddReference(app, *request->mutable_reference());
  app.add_option("--message,-m", *request->mutable_message(), "Why, for people");
  app.add_option("--replacement", *request->mutable_replacement(), "What to use instead; need not exist")
      ->type_name("REF");
  return [request](const Session& session) { return Deprecate(*request, session); };
}

Run AddYank(CLI::App& app) {
  const auto request = std::make_shared<pb::YankTemplateRequest>();
  AddReference(app, *request->mutable_reference());
  app.add_option("--reason,-m", *request->mutable_reason(), "Why, for people");
  app.add_option("--replacement", *request->mutable_replacement(), "What to use instead; need not exist")
      ->type_name("REF");
  return [request](const Session& session) { return Yank(*request, session); };
}

Run AddRestore(CLI::App& app) {
  const auto request = std::make_shared<pb::RestoreTemplateRequest>();
  AddReference(app, *request->mutable_reference());
  return [request](const Session& session) { return Restore(*request, session); };
}

Run AddPurge(CLI::App& app) {
  const auto request = std::make_shared<pb::PurgeTemplateRequest>();
  const auto yes = std::make_shared<bool>(false);
  AddReference(app, *request->mutable_reference());
  app.add_option("--reason,-m", *request->mutable_reason(), "Why, for people");
  app.add_flag("--yes", *yes, "Yes, delete it");
  return [request, yes](const Session& session) { return Purge(*request, *yes, session); };
}

Run AddPolicy(CLI::App& app) {
  const auto request = std::make_shared<pb::SetVersionPolicyRequest>();
  app.add_option("namespace", *request->mutable_namespace_name(), "The namespace; made when there is none")
      ->type_name("NAMESPACE")
      ->required();
  app.add_option_function<std::string>(
         "policy",
         [request](const std::string& word) {
           request->set_policy(word == "none"   ? pb::VERSION_POLICY_NONE
                               : word == "warn" ? pb::VERSION_POLICY_WARN
                                                : pb::VERSION_POLICY_ENFORCE);
         },
         "How registrations are held to honest version numbers")
      ->type_name("none|warn|enforce")
      ->required()
      ->check(CLI::IsMember({"none", "warn", "enforce"}));
  return [request](const Session& session) { return SetPolicy(*request, session); };
}

}  // namespace tasker::client
