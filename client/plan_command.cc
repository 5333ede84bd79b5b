#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/command.h"
#include "client/compared.h"
#include "client/fail_on.h"
#include "client/failure.h"
#include "client/local_check.h"
#include "client/plan.h"
#include "client/progress.h"
#include "client/report.h"
#include "client/table.h"
#include "lib/base/digest.h"
#include "lib/template/canonical.h"

namespace tasker::client {
namespace {

struct Arguments {
  std::vector<std::string> paths;
  std::vector<std::string> channels;
  bool keep_unknown = false;
  bool allow_breaking = false;
  FailOn fail_on = FailOn::kBump;
};

struct File {
  Compared compared;
  std::string digest;
};

std::string PathOf(const tmpl::TaskTemplate& tmpl) { return fmt::format("{}/{}", tmpl.namespace_name, tmpl.name); }

// Every file without errors; nullopt, after printing all issues, when one has some.
std::optional<std::vector<File>> LoadFiles(const Sources& sources, const Arguments& arguments, const Session& session) {
  std::vector<FileReport> reports;
  for (const SourceProblem& problem : sources.problems) reports.push_back(UnreadableReport(problem));
  std::vector<File> files;
  for (const Source& source : sources.files) {
    std::optional<tmpl::LoadedTemplate> loaded;
    reports.push_back(CheckLocally(source, arguments.keep_unknown, &loaded));
    if (!loaded) continue;
    std::string digest = base::Sha256Digest(tmpl::CanonicalText(loaded->tmpl));
    files.push_back(
        {{OneLine(DisplayName(source.name)), reports.back().reference, *std::move(loaded)}, std::move(digest)});
  }
  PrintReport(TextReport(reports, UsesColor(STDERR_FILENO, {session.options.no_color})));
  if (files.size() == reports.size()) return files;
  PrintError(fmt::format("there is no plan; {}", ReportSummary(reports)));
  return std::nullopt;
}

// Makes the plan from the files and from what the registry says.
class Planner {
 public:
  Planner(ComparedLoader& loader, const std::vector<File>& files) : loader_(loader), files_(files) {}

  /// False, after saying why, when the registry cannot be asked.
  bool AddItem(const File& file, Plan& plan) {
    const auto versions = VersionsOf(file);
    if (versions == nullptr) return false;
    PlanItem item;
    item.file = file.compared.label;
    item.reference = file.compared.reference;
    item.version = file.compared.version();
    const auto there = std::find_if(versions->begin(), versions->end(),
                                    [&](const RegisteredVersion& v) { return v.version == item.version; });
    if (there == versions->end()) {
      if (!HoldAgainst(HighestLower(*versions, item.version), LowerFile(file), file, item)) return false;
    } else if (there->digest == file.digest) {
      item.outcome = PlanOutcome::kUnchanged;
    } else {
      item.outcome = PlanOutcome::kConflict;
      if (!HoldAgainst(&*there, nullptr, file, item)) return false;
    }
    plan.items.push_back(std::move(item));
    return true;
  }

  /// Where the channels would go: to each template's highest version among the files.
  bool AddMoves(const std::vector<std::string>& channels, Plan& plan) {
    if (channels.empty()) return true;
    std::map<std::string, tmpl::Version> targets;
    for (const File& file : files_) {
      const auto [target, fresh] = targets.try_emplace(PathOf(file.compared.loaded.tmpl), file.compared.version());
      if (!fresh) target->second = std::max(target->second, file.compared.version());
    }
    for (const auto& [path, version] : targets) {
      const auto pointers = ChannelsOf(path);
      if (!pointers) return false;
      for (const std::string& channel : channels) {
        const auto old = pointers->find(channel);
        const std::string old_version = old == pointers->end() ? "" : old->second;
        if (old_version != version.ToString()) plan.moves.push_back({path, channel, old_version, version.ToString()});
      }
    }
    return true;
  }

 private:
  const std::vector<RegisteredVersion>* VersionsOf(const File& file) {
    const std::string path = PathOf(file.compared.loaded.tmpl);
    if (const auto known = versions_.find(path); known != versions_.end()) return &known->second;
    auto versions = loader_.LoadVersions(file.compared.loaded.tmpl);
    return versions ? &versions_.emplace(path, *std::move(versions)).first->second : nullptr;
  }

  // The highest lower version of the same template among the files.
  const File* LowerFile(const File& file) const {
    const File* found = nullptr;
    for (const File& other : files_) {
      if (PathOf(other.compared.loaded.tmpl) != PathOf(file.compared.loaded.tmpl)) continue;
      const bool lower = other.compared.version() < file.compared.version();
      if (lower && (found == nullptr || found->compared.version() < other.compared.version())) found = &other;
    }
    return found;
  }

