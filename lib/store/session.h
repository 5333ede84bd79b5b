#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <pqxx/connection>
#include <pqxx/result>
#include <pqxx/transaction_base>
#include <string>
#include <unordered_set>
#include <vector>

namespace tasker::store {

/// SQL that a connection prepares when it first needs it.
struct Statement {
  std::string name;  ///< unique among all statements of the program
  std::string sql;
};

/// One connection to PostgreSQL, used by one thread at a time. Everything here throws libpqxx's exceptions: it is for
/// use inside ConnectionPool::Run only, which maps them.
class Session {
 public:
  explicit Session(const std::string& connection_string);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// All parameters go as text; none is null. Throws NulInText for a parameter with a NUL byte.
  pqxx::result Query(const Statement& statement, const std::vector<std::string>& parameters);
  /// Plain SQL, also several statements at once, as the migrations are.
  pqxx::result Execute(const std::string& sql);

  /// Makes PostgreSQL end a statement that runs longer than `limit`, or up to four times that: the setting costs a
  /// round trip, so one that is near enough is kept.
  void LimitStatements(absl::Duration limit);

  /// False when the connection was closed by the other side, as far as this side can know without asking.
  bool LooksAlive() const;

  /// The transaction that Query and Execute use; the pool sets it around each call.
  void set_transaction(pqxx::transaction_base* transaction) { transaction_ = transaction; }
  pqxx::connection& connection() { return connection_; }

 private:
  pqxx::connection connection_;
  pqxx::transaction_base* transaction_ = nullptr;
  std::unordered_set<std::string> prepared_;
  int64_t statement_limit_ms_ = 0;  // 0: none
};

}  // namespace tasker::store
