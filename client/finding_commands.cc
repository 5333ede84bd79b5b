#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <string>
#include <utility>

#include "client/command.h"
#include "client/documents.h"
#include "client/failure.h"
#include "client/pages.h"
#include "client/registry_client.h"
#include "client/table.h"

namespace tasker::client {
namespace {

struct UsageArguments {
  std::string callable;
  std::string event;
  std::string system;
  std::string namespace_name;
  bool prefix = false;
  bool all_versions = false;
};

std::string RoleText(pb::UsageRole role) {
  switch (role) {
    case pb::USAGE_ROLE_TASK_HANDLER:
      return "task handler";
    case pb::USAGE_ROLE_STEP_HANDLER:
      return "step handler";
    case pb::USAGE_ROLE_PRIMARY_SYSTEM:
      return "primary system";
    case pb::USAGE_ROLE_SECONDARY_SYSTEM:
      return "secondary system";
    case pb::USAGE_ROLE_STEP_SYSTEM:
      return "step's system";
    case pb::USAGE_ROLE_DECLARES_EVENT:
      return "declares";
    case pb::USAGE_ROLE_PUBLISHES_EVENT:
      return "publishes";
    default:
      return "";
  }
}

base::Json UsageJson(const pb::Usage& usage) {
  return base::JsonObject{{"reference", usage.reference()},     {"term", usage.term()},
                          {"role", RoleText(usage.role())},     {"step_name", usage.step_name()},
                          {"environment", usage.environment()}, {"state", StateText(usage.state())}};
}

// What is asked for of one of the three; the requests and answers have the same fields.
template <typename Request, typename Response>
ExitCode PrintUsages(Request request, const UsageArguments& arguments, const Session& session,
                     absl::StatusOr<Response> (RegistryClient::*call)(const Request&)) {
  request.set_prefix(arguments.prefix);
  request.set_all_versions(arguments.all_versions);
  request.set_namespace_name(arguments.namespace_name);
  // The term stands last: it may be a whole proc.
  Table table({"TEMPLATE", "ROLE", "STEP", "ENVIRONMENT", "STATE", "TERM"});
  base::JsonArray rows;
  return PrintPages(session, std::move(request), call, table, rows, "nobody uses it", [&](const Response& page) {
    for (const pb::Usage& usage : page.usages()) {
      rows.push_back(UsageJson(usage));
      table.AddRow({usage.reference(), RoleText(usage.role()), usage.step_name(), usage.environment(),
                    StateNote(usage.state()), usage.term()});
    }
  });
}

ExitCode Usages(const UsageArguments& arguments, const Session& session) {
  if (!arguments.callable.empty()) {
    pb::FindCallableUsagesRequest request;
    request.set_callable(arguments.callable);
    return PrintUsages(std::move(request), arguments, session, &RegistryClient::FindCallableUsages);
  }
  if (!arguments.event.empty()) {
    pb::FindEventUsagesRequest request;
    request.set_event(arguments.event);
    return PrintUsages(std::move(request), arguments, session, &RegistryClient::FindEventUsages);
  }
  pb::FindSystemUsagesRequest request;
  request.set_system(arguments.system);
  return PrintUsages(std::move(request), arguments, session, &RegistryClient::FindSystemUsages);
}

ExitCode Namespaces(pb::ListNamespacesRequest request, const Session& session) {
  Table table({"NAMESPACE", "TEMPLATES", "SINCE", "VERSIONS", "SYSTEMS"});
  base::JsonArray rows;
  return PrintPages(
      session, std::move(request), &RegistryClient::ListNamespaces, table, rows, "no namespace matches",
      [&](const pb::ListNamespacesResponse& page) {
        for (const pb::NamespaceSummary& space : page.namespaces()) {
          base::JsonArray systems;
          for (const std::string& system : space.system_dependencies()) systems.emplace_back(system);
          rows.push_back(base::JsonObject{{"name", space.name()},
                                          {"description", space.description()},
                                          {"system_dependencies", std::move(systems)},
                                          {"template_count", space.template_count()},
                                          {"create_time", TimeText(space.create_time())},
                                          {"version_policy", PolicyText(space.version_policy())}});
          table.AddRow({space.name(), std::to_string(space.template_count()), TimeText(space.create_time()),
                        PolicyText(space.version_policy()), Joined(space.system_dependencies())});
        }
      });
}

ExitCode Events(pb::ListDomainEventsRequest request, const Session& session) {
  Table table({"EVENT", "NAMESPACE", "FIRST IN", "SCHEMA", "DESCRIPTION"});
  base::JsonArray rows;
  return PrintPages(session, std::move(request), &RegistryClient::ListDomainEvents, table, rows, "no event matches",
                    [&](const pb::ListDomainEventsResponse& page) {
                      for (const pb::DomainEvent& event : page.events()) {
                        const auto schema = base::ParseJson(event.schema_json());
                        rows.push_back(base::JsonObject{{"namespace_name", event.namespace_name()},
                                                        {"event_name", event.event_name()},
                                                        {"description", event.description()},
                                                        {"schema_digest", event.schema_digest()},
                                                        {"schema", schema.ok() ? *schema : base::Json(nullptr)},
                                                        {"reference", event.reference()},
                                                        {"create_time", TimeText(event.create_time())}});
                        table.AddRow({event.event_name(), event.namespace_name(), event.reference(),
                                      event.schema_digest(), event.description()});
                      }
                    });
}

}  // namespace

Run AddUsages(CLI::App& app) {
  const auto arguments = std::make_shared<UsageArguments>();
  CLI::Option_group* const what = app.add_option_group("what", "What to look for");
  what->add_option("--callable", arguments->callable, "A callable, as templates write it");
  what->add_option("--event", arguments->event, "An event's name");
  what->add_option("--system", arguments->system, "A system's name");
  what->require_option(1);
  app.add_flag("--prefix", arguments->prefix, "Everything that begins so, instead of exactly it");
  app.add_flag("--all-versions", arguments->all_versions,
               "Every version that is not yanked, instead of each template's highest");
  app.add_option("--namespace", arguments->namespace_name, "Only in this namespace");
  return [arguments](const Session& session) { return Usages(*arguments, session); };
}

Run AddNamespaces(CLI::App& app) {
  const auto request = std::make_shared<pb::ListNamespacesRequest>();
  app.add_option("--name", *request->mutable_name_prefix(), "Only names that begin so");
  return [request](const Session& session) { return Namespaces(*request, session); };
}

Run AddEvents(CLI::App& app) {
  const auto request = std::make_shared<pb::ListDomainEventsRequest>();
  app.add_option("--namespace", *request->mutable_namespace_name(), "Only events of this namespace's templates");
  app.add_option("--name", *request->mutable_name_prefix(), "Only events whose names begin so");
  return [request](const Session& session) { return Events(*request, session); };
}

}  // namespace tasker::client