  // Compares with the higher of the two, where there is one.
  bool HoldAgainst(const RegisteredVersion* registered, const File* lower_file, const File& file, PlanItem& item) {
    const tmpl::TaskTemplate& tmpl = file.compared.loaded.tmpl;
    if (registered != nullptr && (lower_file == nullptr || lower_file->compared.version() <= registered->version)) {
      const auto base =
          loader_.LoadReference(tmpl::ExactReference(tmpl.namespace_name, tmpl.name, registered->version.ToString()));
      if (base) Compare(*base, file.compared, item);
      return base.has_value();
    }
    if (lower_file != nullptr) Compare(lower_file->compared, file.compared, item);
    return true;
  }

  static void Compare(const Compared& base, const Compared& file, PlanItem& item) {
    item.base = base.reference;
    item.base_version = base.version();
    item.comparison = diff::CompareSides({base.loaded}, {file.loaded});
  }

  std::optional<std::map<std::string, std::string>> ChannelsOf(const std::string& path) {
    std::map<std::string, std::string> pointers;
    pb::ListChannelsRequest request;
    request.set_reference(path);
    do {
      const auto page = loader_.client()->ListChannels(request);
      if (page.status().code() == absl::StatusCode::kNotFound) break;
      if (!page.ok()) {
        loader_.Fail(page.status());
        return std::nullopt;
      }
      for (const pb::Channel& channel : page->channels()) pointers[channel.channel()] = channel.version();
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return pointers;
  }

  ComparedLoader& loader_;
  const std::vector<File>& files_;
  std::map<std::string, std::vector<RegisteredVersion>> versions_;  // by NAMESPACE/NAME
};

// Asks the registry itself, which knows what no list shows: its policies, purged versions.
absl::Status TryRegister(RegistryClient& client, const Sources& sources, const Arguments& arguments) {
  pb::RegisterTemplatesRequest request;
  request.set_dry_run(true);
  request.set_allow_breaking(arguments.allow_breaking);
  for (const std::string& channel : arguments.channels) request.add_channels(channel);
  for (const Source& source : sources.files) {
    pb::TemplateSource& message = *request.add_sources();
    message.set_yaml(source.text);
    message.set_file_name(DisplayName(source.name));
    message.set_keep_unknown_keys(arguments.keep_unknown);
  }
  return client.RegisterTemplates(request).status();
}

bool IsRefusal(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
      return true;
    default:
      return false;
  }
}

bool Fails(const Plan& plan, const Arguments& arguments) {
  if (!plan.refusal.empty()) return true;
  return std::any_of(plan.items.begin(), plan.items.end(), [&](const PlanItem& item) {
    if (item.outcome == PlanOutcome::kUnchanged) return false;
    if (arguments.fail_on == FailOn::kAny) return true;
    if (arguments.fail_on == FailOn::kBump && arguments.allow_breaking) return false;
    return Fails(arguments.fail_on, item.comparison);
  });
}

void PrintPlan(const Plan& plan, const Session& session) {
  switch (session.format) {
    case OutputFormat::kMarkdown:
      return Print(RenderPlanMarkdown(plan));
    case OutputFormat::kJson:
      return PrintDocument(RenderPlanJson(plan), OutputFormat::kJson);
    default:
      return Print(RenderPlanText(plan, UsesColor(STDOUT_FILENO, {session.options.no_color})));
  }
}

ExitCode MakePlan(const Arguments& arguments, const Session& session) {
  const Sources sources = ReadSources(arguments.paths);
  for (const std::string& name : sources.repeated) PrintNote(DisplayName(name) + " is named twice and planned once");
  const auto files = LoadFiles(sources, arguments, session);
  if (!files) return kWrongInput;
  ComparedLoader loader(session, arguments.keep_unknown);
  if (loader.client() == nullptr) return loader.exit_code();
  const absl::Status tried = TryRegister(*loader.client(), sources, arguments);
  if (!tried.ok() && !IsRefusal(tried)) return PrintFailure(tried);
  Plan plan;
  if (!tried.ok()) plan.refusal = OneLine(std::string(tried.message()));
  Planner planner(loader, *files);
  {
    Progress progress("comparing", files->size());
    for (const File& file : *files) {
      if (!planner.AddItem(file, plan)) return loader.exit_code();
      progress.Advance();
    }
  }
  if (!planner.AddMoves(arguments.channels, plan)) return loader.exit_code();
  PrintPlan(plan, session);
  return Fails(plan, arguments) ? kWrongInput : kDone;
}

}  // namespace

Run AddPlan(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  app.add_option("paths", arguments->paths, "Files, folders, or '-' for stdin")->required();
  app.add_option("--channel", arguments->channels, "A channel that would point at them; may be repeated")
      ->type_name("NAME");
  app.add_flag("--keep-unknown", arguments->keep_unknown, "As register would be told");
  app.add_flag("--allow-breaking", arguments->allow_breaking,
               "As register would be told: a version that is too low is no failure");
  AddFailOn(app, arguments->fail_on);
  return [arguments](const Session& session) { return MakePlan(*arguments, session); };
}

}  // namespace tasker::client
