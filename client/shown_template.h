#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>

#include "client/command.h"
#include "lib/template/model.h"

namespace tasker::client {

/// Which template a command looks at, and through which environment: a registered one, or one in a file.
struct TemplateChoice {
  std::string reference;
  std::string file;
  std::string environment;
  bool require_environment = false;
};

/// REF or --file FILE, -e and --require-environment.
std::shared_ptr<TemplateChoice> AddTemplateChoice(CLI::App& app);

/// A template with one environment's overrides applied.
struct ShownTemplate {
  std::string reference;  ///< exact
  std::string environment;
  bool environment_defined = false;
  tmpl::TaskTemplate tmpl;
};

/// The chosen template: resolved by the server, or read and resolved here. nullopt, after saying why, with the code to
/// end with.
std::optional<ShownTemplate> LoadShown(const TemplateChoice& choice, const Session& session, ExitCode& code);

}  // namespace tasker::client
