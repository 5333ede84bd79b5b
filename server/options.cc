#include "server/options.h"

#include <absl/strings/numbers.h>
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <optional>

#include "lib/base/issue_text.h"
#include "lib/base/nearest.h"
#include "lib/template/document.h"
#include "lib/template/yaml_reader.h"
#include "server/address.h"

namespace tasker::server {
namespace {

constexpr absl::Duration kLongestTime = absl::Hours(24 * 36500);
constexpr size_t kMaxConfigBytes = size_t{1} << 20;

// "--http-listen" is HTTP_LISTEN for the environment and http_listen in the file.
std::string Underscored(std::string name, bool upper) {
  for (char& c : name) c = c == '-' ? '_' : (upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  return name;
}

std::string VariableOf(const CLI::Option& option) {
  return "TASKER_REGISTRY_" + Underscored(option.get_lnames().front(), true);
}

// "90s", "12h", "30d", or a plain number of seconds; not negative.
absl::Status ParseInto(const std::string& text, absl::Duration& duration) {
  int64_t number = 0;
  bool parsed = true;
  if (absl::SimpleAtoi(text, &number)) {
    duration = absl::Seconds(number);
  } else if (text.ends_with('d') && absl::SimpleAtoi(text.substr(0, text.size() - 1), &number)) {
    duration = number * absl::Hours(24);
  } else {
    parsed = absl::ParseDuration(text, &duration);
  }
  if (parsed && duration >= absl::ZeroDuration() && duration < kLongestTime) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format("'{}' is no time; write 10s, 500ms, 12h or 30d", text));
}

absl::Status ParseInto(const std::string& text, std::optional<store::ChangeRetention>& retention) {
  retention.reset();
  if (text == "all") return absl::OkStatus();
  store::ChangeRetention parsed;
  if (absl::SimpleAtoi(text, &parsed.revisions)) {
    if (parsed.revisions < 0) return absl::InvalidArgumentError("a number of revisions is not negative");
  } else if (absl::Status status = ParseInto(text, parsed.age); !status.ok()) {
    return absl::InvalidArgumentError(
        fmt::format("'{}' is neither all, nor a number of revisions, nor a time such as 30d or 12h", text));
  }
  retention = parsed;
  return absl::OkStatus();
}

void AddOptions(CLI::App& app, Options& o, std::string& config) {
  const auto add = [&app](const std::string& flag, auto& value, const std::string& help) {
    CLI::Option* option = app.add_option(flag, value, help)->capture_default_str();
    option->description(fmt::format("{} [{}]", help, VariableOf(*option)));
    return option;
  };
  add("--config", config, "YAML file with options by name, for example `http_listen: \"\"`");
  add("--listen", o.listen, "Address for gRPC, HOST:PORT; port 0 picks a free one");
  add("--http-listen", o.http_listen, "Address for /metrics, /healthz and /readyz; empty: none");
  add("--database-url", o.database_url,
      "PostgreSQL as a URL or as key words, several hosts allowed; empty: a private PostgreSQL in --data-dir");
  add("--data-dir", o.data_dir, fmt::format("Folder of the private PostgreSQL; empty: ./{}", kDefaultDataDir));
  add("--database-connections", o.database_connections, "Connections to PostgreSQL at most")
      ->check(CLI::Range(1, 1000));
  add("--tls-cert", o.tls_cert, "PEM file of the server's certificate chain");
  add("--tls-key", o.tls_key, "PEM file of its private key");
  add("--tls-client-ca", o.tls_client_ca, "PEM file of the authority whose certificates clients must show");
  add("--log-format", o.log_format, "How stderr is written")->check(CLI::IsMember({"text", "json"}));
  add("--log-level", o.log_level, "The least level that is written")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}));
  add("--cache-bytes", o.cache_bytes, "Memory for answers, templates and schemas")->check(CLI::Range(0.0, 1e15));
  add("--max-call-seconds", o.max_call_seconds, "Limit for calls whose client sets none, or a later one")
      ->check(CLI::Range(1, 3600));
  add("--grace-seconds", o.grace_seconds, "What SIGTERM leaves to running calls")->check(CLI::Range(0, 3600));
  add("--max-watches", o.max_watches, "Watches that may run at once")->check(CLI::Range(0, 1'000'000));
  const auto add_parsed = [&app](const std::string& flag, const std::string& standard, const std::string& help,
                                 std::function<absl::Status(const std::string&)> parse) {
    CLI::Option* option = app.add_option_function<std::string>(flag, [flag, parse](const std::string& text) {
      const absl::Status status = parse(text);
      if (!status.ok()) throw CLI::ValidationError(flag, std::string(status.message()));
    });
    option->default_str(standard)->description(fmt::format("{} [{}]", help, VariableOf(*option)));
  };
  add_parsed("--max-staleness", "10s",
             "How old a remembered answer to a selector may be while the change log cannot be read: 10s, 500ms, 0",
             [&o](const std::string& text) { return ParseInto(text, o.max_staleness); });
  add_parsed("--keep-changes", "all",
             "What is kept of the change log: all, a number of revisions (100000), or a time (30d, 12h)",
             [&o](const std::string& text) { return ParseInto(text, o.keep_changes); });
  CLI::Option* insecure = app.add_flag("--insecure", o.insecure, "Listen beyond this machine without TLS");
  insecure->description(fmt::format("Listen beyond this machine without TLS [{}]", VariableOf(*insecure)));
}

