#include <fmt/format.h>

#include "client/report.h"

namespace tasker::client {
namespace {

// What the runner unescapes in messages; properties end at ':' and ',' as well.
std::string Escaped(std::string_view text, bool is_property) {
  std::string out;
  for (const char c : text) {
    const bool special = c == '%' || c == '\r' || c == '\n' || (is_property && (c == ':' || c == ','));
    if (special) {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

std::string Command(std::string_view severity, const std::string& properties, std::string_view message) {
  return fmt::format("::{} {}::{}\n", severity, properties, Escaped(message, /*is_property=*/false));
}

}  // namespace

std::string GithubReport(std::span<const FileReport> reports) {
  std::string out;
  for (const FileReport& report : reports) {
    const std::string file = fmt::format("file={}", Escaped(DisplayName(report.file), /*is_property=*/true));
    for (const base::Issue& issue : report.issues) {
      std::string properties = file;
      if (issue.position.known()) {
        properties += fmt::format(",line={},col={}", issue.position.line, issue.position.column);
      }
      properties += ",title=" + Escaped(issue.code, /*is_property=*/true);
      const std::string message = issue.hint.empty() ? issue.message : issue.message + "\nhelp: " + issue.hint;
      out += Command(issue.severity == base::Severity::kError ? "error" : "warning", properties, message);
    }
    if (report.omitted_count > 0) {
      out += Command("notice", file, fmt::format("{} more issues are not listed", report.omitted_count));
    }
  }
  return out;
}

}  // namespace tasker::client
