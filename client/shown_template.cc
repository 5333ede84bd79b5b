#include "client/shown_template.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <vector>

#include "client/environment_argument.h"
#include "client/failure.h"
#include "client/local_check.h"
#include "client/registry_client.h"
#include "client/report.h"
#include "client/sources.h"
#include "lib/base/json.h"
#include "lib/template/load.h"
#include "lib/template/reference.h"
#include "lib/template/resolve.h"
#include "lib/validate/check.h"

namespace tasker::client {
namespace {

std::string CheckReference(const std::string& text) {
  const absl::StatusOr<tmpl::Reference> parsed = tmpl::ParseReference(text);
  if (parsed.ok()) return "";
  std::error_code error;
  if (std::filesystem::exists(text, error)) return fmt::format("a file is named with --file {}", text);
  return std::string(parsed.status().message());
}

std::optional<ShownTemplate> LoadRegistered(const TemplateChoice& choice, const Session& session, ExitCode& code) {
  const auto client = RegistryClient::Create(session.options.server);
  if (!client.ok()) {
    code = PrintOptionProblem(client.status());
    return std::nullopt;
  }
  pb::ResolveTemplateRequest request;
  request.set_reference(choice.reference);
  request.set_environment(choice.environment);
  request.set_require_environment(choice.require_environment);
  request.set_view(pb::TEMPLATE_VIEW_JSON);
  const auto response = (*client)->ResolveTemplate(request);
  if (!response.ok()) {
    code = PrintFailure(response.status());
    return std::nullopt;
  }
  const absl::StatusOr<base::Json> json = base::ParseJson(response->template_json(), base::HugeIntegers::kAsReals);
  absl::StatusOr<tmpl::TaskTemplate> tmpl = json.ok() ? tmpl::TemplateFromJson(*json) : json.status();
  if (!tmpl.ok()) {
    PrintError(fmt::format("this program does not understand {}, which the server is perhaps too new for: {}",
                           response->reference(), std::string(tmpl.status().message())));
    code = kRefused;
    return std::nullopt;
  }
  return ShownTemplate{response->reference(), choice.environment, response->environment_defined(), *std::move(tmpl)};
}

std::optional<ShownTemplate> LoadFile(const TemplateChoice& choice, const Session& session, ExitCode& code) {
  code = kWrongInput;
  std::error_code error;
  if (choice.file != "-" && std::filesystem::is_directory(choice.file, error)) {
    PrintError(fmt::format("{} is a folder, not a file", DisplayName(choice.file)));
    return std::nullopt;
  }
  const Sources sources = ReadSources({&choice.file, 1});
  if (sources.files.empty()) {
    PrintError(fmt::format("{}: {}", DisplayName(choice.file), sources.problems.front().message));
    return std::nullopt;
  }
  const Source& source = sources.files.front();
  base::IssueList issues;
  std::optional<tmpl::LoadedTemplate> loaded = validate::LoadAndCheck(source.text, {}, issues);
  if (!loaded || issues.has_errors()) {
    FileReport report;
    report.file = source.name;
    report.text = source.text;
    SetIssues(issues, report);
    PrintReport(TextReport({&report, 1}, UsesColor(STDERR_FILENO, {session.options.no_color})));
    return std::nullopt;
  }
  tmpl::ResolvedTaskTemplate resolved = tmpl::ResolveForEnvironment(std::move(loaded->tmpl), choice.environment);
  if (choice.require_environment && !choice.environment.empty() && !resolved.environment_defined) {
    PrintError(fmt::format("the template does not define environment '{}'", choice.environment));
    return std::nullopt;
  }
  const tmpl::TaskTemplate& tmpl = resolved.tmpl;
  std::string reference = tmpl::ExactReference(tmpl.namespace_name, tmpl.name, tmpl.version);
  return ShownTemplate{std::move(reference), choice.environment, resolved.environment_defined,
                       std::move(resolved.tmpl)};
}

}  // namespace

std::shared_ptr<TemplateChoice> AddTemplateChoice(CLI::App& app) {
  auto choice = std::make_shared<TemplateChoice>();
  auto* const reference =
      app.add_option("reference", choice->reference, "NAMESPACE/NAME[:SELECTOR] or NAMESPACE/NAME@sha256:DIGEST")
          ->type_name("REF")
          ->check(CheckReference);
  app.add_option("--file", choice->file, "A template that is not registered, or '-' for stdin; asks no server")
      ->type_name("FILE")
      ->excludes(reference);
  AddEnvironment(app, choice->environment);
  AddRequireEnvironment(app, choice->require_environment);
  return choice;
}

std::optional<ShownTemplate> LoadShown(const TemplateChoice& choice, const Session& session, ExitCode& code) {
  if (choice.reference.empty() && choice.file.empty()) {
    PrintError("name a registered template (NAMESPACE/NAME), or a file with --file");
    code = kUsage;
    return std::nullopt;
  }
  std::optional<ShownTemplate> shown =
      choice.file.empty() ? LoadRegistered(choice, session, code) : LoadFile(choice, session, code);
  if (shown) NoteUndefinedEnvironment(shown->environment, shown->environment_defined);
  return shown;
}

}  // namespace tasker::client
