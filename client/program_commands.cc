#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "client/command.h"
#include "client/documents.h"
#include "client/failure.h"
#include "client/registry_client.h"
#include "client/template_schema.h"
#include "client/version.h"

namespace tasker::client {
namespace {

ExitCode Version(bool of_server, const Session& session) {
  base::JsonObject out{{"version", kVersion}};
  if (of_server) {
    const auto client = RegistryClient::Create(session.options.server);
    if (!client.ok()) return PrintOptionProblem(client.status());
    const auto info = (*client)->GetServerInfo({});
    if (!info.ok()) return PrintFailure(info.status());
    out["server_version"] = info->version();
    out["schema_version"] = info->schema_version();
    out["revision"] = info->revision();
    out["max_template_bytes"] = info->max_template_bytes();
    out["max_batch_templates"] = info->max_batch_templates();
  }
  if (session.format != OutputFormat::kTable) {
    PrintDocument(out, session.format);
    return kDone;
  }
  std::vector<std::pair<std::string, std::string>> fields;
  for (const auto& [key, value] : out) fields.emplace_back(key, CellText(value));
  PrintRecord(fields);
  return kDone;
}

}  // namespace

Run AddSchema(CLI::App&) {
  return [](const Session&) {
    Print(TemplateSchemaText());
    return kDone;
  };
}

Run AddVersion(CLI::App& app) {
  const auto of_server = std::make_shared<bool>(false);
  app.add_flag("--server-info", *of_server, "Ask the server what it is, too");
  return [of_server](const Session& session) { return Version(*of_server, session); };
}

}  // namespace tasker::client
