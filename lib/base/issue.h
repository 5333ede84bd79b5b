#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tasker::base {

enum class Severity { kError, kWarning };

/// A place in the author's text. Both numbers count from 1; a column counts bytes. Line 0 means "no place known":
/// the input was not text (a protobuf message), or the issue is about the whole of it.
struct Position {
  int line = 0;
  int column = 0;

  bool known() const { return line > 0; }
  friend bool operator==(const Position&, const Position&) = default;
  friend auto operator<=>(const Position&, const Position&) = default;
};

/// Something wrong (error) or suspicious (warning) in what a user wrote. A machine that failed is an absl::Status,
/// never an Issue.
struct Issue {
  Severity severity = Severity::kError;
  std::string code;     ///< stable, upper snake case, documented in docs/issues.md: "STEP_DEPENDENCY_UNKNOWN"
  std::string path;     ///< JSON pointer of the field in the template: "/steps/2/dependencies/0"; "" is the root
  Position position;    ///< of the word that is wrong
  std::string message;  ///< one sentence, no full stop, lower case
  std::string hint;     ///< what to do instead; may be empty

  friend bool operator==(const Issue&, const Issue&) = default;
};

/// Collects issues. Lists at most `limit` of them and counts the rest, so that hostile text cannot grow an answer
/// without bound; errors are never pushed out by warnings. Not safe for concurrent use.
class IssueList {
 public:
  static constexpr size_t kDefaultLimit = 200;

  explicit IssueList(size_t limit = kDefaultLimit) : limit_(limit) {}

  void Add(Issue issue);
  void AddError(std::string_view code, std::string path, Position position, std::string message, std::string hint = "");
  void AddWarning(std::string_view code, std::string path, Position position, std::string message,
                  std::string hint = "");

  /// The listed issues in the order of the text (by position; those without one first), stable otherwise.
  /// At most `limit`; when there are more, errors are preferred.
  std::vector<Issue> Sorted() const;

  /// Whether one more issue of that severity would be listed, rather than only counted. Where not, its message need not
  /// be made: hostile text has hundreds of thousands of mistakes.
  bool Lists(Severity severity) const { return (severity == Severity::kError ? errors_ : warnings_).size() < limit_; }

  bool has_errors() const { return error_count_ > 0; }
  size_t error_count() const { return error_count_; }      ///< all errors, listed or not
  size_t warning_count() const { return warning_count_; }  ///< all warnings, listed or not
  size_t omitted_count() const;                            ///< how many of both `Sorted` leaves out

 private:
  size_t limit_;
  size_t error_count_ = 0;
  size_t warning_count_ = 0;
  std::vector<Issue> errors_;    // at most limit_
  std::vector<Issue> warnings_;  // at most limit_
};

}  // namespace tasker::base
