#include "lib/store/pq_error.h"

#include <absl/time/clock.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <pqxx/except>
#include <string>

namespace tasker::store {
namespace {

PqError Broken(const char* message = "the database cannot be reached") {
  return {.status = absl::UnavailableError(message), .connection_broken = true};
}

PqError Plain(absl::Status status) { return {.status = std::move(status)}; }

// https://www.postgresql.org/docs/current/errcodes-appendix.html
PqError FromSqlState(const std::string& state) {
  const std::string group = state.substr(0, 2);
  if (state == "40001" || state == "40P01") {
    return {.status = absl::UnavailableError("the database is too busy with other writers"), .may_retry = true};
  }
  if (state == "57014" || state == "55P03") {
    return Plain(absl::DeadlineExceededError("the database did not answer within the deadline"));
  }
  if (group == "57" || group == "08" || state == "53300") return Broken();
  // A standby that used to be the primary: a new connection may find the one that is.
  if (state == "25006") return Broken("the database takes no writes");
  if (group == "53" || group == "54") return Plain(absl::ResourceExhaustedError("the database is out of room"));
  if (group == "22" || state == "23514" || state == "23502") {
    return Plain(
        absl::InvalidArgumentError("a value is not UTF-8 text, not JSON, or does not fit the registry's tables"));
  }
  if (state == "42P01" || state == "42883" || state == "42703" || state == "3F000") {
    return Plain(absl::FailedPreconditionError(
        "the database does not hold this program's tables; run `tasker-registryd migrate up`"));
  }
  if (state == "42501") {
    return Plain(absl::FailedPreconditionError("the database denies this to the registry's role"));
  }
  return Plain(absl::InternalError("the database refused a statement; the log says why"));
}

bool FirstInThisSecond() {
  static std::atomic<int64_t> last = 0;
  const int64_t now = absl::ToUnixSeconds(absl::Now());
  return last.exchange(now) != now;
}

PqError Classify(std::string& text) {
  try {
    throw;
  } catch (const pqxx::sql_error& e) {
    text = e.sqlstate() + " " + e.what();
    // Without a state, the error comes from libpq: the connection is gone.
    return e.sqlstate().empty() ? Broken() : FromSqlState(e.sqlstate());
  } catch (const pqxx::broken_connection& e) {
    text = e.what();
    return Broken();
  } catch (const pqxx::in_doubt_error& e) {
    text = e.what();
    return Broken("the database was lost during a commit; whether it happened is unknown");
  } catch (const pqxx::statement_completion_unknown& e) {
    text = e.what();
    return Broken("the database was lost during a commit; whether it happened is unknown");
  } catch (const pqxx::transaction_rollback& e) {
    text = e.what();
    return FromSqlState("40001");
  } catch (const NulInText& e) {
    text = e.what();
    return Plain(absl::InvalidArgumentError("a text contains a NUL byte"));
  } catch (const std::bad_alloc& e) {
    text = e.what();
    return Plain(absl::ResourceExhaustedError("out of memory"));
  } catch (const std::exception& e) {  // usage_error, conversion_error and others are not pqxx::failure
    text = e.what();
    return {.status = absl::InternalError("a database call failed; the log says why"), .connection_broken = true};
  }
}

}  // namespace

PqError ErrorFromCurrentException(std::string_view what) {
  std::string text;
  PqError error = Classify(text);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  const bool expected = error.may_retry || absl::IsInvalidArgument(error.status);
  // While the database is away, every call fails: one line a second says so.
  const bool repeated = error.connection_broken && !FirstInThisSecond();
  spdlog::log(expected || repeated ? spdlog::level::debug : spdlog::level::warn, "database: {}: {}", what, text);
  return error;
}

}  // namespace tasker::store
