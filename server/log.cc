#include "server/log.h"

#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <fmt/format.h>
#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <spdlog/formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <iterator>
#include <memory>

#include "lib/base/json.h"
#include "lib/base/utf8.h"

namespace tasker::server {
namespace {

constexpr char kAccess[] = "access";
constexpr size_t kMaxTextBytes = 1000;

// Both are set before there are threads.
bool log_json = false;
std::shared_ptr<spdlog::logger> access_log;

// A JSON string of text from outside: cut, and made UTF-8.
std::string Quoted(std::string_view text) {
  const size_t valid = base::FindInvalidUtf8(text);
  return base::JsonString(base::Shortened(text.substr(0, valid), kMaxTextBytes));
}

// {"time":"2026-01-31T12:00:00.000Z","level":"info","message":"…"}; an access line brings its own members instead of
// the message.
class JsonFormatter : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const absl::Time time = absl::FromChrono(message.time);
    const auto level = spdlog::level::to_string_view(message.level);
    fmt::format_to(std::back_inserter(out), R"({{"time":"{}","level":"{}",)",
                   absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone()),
                   std::string_view(level.data(), level.size()));
    const std::string_view payload(message.payload.data(), message.payload.size());
    if (std::string_view(message.logger_name.data(), message.logger_name.size()) == kAccess) {
      fmt::format_to(std::back_inserter(out), "{}}}\n", payload);
    } else {
      fmt::format_to(std::back_inserter(out), "\"message\":{}}}\n", Quoted(payload));
    }
  }
  std::unique_ptr<formatter> clone() const override { return std::make_unique<JsonFormatter>(); }
};

void LogGrpc(gpr_log_func_args* line) { spdlog::debug("gRPC: {}", line->message); }

void LogProtobuf(google::protobuf::LogLevel, const char*, int, const std::string& message) {
  spdlog::debug("protobuf: {}", message);
}

}  // namespace

void SetUpLog(LogFormat format, std::string_view level) {
  log_json = format == LogFormat::kJson;
  const auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  spdlog::drop_all();
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("", sink));
  access_log = std::make_shared<spdlog::logger>(kAccess, sink);
  spdlog::register_logger(access_log);
  if (log_json) {
    spdlog::set_formatter(std::make_unique<JsonFormatter>());
  } else {
    spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  }
  spdlog::set_level(spdlog::level::from_str(std::string(level)));
  gpr_set_log_function(LogGrpc);
  google::protobuf::SetLogHandler(LogProtobuf);
}

bool LogsAccess() { return access_log != nullptr && access_log->should_log(spdlog::level::info); }

void LogAccess(const AccessLine& line) {
  if (access_log == nullptr) return;
  std::string text = log_json ? fmt::format(R"("method":"{}","code":"{}","ms":{:.3f},"peer":{})", line.method,
                                            line.code, line.milliseconds, Quoted(line.peer))
                              : fmt::format("call method={} code={} ms={:.3f} peer={}", line.method, line.code,
                                            line.milliseconds, line.peer);
  const std::string_view member = log_json ? R"(,"{}":{})" : " {}={}";
  if (!line.reference.empty()) text += fmt::format(fmt::runtime(member), "reference", Quoted(line.reference));
  if (!line.error.empty()) text += fmt::format(fmt::runtime(member), "error", Quoted(line.error));
  access_log->info("{}", text);
}

}  // namespace tasker::server
