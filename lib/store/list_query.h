#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <pqxx/result>
#include <pqxx/row>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/store/connection_pool.h"
#include "lib/store/page_token.h"
#include "lib/store/session.h"
#include "lib/store/store.h"

/// How the store's lists are read, page by page. For the files that hold their SQL.
namespace tasker::store {

using Parameters = std::vector<std::string>;

/// Collects the parameters of a statement that is put together from parts.
class Sql {
 public:
  /// "$n" of a new parameter.
  std::string Bind(std::string_view value) {
    parameters_.emplace_back(value);
    return fmt::format("${}", parameters_.size());
  }
  std::string Bind(int64_t value) { return Bind(std::to_string(value)) + "::bigint"; }
  /// An array literal of words without quotes, commas or braces.
  std::string BindWords(const std::vector<std::string>& words) {
    return Bind(fmt::format("{{{}}}", fmt::join(words, ","))) + "::text[]";
  }
  const Parameters& parameters() const { return parameters_; }

 private:
  Parameters parameters_;
};

/// A list as it is asked for.
struct ListRequest {
  std::string list;                       ///< its name and its filter: whose tokens it takes
  int size = 0;                           ///< rows of a page
  Parameters after;                       ///< the key of the last row given; empty: this is the first page
  int limit() const { return size + 1; }  ///< rows to ask for: one more says that there is a next page
};

/// INVALID_ARGUMENT for a token that `list` did not give. Its keys are `key_count` texts.
inline absl::StatusOr<ListRequest> ReadPageOptions(std::string list, const PageOptions& page, size_t key_count) {
  ListRequest request{std::move(list), page.size <= 0 ? PageOptions::kDefaultSize : page.size, {}};
  request.size = std::min(request.size, PageOptions::kMaxSize);
  if (page.token.empty()) return request;
  absl::StatusOr<Parameters> after = DecodePageToken(request.list, page.token, key_count);
  if (!after.ok()) return after.status();
  request.after = *std::move(after);
  return request;
}

/// The name of a list with a filter, for ListRequest. Different filters give different names.
inline std::string ListName(std::string_view list, std::initializer_list<std::string_view> filter) {
  std::string name(list);
  for (const std::string_view field : filter) name += fmt::format("\n{}:{}", field.size(), field);
  return name;
}

/// A page ends early when its rows weigh more: what templates say of themselves is theirs, and may be long.
inline constexpr int kPageBytes = 4 << 20;

/// Makes a statement of `rows`, a SELECT in the list's order that asks for ListRequest::limit() rows and whose last
/// column, `weight`, is an integer that says how many bytes the row's long columns take.
inline Statement PageStatement(std::string name, std::string_view rows) {
  // Zero-weight rows beside it are cheap, and the first row is there whatever it weighs.
  return {std::move(name), fmt::format("SELECT p.* FROM (SELECT r.*, count(*) OVER () AS found, "
                                       "sum(r.weight) OVER (ROWS UNBOUNDED PRECEDING) AS weight_so_far, "
                                       "row_number() OVER () AS nth FROM ({}) r) p "
                                       "WHERE p.nth = 1 OR p.weight_so_far <= {}",
                                       rows, kPageBytes)};
}

/// Runs a PageStatement. `read` makes a row's record, `key` gives a record's place in the order; of rows with the same
/// key the first counts.
template <typename Row, typename ReadRow, typename Key>
absl::StatusOr<Page<Row>> LoadPage(ConnectionPool& pool, const ListRequest& request, const Statement& statement,
                                   const Parameters& parameters, absl::Time deadline, ReadRow read, Key key) {
  Page<Row> page;
  const absl::Status status = pool.Run("list", CallKind::kRead, deadline, [&](Session& session) {
    page = {};
    const pqxx::result rows = session.Query(statement, parameters);
    if (rows.empty()) return;
    const int count = std::min(static_cast<int>(rows.size()), request.size);
    Parameters last;
    for (int i = 0; i < count; ++i) {
      Row row = read(rows[i]);
      Parameters place = key(row);
      if (place == last) continue;
      last = std::move(place);
      page.rows.push_back(std::move(row));
    }
    if (rows[0]["found"].template as<int>() > count) page.next_token = EncodePageToken(request.list, last);
  });
  if (!status.ok()) return status;
  return page;
}

/// So many rows that fulfil one condition are read and sorted, rather than going through a list in its order. More than
/// that, and the list has rows of the kind often enough to be gone through.
inline constexpr int kFewRows = 200;

/// Above every text that goes on after a prefix: the last character there is.
inline constexpr std::string_view kAboveTexts = "\xF4\x8F\xBF\xBF";
/// Above every name: names are ASCII below DEL.
inline constexpr std::string_view kAboveNames = "\x7f";
/// The least text above `name` that begins no other name.
inline std::string JustAbove(std::string_view name) { return std::string(name) + '\x01'; }

}  // namespace tasker::store
