#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/command.h"
#include "client/documents.h"
#include "client/pages.h"
#include "client/registry_client.h"
#include "client/report.h"
#include "client/sources.h"
#include "client/table.h"

namespace tasker::client {
namespace {

struct Arguments {
  std::vector<std::string> files;
  pb::CheckCallablesRequest request;
};

// The lines of `text` that say something, without the blanks around.
void AddLines(std::string_view text, pb::CheckCallablesRequest& request) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    constexpr std::string_view kBlanks = " \t\r";
    const size_t first = line.find_first_not_of(kBlanks);
    if (first == std::string_view::npos) continue;
    line = line.substr(first, line.find_last_not_of(kBlanks) + 1 - first);
    request.add_callables(line.data(), line.size());
  }
}

bool ReadCallables(Arguments& arguments) {
  const Sources sources = ReadSources(arguments.files);
  for (const SourceProblem& problem : sources.problems) {
    PrintError(fmt::format("{}: {}", DisplayName(problem.name), problem.message));
  }
  for (const Source& source : sources.files) AddLines(source.text, arguments.request);
  return sources.problems.empty();
}

base::Json CheckJson(const pb::CallableCheck& check) {
  base::JsonArray missing;
  for (const pb::MissingCallable& callable : check.missing()) {
    missing.push_back(base::JsonObject{{"callable", callable.callable()},
                                       {"kind", CallableKindText(callable.kind())},
                                       {"step_name", callable.step_name()}});
  }
  return base::JsonObject{
      {"reference", check.reference()}, {"runnable", check.runnable()}, {"missing", std::move(missing)}};
}

ExitCode CheckCallables(Arguments& arguments, const Session& session) {
  if (!ReadCallables(arguments)) return kWrongInput;
  Table table({"TEMPLATE", "STEP", "MISSING", "KIND"});
  base::JsonArray rows;
  int whole = 0;
  const ExitCode code = ReadPages(session, arguments.request, &RegistryClient::CheckCallables,
                                  [&](const pb::CheckCallablesResponse& page) {
                                    for (const pb::CallableCheck& check : page.templates()) {
                                      rows.push_back(CheckJson(check));
                                      whole += check.runnable() ? 1 : 0;
                                      for (const pb::MissingCallable& missing : check.missing()) {
                                        table.AddRow({check.reference(), StepOrTask(missing.step_name()),
                                                      missing.callable(), CallableKindText(missing.kind())});
                                      }
                                    }
                                  });
  if (code != kDone) return code;
  if (session.format != OutputFormat::kTable) {
    PrintDocument(rows, session.format);
  } else if (whole < static_cast<int>(rows.size())) {
    PrintTable(table);
  }
  PrintNote(fmt::format("{} of {} template{} can run whole with {} callable{}", whole, rows.size(),
                        rows.size() == 1 ? "" : "s", arguments.request.callables_size(),
                        arguments.request.callables_size() == 1 ? "" : "s"));
  return whole == static_cast<int>(rows.size()) ? kDone : kWrongInput;
}

}  // namespace

Run AddCheckCallables(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  app.add_option("files", arguments->files, "Files with one callable in each line; '-' is stdin")
      ->type_name("FILE")
      ->default_val(std::vector<std::string>{"-"});
  app.add_option("--namespace", *arguments->request.mutable_namespace_name(), "Only templates of this namespace");
  app.add_option("--name", *arguments->request.mutable_name_prefix(), "Only templates whose names begin so");
  app.add_option_function<std::vector<std::string>>(
         "--template",
         [arguments](const std::vector<std::string>& references) {
           for (const std::string& reference : references) arguments->request.add_references(reference);
         },
         "Only what these references select, instead")
      ->type_name("REF")
      ->allow_extra_args(false)
      ->excludes("--namespace")
      ->excludes("--name");
  return [arguments](const Session& session) { return CheckCallables(*arguments, session); };
}

}  // namespace tasker::client
