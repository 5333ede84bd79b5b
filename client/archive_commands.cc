#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <string>
#include <utility>

#include "client/archive_reader.h"
#include "client/archive_writer.h"
#include "client/command.h"
#include "client/failure.h"
#include "client/progress.h"
#include "client/registry_client.h"
#include "client/table.h"

namespace tasker::client {
namespace {

using Counts = std::vector<std::pair<std::string, int64_t>>;

// `notes`: stdout is the archive, so that only people are told.
void PrintCounts(const Counts& counts, const Session& session, bool notes = false) {
  if (notes) {
    std::string text;
    for (const auto& [name, count] : counts) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, name);
    PrintNote("exported " + text);
  } else if (session.format == OutputFormat::kTable) {
    std::vector<std::pair<std::string, std::string>> fields;
    for (const auto& [name, count] : counts) fields.emplace_back(name, std::to_string(count));
    PrintRecord(fields);
  } else {
    base::JsonObject object;
    for (const auto& [name, count] : counts) object[name] = count;
    PrintDocument(object, session.format);
  }
}

// Says what is wrong with an archive, or with the machine.
ExitCode PrintArchiveProblem(const absl::Status& status) {
  PrintError(std::string(status.message()));
  return kWrongInput;
}

struct ExportArguments {
  std::string target;
  pb::ExportTemplatesRequest request;
};

ExitCode Export(const ExportArguments& arguments, const Session& session) {
  const bool to_stdout = arguments.target == "-";
  if (to_stdout && StdoutIsTerminal()) {
    PrintError("an archive is not for terminals: name a file or a folder, or send stdout elsewhere");
    return kUsage;
  }
  const auto client = RegistryClient::Create(session.options.server);
  if (!client.ok()) return PrintOptionProblem(client.status());
  const auto writer = ArchiveWriter::Create(arguments.target);
  if (!writer.ok()) return PrintArchiveProblem(writer.status());
  int64_t counts[4] = {};  // by the field number of the kind, from 1
  absl::Status written;
  Progress progress("exporting", 0);
  const absl::Status exported = (*client)->ExportTemplates(arguments.request, [&](pb::ArchiveItem item) {
    if (const int kind = item.item_case(); kind > 0) ++counts[kind - 1];
    progress.Advance();
    return written = (*writer)->Add(std::move(item));
  });
  if (!written.ok()) return PrintArchiveProblem(written);
  if (!exported.ok()) return PrintFailure(exported);
  if (absl::Status finished = (*writer)->Finish(); !finished.ok()) return PrintArchiveProblem(finished);
  PrintCounts({{"namespaces", counts[0]}, {"versions", counts[1]}, {"tombstones", counts[2]}, {"channels", counts[3]}},
              session, to_stdout);
  return kDone;
}

struct ImportArguments {
  std::string source;
  bool dry_run = false;
};

ExitCode Import(const ImportArguments& arguments, const Session& session) {
  const auto client = RegistryClient::Create(session.options.server);
  if (!client.ok()) return PrintOptionProblem(client.status());
  const auto reader = ArchiveReader::Open(arguments.source);
  if (!reader.ok()) return PrintArchiveProblem(reader.status());
  absl::Status read;
  Progress progress("importing", 0);
  const auto give = [&](pb::ImportTemplatesRequest& request) -> absl::StatusOr<bool> {
    auto item = (*reader)->Next();
    if (!item.ok()) return read = item.status();
    if (!item->has_value()) return false;
    *request.mutable_item() = *std::move(*item);
    request.set_dry_run(arguments.dry_run);
    progress.Advance();
    return true;
  };
  const auto response = (*client)->ImportTemplates(give);
  if (!read.ok()) return PrintArchiveProblem(read);
  if (!response.ok()) {
    const ExitCode code = PrintFailure(response.status());
    return absl::IsInvalidArgument(response.status()) ? kWrongInput : code;  // the server read what we only sent
  }
  if (const size_t stray = (*reader)->CountStrayFiles(); stray > 0) {
    PrintNote(fmt::format("{} files in the archive are not in its index, and were left out", stray));
  }
  if (arguments.dry_run) PrintNote("dry run: nothing was stored");
  PrintCounts({{"created_versions", response->created_versions()},
               {"unchanged_versions", response->unchanged_versions()},
               {"set_channels", response->set_channels()},
               {"set_states", response->set_states()},
               {"created_tombstones", response->created_tombstones()},
               {"revision", response->revision()}},
              session);
  return kDone;
}

}  // namespace

Run AddExport(CLI::App& app) {
  const auto arguments = std::make_shared<ExportArguments>();
  app.add_option("target", arguments->target, "A folder, a file NAME.tar.gz, or '-' for stdout")->required();
  app.add_option("--namespace", *arguments->request.mutable_namespace_name(), "Only this namespace");
  app.add_option("--name", *arguments->request.mutable_name_prefix(), "Only names that begin so");
  return [arguments](const Session& session) { return Export(*arguments, session); };
}

Run AddImport(CLI::App& app) {
  const auto arguments = std::make_shared<ImportArguments>();
  app.add_option("source", arguments->source, "What export wrote: a folder, a file, or '-' for stdin")->required();
  app.add_flag("--dry-run", arguments->dry_run, "Check everything, store nothing");
  return [arguments](const Session& session) { return Import(*arguments, session); };
}

}  // namespace tasker::client
