#include "lib/diff/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lib/base/utf8.h"
#include "lib/diff/located_diff.h"
#include "lib/diff/locator.h"
#include "lib/template/canonical.h"

namespace tasker::diff {
namespace {

std::vector<Change> WithoutPlaces(std::vector<LocatedChange> located) {
  std::vector<Change> changes;
  changes.reserve(located.size());
  for (LocatedChange& change : located) changes.push_back(std::move(change.change));
  return changes;
}

}  // namespace

std::vector<LocatedChange> LocatedDiff(const Json& old_template, const Json& new_template, const DiffOptions& options) {
  std::vector<LocatedChange> located = Walk(options.detail_limit).Run(old_template, new_template);
  if (options.old_document != nullptr) {
    Locator locator(*options.old_document);
    for (auto& [change, place] : located) {
      if (change.old_value) change.old_position = locator.Find(change.old_path);
    }
  }
  if (options.new_document != nullptr) {
    Locator locator(*options.new_document);
    for (auto& [change, place] : located) {
      if (change.new_value) change.new_position = locator.Find(change.new_path);
    }
  }
  return located;
}

Json ResolvedJson(const tmpl::ResolvedTaskTemplate& resolved) {
  Json json = tmpl::ToJson(resolved.tmpl);
  json.get_object().erase("environments");
  return json;
}

std::string_view ChangeKindName(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kAdded:
      return "added";
    case ChangeKind::kRemoved:
      return "removed";
    case ChangeKind::kChanged:
      return "changed";
    case ChangeKind::kRenamed:
      return "renamed";
    case ChangeKind::kMoved:
      return "moved";
  }
  return "";
}

std::vector<Change> Diff(const tmpl::TaskTemplate& old_template, const tmpl::TaskTemplate& new_template,
                         const DiffOptions& options) {
  return WithoutPlaces(LocatedDiff(tmpl::ToJson(old_template), tmpl::ToJson(new_template), options));
}

std::vector<Change> DiffResolved(const tmpl::ResolvedTaskTemplate& old_template,
                                 const tmpl::ResolvedTaskTemplate& new_template, const DiffOptions& options) {
  return WithoutPlaces(LocatedDiff(ResolvedJson(old_template), ResolvedJson(new_template), options));
}

std::string ShortValue(const std::optional<Json>& value, size_t bytes) {
  return value ? base::Shortened(base::CanonicalJson(*value), bytes) : "(none)";
}

std::string ChangeLine(const Change& change) {
  const std::string& path = change.new_value ? change.new_path : change.old_path;
  const std::string head = fmt::format("{} ({})", base::Shortened(change.place, 120), base::Shortened(path, 120));
  switch (change.kind) {
    case ChangeKind::kAdded:
      return fmt::format("{}: added {}", head, ShortValue(change.new_value));
    case ChangeKind::kRemoved:
      return fmt::format("{}: removed {}", head, ShortValue(change.old_value));
    case ChangeKind::kMoved:
      return fmt::format("{}: moved from {}", head, base::Shortened(change.old_path, 120));
    case ChangeKind::kChanged:
    case ChangeKind::kRenamed:
      break;
  }
  return fmt::format("{}: {} -> {}", head, ShortValue(change.old_value), ShortValue(change.new_value));
}

std::vector<std::string> DifferenceLines(const tmpl::TaskTemplate& stored, const tmpl::TaskTemplate& sent,
                                         size_t max_lines) {
  const std::vector<Change> changes = Diff(stored, sent);
  std::vector<std::string> lines;
  for (size_t i = 0; i < std::min(max_lines, changes.size()); ++i) lines.push_back(ChangeLine(changes[i]));
  if (changes.size() > max_lines) lines.push_back(fmt::format("and {} more", changes.size() - max_lines));
  return lines;
}

}  // namespace tasker::diff
