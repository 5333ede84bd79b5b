#pragma once

#include <string>
#include <string_view>

#include "lib/diff/assessment.h"

namespace tasker::diff {

/// What stands around the changes.
struct RenderOptions {
  std::string old_label = "old";  ///< "payments/charge:1.0.0", a file name, an environment
  std::string new_label = "new";
  /// The version that the bump is counted from; the closing line then names the lowest version to use. None: no version
  /// is wanted, as between two environments.
  std::optional<tmpl::Version> old_version;
  std::optional<tmpl::Version> new_version;  ///< where it is settled: whether it is high enough
  bool color = false;                        ///< RenderText: ANSI colours
  size_t max_changes = 1000;                 ///< further ones are counted only
};

/// As a diff tool prints it: a line for each change, old and new value below it with their lines, reasons, and a
/// closing line with the version to use. Values are shortened. Ends with a line end.
std::string RenderText(const Assessment& assessment, const RenderOptions& options);

/// For a comment on a pull request: a heading, a table of at most 100 changes, counterexamples below it. Nothing from
/// the templates can leave its cell or be read as markup.
std::string RenderMarkdown(const Assessment& assessment, const RenderOptions& options);

/// A code span of Markdown that `text` cannot leave, also within a table.
std::string MarkdownCode(std::string_view text);

/// Everything, nothing shortened: {"old", "new", "bump", "next_version" and "is_bump_enough" where known, "changes":
/// [{"kind", "class", "bump", "breaks", "place", and where there is such a thing "old_path", "new_path", "old_value",
/// "new_value", "old_line", "new_line", "reason", "counterexample"}], "omitted" where max_changes cut the list}.
Json RenderJson(const Assessment& assessment, const RenderOptions& options);

}  // namespace tasker::diff
