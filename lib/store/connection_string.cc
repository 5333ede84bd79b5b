#include "lib/store/connection_string.h"

#include <libpq-fe.h>

#include <map>
#include <memory>

namespace tasker::store {

std::string QuoteConnectionValue(const std::string& value) {
  std::string out = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

absl::StatusOr<std::string> CompleteConnectionString(const std::string& database_url) {
  char* error = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed(
      PQconninfoParse(database_url.c_str(), &error), &PQconninfoFree);
  if (error != nullptr) PQfreemem(error);  // it quotes the text, which may hold a password
  if (parsed == nullptr || database_url.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError(
        "the database URL is not one that libpq reads; write postgresql://USER@HOST:5432/DATABASE or "
        "\"host=HOST dbname=DATABASE user=USER\"");
  }
  std::map<std::string, std::string> values = {
      {"application_name", "tasker-registry"},
      {"client_encoding", "UTF8"},
      {"connect_timeout", "5"},
      {"keepalives_idle", "15"},
      {"keepalives_interval", "5"},
      {"keepalives_count", "3"},
      {"tcp_user_timeout", "30000"},
  };
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    values[option->keyword] = option->val;
    const bool several_hosts =
        std::string(option->keyword) == "host" && std::string(option->val).find(',') != std::string::npos;
    if (several_hosts) values.try_emplace("target_session_attrs", "read-write");
  }
  std::string out;
  for (const auto& [key, value] : values) out += (out.empty() ? "" : " ") + key + "=" + QuoteConnectionValue(value);
  return out;
}

}  // namespace tasker::store
