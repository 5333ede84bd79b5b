#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "client/exit_code.h"
#include "client/options.h"
#include "client/output.h"

namespace CLI {
class App;
}

namespace tasker::client {

/// What a command works with beside its own arguments.
struct Session {
  const CommonOptions& options;
  OutputFormat format;  ///< one of the command's
};

using Run = std::function<ExitCode(const Session&)>;

/// One command of the program.
struct Command {
  std::string_view name;
  std::string_view group;                 ///< under which heading the help lists it
  std::string_view summary;               ///< one line
  std::string_view help;                  ///< examples, and what the summary cannot say
  std::span<const OutputFormat> formats;  ///< what it can write, its default first; empty when there is no choice
  Run (*add)(CLI::App& app);              ///< declares its arguments on `app`, and gives what runs it after parsing
};

/// Adds the command's arguments; each is described where it is implemented.
Run AddRegister(CLI::App& app);
Run AddValidate(CLI::App& app);
Run AddDiff(CLI::App& app);
Run AddPlan(CLI::App& app);
Run AddConvert(CLI::App& app);
Run AddChannel(CLI::App& app);
Run AddDeprecate(CLI::App& app);
Run AddYank(CLI::App& app);
Run AddRestore(CLI::App& app);
Run AddPurge(CLI::App& app);
Run AddPolicy(CLI::App& app);
Run AddResolve(CLI::App& app);
Run AddHandler(CLI::App& app);
Run AddCheckInput(CLI::App& app);
Run AddCheckEvent(CLI::App& app);
Run AddCheckCallables(CLI::App& app);
Run AddGet(CLI::App& app);
Run AddList(CLI::App& app);
Run AddVersions(CLI::App& app);
Run AddCallables(CLI::App& app);
Run AddUsages(CLI::App& app);
Run AddNamespaces(CLI::App& app);
Run AddEvents(CLI::App& app);
Run AddExplain(CLI::App& app);
Run AddDescribe(CLI::App& app);
Run AddGraph(CLI::App& app);
Run AddExport(CLI::App& app);
Run AddImport(CLI::App& app);
Run AddLog(CLI::App& app);
Run AddWatch(CLI::App& app);
Run AddSchema(CLI::App& app);
Run AddVersion(CLI::App& app);

/// All of them, in the order of the help.
std::span<const Command> Commands();

}  // namespace tasker::client
