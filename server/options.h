#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/store/store.h"

namespace tasker::server {

/// Everything that can be configured; each field is the option of the same name ("--http-listen").
struct Options {
  std::string listen = "127.0.0.1:50051";      ///< gRPC; port 0 picks a free one
  std::string http_listen = "127.0.0.1:8080";  ///< metrics and probes; empty: none
  std::string database_url;                    ///< empty: an embedded PostgreSQL in data_dir
  std::string data_dir;                        ///< of the embedded PostgreSQL; empty: kDefaultDataDir
  int database_connections = 16;               ///< at most, and as many calls that wait for the database at once
  bool insecure = false;                       ///< allows `listen` beyond loopback without TLS
  std::string tls_cert;                        ///< PEM files
  std::string tls_key;
  std::string tls_client_ca;  ///< clients must show a certificate that it signed
  std::string log_format = "text";
  std::string log_level = "info";
  uint64_t cache_bytes = uint64_t{256} << 20;  ///< of encoded answers, parsed templates and compiled schemas
  int max_call_seconds = 60;                   ///< for callers that set no deadline, or a later one
  int grace_seconds = 10;                      ///< that SIGTERM leaves to running calls
  int max_watches = 10'000;                    ///< that run at once
  /// How old what a server remembers of selectors may be while it cannot read the change log.
  absl::Duration max_staleness = absl::Seconds(10);
  std::optional<store::ChangeRetention> keep_changes;  ///< none: for ever
};

inline constexpr char kDefaultDataDir[] = ".tasker-registry";

enum class Command { kServe, kMigrateUp, kMigrateStatus, kVersion };

struct CommandLine {
  Command command = Command::kServe;
  Options options;
  std::string help;  ///< not empty: print it and exit with 0
};

/// Flags first, then TASKER_REGISTRY_… variables, then the file of --config, then the defaults. INVALID_ARGUMENT, one
/// line for people, for anything that is not an option or no value of one; also in the file.
absl::StatusOr<CommandLine> ParseCommandLine(int argc, const char* const* argv);

/// What no single option shows: listening beyond loopback in the clear without `insecure`, half of a TLS pair.
absl::Status CheckOptions(const Options& options);

}  // namespace tasker::server
