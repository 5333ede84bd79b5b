#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>

#include "client/command.h"
#include "client/completion.h"
#include "lib/base/utf8.h"

namespace tasker::client {
namespace {

constexpr char kFooter[] =
    "Results go to stdout, all else to stderr; lists are tables on a terminal and tab-separated lines elsewhere.\n"
    "Ends with 0 done, 1 the input is wrong, 2 the command line is wrong, 3 the server refuses or does not know it,\n"
    "4 no server can be reached.\n\n"
    "  tasker-registryctl register templates/\n"
    "  tasker-registryctl resolve payments/credit_card_payment -e production\n\n"
    "'tasker-registryctl COMMAND --help' explains a command.";

struct Choice {
  const Command* command = nullptr;
  Run run;
};

std::string FormatNames(std::span<const OutputFormat> formats) {
  std::string names;
  for (const OutputFormat format : formats) {
    if (!names.empty()) names += format == formats.back() ? " or " : ", ";
    names += OutputFormatName(format);
  }
  return names;
}

void AddCommonOptions(CLI::App& app, CommonOptions& options) {
  ServerOptions& server = options.server;
  app.add_option("--output,-o", options.output,
                 "How results are written: table, json or yaml; checks have their own\n(Env:TASKER_REGISTRY_OUTPUT)")
      ->type_name("FORMAT")
      ->group("Options of every command");
  const auto text = [&](const char* name, std::string& value, const char* type, const char* variable,
                        const char* description) {
    app.add_option(name, value, description)->type_name(type)->envname(variable)->group("Options of every command");
  };
  app.add_option("--server", server.servers, "Where the server is; several, separated by commas, are tried in turn")
      ->type_name("HOST:PORT")
      ->delimiter(',')
      ->envname("TASKER_REGISTRY_SERVER")
      ->default_str("localhost:50051")
      ->group("Options of every command");
  app.add_option_function<std::string>(
         "--timeout",
         [&server](const std::string& value) {
           const absl::StatusOr<absl::Duration> timeout = ParseTimeout(value);
           if (!timeout.ok()) throw CLI::ValidationError("--timeout", std::string(timeout.status().message()));
           server.timeout = *timeout;
         },
         "How long one call may take: 10s, 500ms, 1m30s")
      ->type_name("TIME")
      ->default_str("10s")
      ->envname("TASKER_REGISTRY_TIMEOUT")
      ->group("Options of every command");
  app.add_flag("--tls", server.tls, "Speak TLS; the options below do, too")
      ->envname("TASKER_REGISTRY_TLS")
      ->group("Options of every command");
  text("--tls-ca", server.tls_ca, "FILE", "TASKER_REGISTRY_TLS_CA", "Trust these authorities (PEM)");
  text("--tls-cert", server.tls_cert, "FILE", "TASKER_REGISTRY_TLS_CERT", "The client's certificate (PEM)");
  text("--tls-key", server.tls_key, "FILE", "TASKER_REGISTRY_TLS_KEY", "The key of that certificate (PEM)");
  text("--token-file", server.token_file, "FILE", "TASKER_REGISTRY_TOKEN_FILE", "Send the token in this file");
  app.add_flag("--no-color", options.no_color, "No colours; neither with the variable NO_COLOR")
      ->envname("TASKER_REGISTRY_NO_COLOR")
      ->group("Options of every command");
}

void AddCommands(CLI::App& app, Choice& choice) {
  for (const Command& command : Commands()) {
    CLI::App* const sub = app.add_subcommand(std::string(command.name), std::string(command.summary));
    sub->group(std::string(command.group));
    sub->fallthrough();  // the common options may follow the command
    std::string footer(command.help);
    if (!command.formats.empty()) footer += "\n\nWrites " + FormatNames(command.formats) + " (--output).";
    sub->footer(footer + "\n'tasker-registryctl --help' lists the options of every command.");
    const Run run = command.add(*sub);
    sub->callback([&choice, &command, run] { choice = {&command, run}; });
  }
}

// The format to write in; nullopt, after saying so, for one that the command cannot write.
std::optional<OutputFormat> ChooseFormat(const Command& command, const std::string& asked) {
  const std::span<const OutputFormat> formats = command.formats;
  if (formats.empty()) return OutputFormat::kText;
  const char* const variable = std::getenv("TASKER_REGISTRY_OUTPUT");
  const std::string& wanted = asked.empty() && variable != nullptr ? variable : asked;
  const auto found =
      std::find_if(formats.begin(), formats.end(), [&](OutputFormat f) { return OutputFormatName(f) == wanted; });
  if (found != formats.end()) return *found;
  // The variable is for all commands, so one that cannot follow it does what it does by itself.
  if (asked.empty()) return formats.front();
  PrintError(fmt::format("{} writes {}, not '{}'", command.name, FormatNames(formats), asked));
  return std::nullopt;
}

// Protobuf texts, and with them every argument but a path, are UTF-8.
bool IsUtf8(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& value : option->results()) {
      const bool is_path = option->get_name() == "paths" || option->get_type_name().find("FILE") != std::string::npos;
      if (is_path || base::IsValidUtf8(value)) continue;
      PrintError(fmt::format("{} is not valid UTF-8", option->get_name()));
      return false;
    }
  }
  const std::vector<CLI::App*> subcommands = app.get_subcommands();
  return std::all_of(subcommands.begin(), subcommands.end(), [](const CLI::App* sub) { return IsUtf8(*sub); });
}

ExitCode RunChoice(const Choice& choice, CommonOptions& options) {
  for (std::string& server : options.server.servers) server = WithPort(std::move(server));
  if (const absl::Status status = CheckServerOptions(options.server); !status.ok()) {
    PrintError(std::string(status.message()));
    return kUsage;
  }
  const std::optional<OutputFormat> format = ChooseFormat(*choice.command, options.output);
  if (!format) return kUsage;
  return choice.run({options, *format});
}

ExitCode Main(int argc, char** argv) {
  CLI::App app("The command line of the Tasker Template Registry.", "tasker-registryctl");
  CommonOptions options;
  Choice choice;
  app.require_subcommand(1);
  app.footer(kFooter);
  app.set_help_flag("--help,-h", "Print this help");
  AddCommonOptions(app, options);
  AddCommands(app, choice);
  if (argc > 1 && std::string_view(argv[1]) == "__complete") {  // for the scripts of 'completion'
    Complete(app, {argv + 2, argv + argc}, options);
    return kDone;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    app.exit(help);
    return kDone;
  } catch (const CLI::ParseError& error) {
    PrintError(error.what());
    fmt::print(stderr, "'tasker-registryctl --help' shows what there is\n");
    return kUsage;
  }
  if (!IsUtf8(app)) return kUsage;
  return RunChoice(choice, options);
}

}  // namespace
}  // namespace tasker::client

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);        // FinishOutput ends as SIGPIPE would have
  std::setlocale(LC_CTYPE, "C.UTF-8");  // for the widths of characters
  setenv("GRPC_VERBOSITY", "NONE", 0);  // what gRPC would print is in the status that we print
  try {
    return tasker::client::FinishOutput(tasker::client::Main(argc, argv));
  } catch (const std::exception& e) {
    tasker::client::PrintError(e.what());  // out of memory, at worst
    return tasker::client::kWrongInput;
  }
}
