#include "lib/base/issue.h"

#include <algorithm>
#include <utility>

namespace tasker::base {

void IssueList::Add(Issue issue) {
  const bool is_error = issue.severity == Severity::kError;
  (is_error ? error_count_ : warning_count_) += 1;
  std::vector<Issue>& list = is_error ? errors_ : warnings_;
  if (list.size() < limit_) list.push_back(std::move(issue));
}

void IssueList::AddError(std::string_view code, std::string path, Position position, std::string message,
                         std::string hint) {
  Add({Severity::kError, std::string(code), std::move(path), position, std::move(message), std::move(hint)});
}

void IssueList::AddWarning(std::string_view code, std::string path, Position position, std::string message,
                           std::string hint) {
  Add({Severity::kWarning, std::string(code), std::move(path), position, std::move(message), std::move(hint)});
}

std::vector<Issue> IssueList::Sorted() const {
  std::vector<Issue> all = errors_;
  const size_t room = limit_ - errors_.size();
  all.insert(all.end(), warnings_.begin(),
             warnings_.begin() + static_cast<std::ptrdiff_t>(std::min(room, warnings_.size())));
  std::stable_sort(all.begin(), all.end(), [](const Issue& a, const Issue& b) { return a.position < b.position; });
  return all;
}

size_t IssueList::omitted_count() const {
  const size_t total = error_count_ + warning_count_;
  return total > limit_ ? total - limit_ : 0;
}

}  // namespace tasker::base
