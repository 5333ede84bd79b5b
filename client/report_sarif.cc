#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <map>

#include "client/report.h"
#include "client/version.h"
#include "lib/base/utf8.h"

namespace tasker::client {
namespace {

constexpr std::string_view kSchemaUri =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

base::JsonObject Text(std::string_view text) {
  return {{"text", base::Json(boost::json::string_view(text.data(), text.size()))}};
}

// RFC 3986: every byte that a path segment cannot hold as it is becomes %XX.
std::string PercentEncoded(std::string_view path) {
  std::string out;
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/!$&'()*+,;=@").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

base::JsonObject ArtifactLocation(std::string_view file, std::string_view directory) {
  if (file == "-") return {{"uri", "stdin"}, {"uriBaseId", "%SRCROOT%"}};
  const std::filesystem::path absolute =
      (std::filesystem::path(directory) / std::filesystem::path(file)).lexically_normal();
  const std::string relative = absolute.lexically_relative(directory).string();
  if (relative.empty() || relative == ".." || relative.starts_with("../")) {
    return {{"uri", "file://" + PercentEncoded(absolute.string())}};
  }
  return {{"uri", PercentEncoded(relative)}, {"uriBaseId", "%SRCROOT%"}};
}

// The column in code points. Positions count bytes.
int64_t CodePointColumn(std::string_view text, base::Position position) {
  size_t start = 0;
  for (int line = 1; line < position.line; ++line) {
    const size_t end = text.find_first_of("\r\n", start);
    if (end == std::string_view::npos) return position.column;
    start = end + (text.substr(end, 2) == "\r\n" ? 2 : 1);
  }
  const std::string_view before = text.substr(start, static_cast<size_t>(std::max(position.column, 1) - 1));
  return 1 + std::count_if(before.begin(), before.end(),
                           [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

// "STEP_DEPENDENCY_UNKNOWN" as a rule: what it is called for people is what its code says.
base::Json Rule(std::string_view code) {
  std::string name;
  std::string description;
  bool starts_word = true;
  for (const char c : code) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (c != '_') name += starts_word ? c : lower;
    description += c == '_' ? ' ' : description.empty() ? c : lower;
    starts_word = c == '_';
  }
  return base::JsonObject{{"id", base::Json(boost::json::string_view(code.data(), code.size()))},
                          {"name", name},
                          {"shortDescription", Text(description)}};
}

using RuleIndex = std::map<std::string, size_t, std::less<>>;

RuleIndex IndexRules(std::span<const FileReport> reports) {
  RuleIndex rules;
  for (const FileReport& report : reports) {
    for (const base::Issue& issue : report.issues) rules.emplace(issue.code, 0);
  }
  size_t next = 0;
  for (auto& [code, index] : rules) index = next++;
  return rules;
}

base::Json Result(const base::Issue& issue, const FileReport& report, const RuleIndex& rules,
                  const base::JsonObject& artifact) {
  base::JsonObject physical{{"artifactLocation", artifact}};
  if (issue.position.known()) {
    physical["region"] = base::JsonObject{{"startLine", issue.position.line},
                                          {"startColumn", CodePointColumn(report.text, issue.position)}};
  }
  base::JsonObject location{{"physicalLocation", std::move(physical)}};
  if (!issue.path.empty()) {
    location["logicalLocations"] = base::JsonArray{base::JsonObject{{"fullyQualifiedName", issue.path}}};
  }
  base::JsonObject out;
  out["ruleId"] = issue.code;
  out["ruleIndex"] = static_cast<uint64_t>(rules.find(issue.code)->second);
  out["level"] = issue.severity == base::Severity::kError ? "error" : "warning";
  out["message"] = Text(issue.hint.empty() ? issue.message : issue.message + "; " + issue.hint);
  out["locations"] = base::JsonArray{std::move(location)};
  return out;
}

}  // namespace

base::Json SarifReport(std::span<const FileReport> reports, std::string_view directory) {
  const RuleIndex rule_index = IndexRules(reports);
  base::JsonArray rules;
  for (const auto& [code, index] : rule_index) rules.push_back(Rule(code));
  base::JsonArray artifacts;
  base::JsonArray results;
  base::JsonArray notifications;
  for (const FileReport& report : reports) {
    const base::JsonObject artifact = ArtifactLocation(report.file, directory);
    artifacts.push_back(base::JsonObject{{"location", artifact}});
    for (const base::Issue& issue : report.issues) results.push_back(Result(issue, report, rule_index, artifact));
    if (report.omitted_count == 0) continue;
    const std::string omitted =
        fmt::format("{}: {} more issues are not listed", DisplayName(report.file), report.omitted_count);
    notifications.push_back(base::JsonObject{{"level", "note"}, {"message", Text(omitted)}});
  }
  base::JsonObject driver{{"name", "tasker-registryctl"}, {"version", kVersion}, {"rules", std::move(rules)}};
  base::JsonObject invocation{{"executionSuccessful", true}, {"toolExecutionNotifications", std::move(notifications)}};
  const base::JsonObject root{{"uri", "file://" + PercentEncoded(directory) + "/"}};
  base::JsonObject run;
  run["tool"] = base::JsonObject{{"driver", std::move(driver)}};
  run["invocations"] = base::JsonArray{std::move(invocation)};
  run["originalUriBaseIds"] = base::JsonObject{{"%SRCROOT%", root}};
  run["columnKind"] = "unicodeCodePoints";
  run["artifacts"] = std::move(artifacts);
  run["results"] = std::move(results);
  return base::JsonObject{{"$schema", base::Json(boost::json::string_view(kSchemaUri.data(), kSchemaUri.size()))},
                          {"version", "2.1.0"},
                          {"runs", base::JsonArray{std::move(run)}}};
}

}  // namespace tasker::client
