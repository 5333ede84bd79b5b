#pragma once

#include <string>
#include <string_view>

#include "client/exit_code.h"
#include "lib/base/json.h"

/// The program's two streams: results go to stdout, all else to stderr. Used from the main thread only.
namespace tasker::client {

enum class OutputFormat { kTable, kJson, kYaml, kText, kMarkdown, kSarif, kGithub };

std::string_view OutputFormatName(OutputFormat format);

/// Results. What cannot be written is remembered for FinishOutput.
void Print(std::string_view text);

/// One JSON or YAML document. REQUIRES: format is kJson or kYaml.
void PrintDocument(const base::Json& value, OutputFormat format);

/// "tasker-registryctl: MESSAGE" to stderr; an error is called one.
void PrintNote(std::string_view message);
void PrintError(std::string_view message);
/// Lines to stderr as they are: "" or text that ends a line.
void PrintReport(std::string_view text);

/// A line at the foot of the terminal that stderr is (progress.h): replaces the one that is there; "" takes it away.
/// All of the above take it away before they write. REQUIRES: CanShowStatusLine(), and at most StatusLineWidth()
/// columns.
void ShowStatusLine(std::string_view line);
bool CanShowStatusLine();
size_t StatusLineWidth();

/// Flushes. `code`, unless output was lost: then kWrongInput and a message, or the end that SIGPIPE would have made
/// where the reader of a pipe had gone.
ExitCode FinishOutput(ExitCode code);

/// Whether issues are coloured on that stream: it is a terminal that knows colours, and nobody said no.
struct ColorOptions {
  bool no_color = false;  ///< the flag; the variable NO_COLOR says the same
};
bool UsesColor(int file_descriptor, const ColorOptions& options);

bool StdoutIsTerminal();
/// Columns of the terminal that stdout is; COLUMNS, or 80, where it does not say.
size_t TerminalWidth();

}  // namespace tasker::client
