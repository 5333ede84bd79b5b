#include "client/output.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "lib/template/yaml_writer.h"

namespace tasker::client {
namespace {

constexpr size_t kDefaultWidth = 80;
int output_error = 0;  // errno of the first write that failed
bool status_line_shown = false;

void WipeStatusLine() {
  if (status_line_shown) fmt::print(stderr, "\r\x1b[K");  // to the first column, erase to the end
  status_line_shown = false;
}

size_t WidthOf(int file_descriptor) {
  winsize size{};
  if (ioctl(file_descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const char* const columns = std::getenv("COLUMNS");
  size_t width = 0;
  if (columns != nullptr) std::from_chars(columns, columns + std::strlen(columns), width);
  return width > 0 ? width : kDefaultWidth;
}

// Whether escape sequences do on it what they should.
bool IsAnsiTerminal(int file_descriptor) {
  const char* const term = std::getenv("TERM");
  return isatty(file_descriptor) == 1 && term != nullptr && *term != '\0' && std::string_view(term) != "dumb";
}

}  // namespace

std::string_view OutputFormatName(OutputFormat format) {
  switch (format) {
    case OutputFormat::kTable:
      return "table";
    case OutputFormat::kJson:
      return "json";
    case OutputFormat::kYaml:
      return "yaml";
    case OutputFormat::kText:
      return "text";
    case OutputFormat::kMarkdown:
      return "markdown";
    case OutputFormat::kSarif:
      return "sarif";
    case OutputFormat::kGithub:
      return "github";
  }
  return "";
}

void Print(std::string_view text) {
  if (output_error != 0 || text.empty()) return;
  WipeStatusLine();
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) output_error = errno;
}

void PrintDocument(const base::Json& value, OutputFormat format) {
  Print(format == OutputFormat::kYaml ? tmpl::WriteYaml(value) : base::PrettyJson(value) + "\n");
}

void PrintNote(std::string_view message) { PrintReport(fmt::format("tasker-registryctl: {}\n", message)); }

void PrintError(std::string_view message) { PrintNote(fmt::format("error: {}", message)); }

void PrintReport(std::string_view text) {
  if (text.empty()) return;
  std::fflush(stdout);  // so that both streams keep their order on a terminal
  WipeStatusLine();
  fmt::print(stderr, "{}", text);
}

void ShowStatusLine(std::string_view line) {
  if (line.empty()) return WipeStatusLine();
  std::fflush(stdout);
  fmt::print(stderr, "\r{}\x1b[K", line);
  status_line_shown = true;
}

bool CanShowStatusLine() { return IsAnsiTerminal(STDERR_FILENO); }

size_t StatusLineWidth() { return WidthOf(STDERR_FILENO); }

ExitCode FinishOutput(ExitCode code) {
  if (std::fflush(stdout) != 0 && output_error == 0) output_error = errno;
  if (output_error == 0) return code;
  if (output_error == EPIPE) {
    std::signal(SIGPIPE, SIG_DFL);
    std::raise(SIGPIPE);
  }
  fmt::print(stderr, "tasker-registryctl: error: the output cannot be written: {}\n", std::strerror(output_error));
  return kWrongInput;
}

bool UsesColor(int file_descriptor, const ColorOptions& options) {
  const char* const no_color = std::getenv("NO_COLOR");  // https://no-color.org: set and not empty
  if (options.no_color || (no_color != nullptr && *no_color != '\0')) return false;
  return IsAnsiTerminal(file_descriptor);
}

bool StdoutIsTerminal() { return isatty(STDOUT_FILENO) == 1; }

size_t TerminalWidth() { return WidthOf(STDOUT_FILENO); }

}  // namespace tasker::client
