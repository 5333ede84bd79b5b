#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "client/command.h"
#include "client/options.h"

namespace tasker::client {

/// Prints what a shell may offer for the last of `words`, which stand behind the program's name on the command line.
/// `app` has all commands and options. First one line:
///   "files"    names of files and folders
///   "words"    the lines that follow, "WORD<TAB>what it is" each
///   "open"     the same, and more of the word follows: no blank after it
/// Templates, versions, channels and environments come from the server that the words or the environment name; nothing
/// of them is offered when it does not answer within a second. Never prints an error: there is somebody typing.
void Complete(CLI::App& app, const std::vector<std::string>& words, CommonOptions& options);

/// The command that prints the shells' scripts, which ask for the above.
Run AddCompletion(CLI::App& app);

}  // namespace tasker::client
