#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/issue.h"

/// The template format that came before the specification's → this one (docs/migration.md has the table).
namespace tasker::legacy {

enum class NoteKind {
  kChange,  ///< a key or value has moved or is spelled otherwise; the meaning is the same
  kNotice,  ///< somebody should look: a default was filled in, something has no place and was set aside
  kLoss,    ///< it is not in the converted text
};

/// One line of the report.
struct Note {
  int line = 0;  ///< of the old text, from 1; 0: the whole of it
  NoteKind kind = NoteKind::kChange;
  std::string message;

  friend bool operator==(const Note&, const Note&) = default;
};

struct ConvertOptions {
  std::string namespace_name;  ///< for a file that names none; empty: such a file is an error
};

struct Conversion {
  bool already_new = false;  ///< nothing of the old format was found: `yaml` is the text as it was, `notes` is empty
  std::string yaml;
  std::vector<Note> notes;  ///< in the order of the lines
};

/// Old text → new text and what was done. The new text has the key order of the specification's example in block style
/// under the comments of the old one's head, loads without errors, and converting it again changes nothing. What the
/// new format has no place for stands in it under `metadata.legacy`; every scalar of the old text is in the new text or
/// in a note.
///
/// nullopt after adding at least one error to `issues`, with positions in `old_text`: it is no YAML (as ReadYaml says),
/// an ERB template, or no template of either format; it lacks what cannot be made up (a name, a namespace, steps, a
/// step's handler); or the result would not load. Rules beyond the shape (cycles, ranges) are for lib/validate.
/// Pure; any thread. Linear in the sizes of both texts, which are at most what ReadLimits allows.
std::optional<Conversion> Convert(std::string_view old_text, const ConvertOptions& options, base::IssueList& issues);

/// "change", "notice" or "loss".
std::string_view NoteKindName(NoteKind kind);

/// The report as a compiler prints it, a line per note: "payments.yaml:12: notice: 'skippable' (true) is gone …".
std::string NotesText(std::span<const Note> notes, std::string_view file);

}  // namespace tasker::legacy
