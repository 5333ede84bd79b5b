#include <pqxx/result>
#include <pqxx/row>

#include "lib/store/connection_pool.h"
#include "lib/store/rows.h"
#include "lib/store/session.h"
#include "lib/store/store.h"

namespace tasker::store {
namespace {

// The words of migrations/0005_lifecycle.sql.
LifecycleOutcome OutcomeOf(std::string_view word) {
  if (word == "UNCHANGED") return LifecycleOutcome::kUnchanged;
  if (word == "NO_VERSION") return LifecycleOutcome::kNoVersion;
  if (word == "NO_CHANNEL") return LifecycleOutcome::kNoChannel;
  if (word == "CHANNEL_MOVED") return LifecycleOutcome::kChannelMoved;
  if (word == "YANKED" || word == "VERSION_YANKED") return LifecycleOutcome::kYanked;
  if (word == "NOT_YANKED") return LifecycleOutcome::kNotYanked;
  if (word == "CHANNELS") return LifecycleOutcome::kChannels;
  return LifecycleOutcome::kChanged;
}

// Every statement here gives one row that begins with outcome and revision; `read` takes the rest.
template <typename Read>
absl::StatusOr<LifecycleResult> Change(ConnectionPool& pool, CallKind kind, const Statement& statement,
                                       const std::vector<std::string>& parameters, absl::Time deadline, Read read) {
  LifecycleResult result;
  const absl::Status status = pool.Run(statement.name, kind, deadline, [&](Session& session) {
    const pqxx::result rows = session.Query(statement, parameters);
    const pqxx::row row = rows[0];
    result = {};
    result.outcome = OutcomeOf(row[0].as<std::string>());
    result.revision = row[1].as<int64_t>(0);
    read(row, result);
  });
  if (!status.ok()) return status;
  return result;
}

// A version's number and digest as the functions want them: one of the two.
std::pair<std::string, std::string> KeyOf(const tmpl::Reference& reference) {
  if (reference.kind == tmpl::SelectorKind::kDigest) return {"", reference.selector};
  return {reference.version.ToString(), ""};
}

std::vector<std::string> Channels(const pqxx::field& field) {
  return field.is_null() ? std::vector<std::string>() : ReadStrings(field);
}

}  // namespace

absl::StatusOr<LifecycleResult> Store::SetChannel(std::string_view namespace_name, std::string_view name,
                                                  std::string_view channel, tmpl::Version version,
                                                  const std::optional<std::string>& expected, const Author& author,
                                                  absl::Time deadline) {
  static const Statement kStatement = {"set_channel",
                                       "SELECT outcome, revision, old_version, message FROM tasker.set_channel($1, $2, "
                                       "$3, $4, $5::boolean, $6, $7, $8)"};
  auto result = Change(*pool_, expected ? CallKind::kWrite : CallKind::kIdempotentWrite, kStatement,
                       {std::string(namespace_name), std::string(name), std::string(channel), version.ToString(),
                        expected ? "true" : "false", expected.value_or(""), author.actor, author.peer},
                       deadline, [](const pqxx::row& row, LifecycleResult& out) {
                         out.old_version = row[2].as<std::string>();
                         out.message = row[3].as<std::string>();
                       });
  if (result.ok()) result->version = version.ToString();
  return result;
}

absl::StatusOr<LifecycleResult> Store::DeleteChannel(std::string_view namespace_name, std::string_view name,
                                                     std::string_view channel,
                                                     const std::optional<std::string>& expected, const Author& author,
                                                     absl::Time deadline) {
  static const Statement kStatement = {
      "delete_channel",
      "SELECT outcome, revision, old_version FROM tasker.delete_channel($1, $2, $3, $4::boolean, $5, $6, $7)"};
  return Change(*pool_, CallKind::kWrite, kStatement,
                {std::string(namespace_name), std::string(name), std::string(channel), expected ? "true" : "false",
                 expected.value_or(""), author.actor, author.peer},
                deadline,
                [](const pqxx::row& row, LifecycleResult& out) { out.old_version = row[2].as<std::string>(); });
}

absl::StatusOr<LifecycleResult> Store::SetState(const tmpl::Reference& reference, VersionState state,
                                                std::string_view message, std::string_view replacement,
                                                const Author& author, absl::Time deadline) {
  static const Statement kStatement = {
      "set_state",
      "SELECT outcome, revision, version, to_json(channels)::text FROM tasker.set_state($1, $2, $3, $4, $5, $6, $7, "
      "$8, $9)"};
  const auto [version, digest] = KeyOf(reference);
  return Change(*pool_, CallKind::kIdempotentWrite, kStatement,
                {reference.namespace_name, reference.name, version, digest, std::string(StateWord(state)),
                 std::string(message), std::string(replacement), author.actor, author.peer},
                deadline, [](const pqxx::row& row, LifecycleResult& out) {
                  out.version = row[2].as<std::string>("");
                  out.channels = Channels(row[3]);
                });
}

absl::StatusOr<LifecycleResult> Store::Purge(const tmpl::Reference& reference, std::string_view message,
                                             const Author& author, absl::Time deadline) {
  static const Statement kStatement = {
      "purge_version",
      "SELECT outcome, revision, version, digest, to_json(channels)::text FROM tasker.purge_version($1, $2, $3, $4, "
      "$5, $6, $7)"};
  const auto [version, digest] = KeyOf(reference);
  return Change(
      *pool_, CallKind::kWrite, kStatement,
      {reference.namespace_name, reference.name, version, digest, std::string(message), author.actor, author.peer},
      deadline, [](const pqxx::row& row, LifecycleResult& out) {
        out.version = row[2].as<std::string>("");
        out.digest = row[3].as<std::string>("");
        out.channels = Channels(row[4]);
      });
}

absl::StatusOr<LifecycleResult> Store::SetVersionPolicy(std::string_view namespace_name, VersionPolicy policy,
                                                        const Author& author, absl::Time deadline) {
  static const Statement kStatement = {
      "set_version_policy", "SELECT outcome, revision, old_policy FROM tasker.set_version_policy($1, $2, $3, $4)"};
  return Change(
      *pool_, CallKind::kIdempotentWrite, kStatement,
      {std::string(namespace_name), std::string(PolicyWord(policy)), author.actor, author.peer}, deadline,
      [](const pqxx::row& row, LifecycleResult& out) { out.old_policy = PolicyOf(row[2].as<std::string>()); });
}

}  // namespace tasker::store
