#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <string>
#include <vector>

#include "client/command.h"
#include "client/failure.h"
#include "client/local_check.h"
#include "client/progress.h"
#include "client/registry_client.h"
#include "client/report.h"
#include "client/sources.h"
#include "client/table.h"
#include "lib/base/utf8.h"
#include "lib/wire/issue.h"

namespace tasker::client {
namespace {

struct Arguments {
  std::vector<std::string> paths;
  bool dry_run = false;
  bool keep_unknown = false;
  bool allow_breaking = false;
  std::string source_revision;
  std::string source_uri;
  std::vector<std::string> channels;
};

void PrintIssues(const std::vector<FileReport>& reports, const Session& session) {
  const std::string text = TextReport(reports, UsesColor(STDERR_FILENO, {session.options.no_color}));
  PrintReport(text);
}

template <typename Message>
FileReport ReportOf(const Message& message, const Source& source) {
  FileReport report;
  report.file = source.name;
  report.text = source.text;
  report.reference = message.reference();
  report.omitted_count = static_cast<size_t>(message.omitted_issue_count());
  for (const pb::Issue& issue : message.issues()) {
    report.issues.push_back(wire::FromProto(issue));
    const bool is_error = report.issues.back().severity == base::Severity::kError;
    (is_error ? report.error_count : report.warning_count) += 1;
  }
  return report;
}

// What cannot even be sent. False when there is some.
bool CanBeSent(const Sources& sources, const Arguments& arguments, const Session& session) {
  std::vector<FileReport> reports;
  for (const SourceProblem& problem : sources.problems) reports.push_back(UnreadableReport(problem));
  for (const Source& source : sources.files) {
    if (!base::IsValidUtf8(source.text)) reports.push_back(CheckLocally(source, arguments.keep_unknown));
  }
  PrintIssues(reports, session);
  return reports.empty();
}

pb::TemplateSource ToMessage(const Source& source, bool keep_unknown) {
  pb::TemplateSource message;
  message.set_yaml(source.text);
  message.set_file_name(DisplayName(source.name));
  message.set_keep_unknown_keys(keep_unknown);
  return message;
}

// The refusal of a batch names only its first mistakes, so each template is asked about by itself. What is wrong with
// the batch as a whole (one version twice) no single template shows; then the refusal is all there is to say.
ExitCode ExplainRefusal(const absl::Status& refusal, RegistryClient& client, const Sources& sources,
                        const Arguments& arguments, const Session& session) {
  std::vector<FileReport> reports;
  bool has_errors = false;
  Progress progress("asking about", sources.files.size());
  for (const Source& source : sources.files) {
    pb::ValidateTemplateRequest request;
    *request.mutable_source() = ToMessage(source, arguments.keep_unknown);
    const auto response = client.ValidateTemplate(request);
    if (!response.ok()) break;
    reports.push_back(ReportOf(*response, source));
    has_errors = has_errors || reports.back().error_count > 0;
    progress.Advance();
  }
  PrintIssues(reports, session);
  if (has_errors) {
    PrintError(fmt::format("nothing was registered; {}", ReportSummary(reports)));
  } else {
    PrintFailure(refusal);
  }
  return kWrongInput;
}

std::string OutcomeText(pb::RegistrationOutcome outcome) {
  switch (outcome) {
    case pb::REGISTRATION_OUTCOME_CREATED:
      return "created";
    case pb::REGISTRATION_OUTCOME_UNCHANGED:
      return "unchanged";
    default:
      return "unknown";
  }
}

void PrintRegistrations(const pb::RegisterTemplatesResponse& response, const Sources& sources,
                        const Arguments& arguments, const Session& session) {
  Table table({"OUTCOME", "TEMPLATE", "FILE", "DIGEST"});
  base::JsonArray rows;
  std::vector<FileReport> reports;
  const size_t count = std::min(sources.files.size(), static_cast<size_t>(response.registrations_size()));
  for (size_t i = 0; i < count; ++i) {
    const pb::Registration& registration = response.registrations(static_cast<int>(i));
    reports.push_back(ReportOf(registration, sources.files[i]));
    const std::string file = DisplayName(sources.files[i].name);
    const std::string outcome = OutcomeText(registration.outcome());
    table.AddRow({outcome, registration.reference(), file, registration.digest()});
    base::JsonArray issues;
    for (const base::Issue& issue : reports.back().issues) issues.push_back(IssueJson(issue));
    rows.push_back(base::JsonObject{{"file", file},
                                    {"reference", registration.reference()},
                                    {"digest", registration.digest()},
                                    {"outcome", outcome},
                                    {"issues", std::move(issues)},
                                    {"omitted_issue_count", registration.omitted_issue_count()}});
  }
  PrintIssues(reports, session);
  if (arguments.dry_run) PrintNote("dry run: nothing was stored");
  if (session.format == OutputFormat::kTable) return PrintTable(table);
  PrintDocument(
      base::JsonObject{
          {"dry_run", arguments.dry_run}, {"revision", response.revision()}, {"registrations", std::move(rows)}},
      session.format);
}

// One call, however long: the line says what is waited for.
absl::StatusOr<pb::RegisterTemplatesResponse> SendBatch(const pb::RegisterTemplatesRequest& request,
                                                        RegistryClient& client) {
  const Progress progress("registering", static_cast<size_t>(request.sources_size()));
  return client.RegisterTemplates(request);
}

ExitCode Register(const Arguments& arguments, const Session& session) {
  const Sources sources = ReadSources(arguments.paths);
  for (const std::string& name : sources.repeated) PrintNote(DisplayName(name) + " is named twice and sent once");
  if (!CanBeSent(sources, arguments, session)) {
    PrintError("nothing was registered");
    return kWrongInput;
  }
  const auto client = RegistryClient::Create(session.options.server);
  if (!client.ok()) return PrintOptionProblem(client.status());
  pb::RegisterTemplatesRequest request;
  for (const Source& source : sources.files) *request.add_sources() = ToMessage(source, arguments.keep_unknown);
  request.set_source_revision(arguments.source_revision);
  request.set_source_uri(arguments.source_uri);
  request.set_dry_run(arguments.dry_run);
  for (const std::string& channel : arguments.channels) request.add_channels(channel);
  request.set_allow_breaking(arguments.allow_breaking);
  const auto response = SendBatch(request, **client);
  if (response.status().code() == absl::StatusCode::kInvalidArgument) {
    return ExplainRefusal(response.status(), **client, sources, arguments, session);
  }
  if (!response.ok()) return PrintFailure(response.status());
  PrintRegistrations(*response, sources, arguments, session);
  return kDone;
}

}  // namespace

Run AddRegister(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  app.add_option("paths", arguments->paths, "Files, folders, or '-' for stdin")->required();
  app.add_flag("--dry-run", arguments->dry_run, "Check everything, store nothing");
  app.add_flag("--keep-unknown", arguments->keep_unknown,
               "Keep unknown keys, with a warning, instead of refusing them");
  app.add_option("--channel", arguments->channels,
                 "Point this channel of each template at it, in the same change; may be repeated")
      ->type_name("NAME")
      ->allow_extra_args(false);
  app.add_flag("--allow-breaking", arguments->allow_breaking,
               "Register versions that are too low under the namespace's version policy");
  app.add_option("--source-revision", arguments->source_revision, "The revision of the text, for example a git SHA");
  app.add_option("--source-uri", arguments->source_uri, "Where the text comes from");
  return [arguments](const Session& session) { return Register(*arguments, session); };
}

}  // namespace tasker::client
