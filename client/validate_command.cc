#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "client/command.h"
#include "client/local_check.h"
#include "client/progress.h"
#include "client/report.h"
#include "client/sources.h"

namespace tasker::client {
namespace {

struct Arguments {
  std::vector<std::string> paths;
  bool keep_unknown = false;
};

std::string WorkingDirectory() {
  std::error_code error;
  const std::string directory = std::filesystem::current_path(error).string();
  return directory == "/" ? "" : directory;
}

void PrintReports(const std::vector<FileReport>& reports, const Session& session) {
  switch (session.format) {
    case OutputFormat::kJson:
      return PrintDocument(JsonReport(reports), OutputFormat::kJson);
    case OutputFormat::kSarif:
      return PrintDocument(SarifReport(reports, WorkingDirectory()), OutputFormat::kJson);
    case OutputFormat::kGithub:
      return Print(GithubReport(reports));
    default:
      Print(TextReport(reports, UsesColor(STDOUT_FILENO, {session.options.no_color})));
      PrintNote(ReportSummary(reports));
  }
}

ExitCode Validate(const Arguments& arguments, const Session& session) {
  const Sources sources = ReadSources(arguments.paths);
  for (const std::string& name : sources.repeated) PrintNote(DisplayName(name) + " is named twice and checked once");
  std::vector<FileReport> reports;
  for (const SourceProblem& problem : sources.problems) reports.push_back(UnreadableReport(problem));
  Progress progress("validating", sources.files.size());
  for (const Source& source : sources.files) {
    reports.push_back(CheckLocally(source, arguments.keep_unknown));
    progress.Advance();
  }
  PrintReports(reports, session);
  for (const FileReport& report : reports) {
    if (report.error_count > 0) return kWrongInput;
  }
  return kDone;
}

}  // namespace

Run AddValidate(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  app.add_option("paths", arguments->paths, "Files, folders, or '-' for stdin")->required();
  app.add_flag("--keep-unknown", arguments->keep_unknown, "Unknown keys are warnings, and would be kept");
  return [arguments](const Session& session) { return Validate(*arguments, session); };
}

}  // namespace tasker::client
