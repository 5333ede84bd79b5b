#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "client/command.h"
#include "client/compared.h"
#include "client/fail_on.h"
#include "client/table.h"
#include "lib/diff/compare.h"
#include "lib/diff/render.h"

namespace tasker::client {
namespace {

struct Arguments {
  std::string before;
  std::string after;
  std::optional<std::string> environment;
  std::optional<std::string> old_environment;
  std::optional<std::string> new_environment;
  bool keep_unknown = false;
  FailOn fail_on = FailOn::kBump;

  bool has_environments() const { return environment || old_environment || new_environment; }
};

std::optional<Compared> Load(ComparedLoader& loader, const std::string& argument) {
  return MeansFile(argument) ? loader.LoadFile(argument) : loader.LoadReference(argument);
}

// What the registry would hold a file against: what it has under its version, else the highest lower one.
struct Base {
  bool failed = false;
  std::optional<Compared> side = std::nullopt;  // none: there is no such version
};
Base LoadBase(ComparedLoader& loader, const Compared& file) {
  const auto versions = loader.LoadVersions(file.loaded.tmpl);
  if (!versions) return {.failed = true};
  const RegisteredVersion* base = HighestLower(*versions, file.version());
  for (const RegisteredVersion& registered : *versions) {
    if (registered.version == file.version()) base = &registered;
  }
  if (base == nullptr) return {};
  Base found;
  const tmpl::TaskTemplate& tmpl = file.loaded.tmpl;
  found.side = loader.LoadReference(tmpl::ExactReference(tmpl.namespace_name, tmpl.name, base->version.ToString()));
  found.failed = !found.side;
  return found;
}

void PrintComparison(const diff::Assessment& assessment, diff::RenderOptions options, const Session& session) {
  switch (session.format) {
    case OutputFormat::kMarkdown:
      return Print(diff::RenderMarkdown(assessment, options));
    case OutputFormat::kJson:
      options.max_changes = std::numeric_limits<size_t>::max();
      return PrintDocument(diff::RenderJson(assessment, options), OutputFormat::kJson);
    default:
      options.color = UsesColor(STDOUT_FILENO, {session.options.no_color});
      return Print(diff::RenderText(assessment, options));
  }
}

std::string Label(const Compared& compared, const std::optional<std::string>& environment) {
  std::string label = OneLine(compared.label);
  if (environment) label += environment->empty() ? " (base)" : fmt::format(" ({})", OneLine(*environment));
  return label;
}

ExitCode Compare(const Compared& before, const Compared& after, const Arguments& arguments, const Session& session) {
  diff::Side old_side{before.loaded};
  diff::Side new_side{after.loaded};
  if (arguments.has_environments()) {
    old_side.environment = arguments.old_environment.value_or(arguments.environment.value_or(""));
    new_side.environment = arguments.new_environment.value_or(arguments.environment.value_or(""));
    for (const std::string& environment : {*old_side.environment, *new_side.environment}) {
      if (diff::IsKnownEnvironment(environment, before.loaded.tmpl, after.loaded.tmpl)) continue;
      PrintError(fmt::format("neither side defines the environment '{}'", OneLine(environment)));
      return kUsage;
    }
  }
  const diff::SideComparison comparison = diff::CompareSides(old_side, new_side);
  diff::RenderOptions options;
  options.old_label = Label(before, old_side.environment);
  options.new_label = Label(after, new_side.environment);
  if (before.loaded.tmpl != after.loaded.tmpl) {
    options.old_version = before.version();
    options.new_version = after.version();
  }
  PrintComparison(comparison.assessment, options, session);
  return Fails(arguments.fail_on, comparison) ? kWrongInput : kDone;
}

ExitCode CompareWithRegistry(ComparedLoader& loader, const Arguments& arguments, const Session& session) {
  const std::optional<Compared> file = loader.LoadFile(arguments.before);
  if (!file) return loader.exit_code();
  const Base base = LoadBase(loader, *file);
  if (base.failed) return loader.exit_code();
  if (base.side) return Compare(*base.side, *file, arguments, session);
  PrintNote(fmt::format("{} is new: the registry has no lower version of it", file->reference));
  diff::RenderOptions options;
  options.old_label = "(none)";
  options.new_label = Label(*file, std::nullopt);
  PrintComparison({}, options, session);
  return kDone;
}

ExitCode Diff(const Arguments& arguments, const Session& session) {
  ComparedLoader loader(session, arguments.keep_unknown);
  const bool alone = arguments.after.empty();
  if (alone && MeansFile(arguments.before)) return CompareWithRegistry(loader, arguments, session);
  if (alone && !arguments.has_environments()) {
    PrintError("what to compare it with? Name a second one, or two environments");
    return kUsage;
  }
  if (arguments.before == "-" && arguments.after == "-") {
    PrintError("stdin can be read once");
    return kUsage;
  }
  const std::optional<Compared> before = Load(loader, arguments.before);
  if (!before) return loader.exit_code();
  if (alone) return Compare(*before, *before, arguments, session);
  const std::optional<Compared> after = Load(loader, arguments.after);
  if (!after) return loader.exit_code();
  return Compare(*before, *after, arguments, session);
}

}  // namespace

Run AddDiff(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  app.add_option("old", arguments->before, "The old one, or a FILE alone")->type_name("REF|FILE")->required();
  app.add_option("new", arguments->after, "The new one")->type_name("REF|FILE");
  CLI::Option* const both =
      app.add_option("--environment,-e", arguments->environment, "Compare what workers see in this environment");
  app.add_option("--old-environment", arguments->old_environment, "The environment of the old side")->excludes(both);
  app.add_option("--new-environment", arguments->new_environment, "The environment of the new side")->excludes(both);
  for (const char* name : {"--environment", "--old-environment", "--new-environment"}) {
    app.get_option(name)->type_name("NAME");
  }
  app.add_flag("--keep-unknown", arguments->keep_unknown, "Take unknown keys of files as they are");
  AddFailOn(app, arguments->fail_on);
  return [arguments](const Session& session) { return Diff(*arguments, session); };
}

}  // namespace tasker::client