// Gives `option` a value that did not come from the command line.
absl::Status Give(CLI::Option& option, const std::string& value, const std::string& where) {
  try {
    option.add_result(value);
    option.run_callback();
  } catch (const CLI::Error& e) {
    return absl::InvalidArgumentError(fmt::format("{}: {}", where, e.what()));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::map<std::string, std::string, std::less<>>> ReadConfig(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::InvalidArgumentError(fmt::format("cannot read the configuration file '{}'", path));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  base::IssueList issues;
  tmpl::ReadLimits limits;
  limits.text_bytes = kMaxConfigBytes;
  const std::optional<tmpl::Document> document = tmpl::ReadYaml(text, limits, issues);
  std::map<std::string, std::string, std::less<>> values;
  if (document && !document->root().is_map() && !document->root().is_null()) {
    issues.AddError("CONFIG", "", document->root().position(), "a configuration is a map of options");
  }
  for (size_t i = 0; document && document->root().is_map() && i < document->root().size(); ++i) {
    const tmpl::Node::Member member = document->root().member(i);
    if (!member.value.is_scalar()) {
      issues.AddError("CONFIG", "", member.value.position(), fmt::format("'{}' takes one value", member.key));
    }
    values.emplace(member.key, member.value.text());
  }
  if (!issues.has_errors()) return values;
  return absl::InvalidArgumentError(base::IssueTexts(issues.Sorted(), issues.omitted_count(), path, text));
}

// What neither the command line nor (for the file) the environment has set.
absl::Status AddEnvironment(CLI::App& app) {
  for (CLI::Option* option : app.get_options([](const CLI::Option* o) { return o->nonpositional(); })) {
    const std::string variable = VariableOf(*option);
    const char* const value = std::getenv(variable.c_str());
    if (value == nullptr || option->count() > 0 || option == app.get_help_ptr()) continue;
    if (absl::Status status = Give(*option, value, variable); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status AddConfig(CLI::App& app, const std::string& path) {
  const auto values = ReadConfig(path);
  if (!values.ok()) return values.status();
  std::map<std::string, CLI::Option*, std::less<>> options;
  std::vector<std::string> names;
  for (CLI::Option* option : app.get_options([](const CLI::Option* o) { return o->nonpositional(); })) {
    if (option == app.get_help_ptr() || option->get_name() == "--config") continue;
    names.push_back(Underscored(option->get_lnames().front(), false));
    options.emplace(names.back(), option);
  }
  for (const auto& [key, value] : *values) {
    const auto found = options.find(key);
    if (found == options.end()) {
      const std::string hint = base::DidYouMean(key, names);
      return absl::InvalidArgumentError(
          fmt::format("{}: '{}' is no option{}{}", path, key, hint.empty() ? "" : "; ", hint));
    }
    if (found->second->count() > 0) continue;
    if (absl::Status status = Give(*found->second, value, fmt::format("{}: {}", path, key)); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CommandLine> ParseCommandLine(int argc, const char* const* argv) {
  CommandLine out;
  std::string config;
  CLI::App app("Tasker template registry: serves task templates over gRPC from PostgreSQL.", "tasker-registryd");
  app.fallthrough();
  app.footer("Order: flag, environment variable, --config, default. Stops on SIGTERM.");
  AddOptions(app, out.options, config);
  app.add_subcommand("serve", "Serve (the default); brings the database up to date first");
  CLI::App* migrate = app.add_subcommand("migrate", "Change or show the database's schema, and end");
  migrate->require_subcommand(1);
  CLI::App* up = migrate->add_subcommand("up", "Bring the database up to date");
  CLI::App* status = migrate->add_subcommand("status", "Show which migrations are applied");
  CLI::App* version = app.add_subcommand("version", "Print the version");
  app.require_subcommand(0, 1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    out.help = app.help();
    return out;
  } catch (const CLI::Error& e) {
    return absl::InvalidArgumentError(e.what());
  }
  if (*up) out.command = Command::kMigrateUp;
  if (*status) out.command = Command::kMigrateStatus;
  if (*version) out.command = Command::kVersion;
  if (absl::Status given = AddEnvironment(app); !given.ok()) return given;
  if (config.empty()) return out;
  if (absl::Status given = AddConfig(app, config); !given.ok()) return given;
  return out;
}

absl::Status CheckOptions(const Options& options) {
  const absl::StatusOr<Address> listen = ParseAddress(options.listen);
  if (!listen.ok()) return listen.status();
  if (!options.http_listen.empty()) {
    if (const auto http = ParseAddress(options.http_listen); !http.ok()) return http.status();
  }
  if (options.tls_cert.empty() != options.tls_key.empty()) {
    return absl::InvalidArgumentError("--tls-cert and --tls-key go together");
  }
  if (!options.tls_client_ca.empty() && options.tls_cert.empty()) {
    return absl::InvalidArgumentError("--tls-client-ca needs --tls-cert and --tls-key");
  }
  if (options.tls_cert.empty() && !options.insecure && !listen->IsLoopback()) {
    return absl::InvalidArgumentError(
        fmt::format("--listen {} is reachable from other machines, and without TLS anybody there could read and "
                    "write templates; give --tls-cert and --tls-key, or --insecure to accept that",
                    options.listen));
  }
  return absl::OkStatus();
}

}  // namespace tasker::server
