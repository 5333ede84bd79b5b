#include "lib/store/session.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <pqxx/nontransaction>
#include <pqxx/prepared_statement>
#include <pqxx/version>

#include "lib/store/pq_error.h"

namespace tasker::store {
namespace {

// libpqxx 6 opens a lost connection again by itself, without the settings below and without telling.
void NeverReconnectSilently([[maybe_unused]] pqxx::connection& connection) {
#if PQXX_VERSION_MAJOR < 7
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  connection.inhibit_reactivation(true);
#pragma GCC diagnostic pop
#endif
}

pqxx::result ExecutePrepared(pqxx::transaction_base& transaction, const std::string& name,
                             const std::vector<std::string>& parameters) {
#if PQXX_VERSION_MAJOR < 7
  return transaction.exec_prepared(name, pqxx::prepare::make_dynamic_params(parameters));
#else
  pqxx::params params;
  for (const std::string& parameter : parameters) params.append(parameter);
  return transaction.exec_prepared(name, params);
#endif
}

}  // namespace

Session::Session(const std::string& connection_string) : connection_(connection_string) {
  NeverReconnectSilently(connection_);
  pqxx::nontransaction transaction(connection_);
  // The functions need READ COMMITTED. Every statement is written for one plan, by index in the list's order; planning
  // for the values at hand, for tables that are still small, or for the few rows that a planner without statistics
  // expects finds others that read whole tables or sort what was to be read in order. Compiling takes longer than
  // running.
  transaction.exec(
      "SET default_transaction_isolation TO 'read committed'; SET search_path TO pg_catalog; SET TimeZone TO 'UTC'; "
      "SET plan_cache_mode TO force_generic_plan; SET enable_seqscan TO off; SET enable_sort TO off; SET jit TO off; "
      "SET client_min_messages TO warning; SET lock_timeout TO 0; SET statement_timeout TO 0");
}

pqxx::result Session::Query(const Statement& statement, const std::vector<std::string>& parameters) {
  for (const std::string& parameter : parameters) {
    if (parameter.find('\0') != std::string::npos) throw NulInText();
  }
  if (!prepared_.contains(statement.name)) {
    connection_.prepare(statement.name, statement.sql);
    prepared_.insert(statement.name);
  }
  return ExecutePrepared(*transaction_, statement.name, parameters);
}

pqxx::result Session::Execute(const std::string& sql) { return transaction_->exec(sql); }

void Session::LimitStatements(absl::Duration limit) {
  // Up to a power of two, so that deadlines that differ a little share a setting; 0 is PostgreSQL's "without limit".
  const int64_t wanted = std::max<int64_t>(absl::ToInt64Milliseconds(limit), 1);
  const int64_t rounded = wanted < 1 << 30 ? static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(wanted) + 1)) : 0;
  if (rounded == statement_limit_ms_ || (rounded != 0 && 2 * rounded == statement_limit_ms_)) return;
  transaction_->exec(fmt::format("SET statement_timeout TO {}", rounded));
  statement_limit_ms_ = rounded;
}

bool Session::LooksAlive() const {
  // Nobody owes us bytes between two calls: what is there is the end of the stream or PostgreSQL's last words.
  char byte = 0;
  const ssize_t got = recv(connection_.sock(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return connection_.is_open() && got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace tasker::store
