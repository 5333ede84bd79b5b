#pragma once

#include <string>
#include <string_view>

namespace tasker::server {

enum class LogFormat { kText, kJson };

/// Sends every log line of the program to stderr, those of gRPC and protobuf (which hostile calls can provoke) as
/// debug lines. `level` is trace, debug, info, warn, error or off. REQUIRES: no
/// other thread logs yet.
void SetUpLog(LogFormat format, std::string_view level);

/// One line per call at level info.
struct AccessLine {
  std::string_view method;  ///< "ResolverService/ResolveTemplate"
  std::string_view code;    ///< "NOT_FOUND"
  double milliseconds = 0;
  std::string_view peer;       ///< "ipv4:127.0.0.1:40312"
  std::string_view reference;  ///< what the request asked for; empty when it names none. May be hostile
  std::string_view error;      ///< the message of an error
};
void LogAccess(const AccessLine& line);

/// Whether LogAccess writes anything: saves making a line that nobody sees.
bool LogsAccess();

}  // namespace tasker::server
