#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/base/issue.h"
#include "lib/base/json.h"
#include "lib/legacy/convert.h"
#include "lib/template/document.h"
#include "lib/template/yaml_reader.h"

/// What every part of a conversion shares: the report, the values set aside, and how old values are read.
/// Private to lib/legacy.
namespace tasker::legacy {

using base::Json;
using base::JsonArray;
using base::JsonObject;
using base::Position;
using tmpl::Node;
using tmpl::NodeKind;

/// Keys from the root, e.g. {"steps", "fetch_cart", "retry"}: where something stood, and so where under
/// `metadata.legacy` it is kept. Steps are called by name there, because a list's index says little.
using Place = std::vector<std::string>;
Place Inside(Place place, std::string key);

/// The name without its colon when `text` is a Ruby symbol (`:name`, `:"two words"`); `::Class` is none.
std::optional<std::string_view> RubySymbol(std::string_view text);

/// A value that the document holds in a plain spelling of its own: `text` is a scalar, unquoted and a Ruby symbol.
bool IsSymbolValue(Node node);

/// `name` with every character that a name cannot hold replaced by '_'.
std::string CleanName(std::string_view name);

/// False, with an error, when the name is longer than names may be. Names are repeated: in paths, in notes.
bool CheckNameLength(class Context& context, std::string_view name, Position position);

Json JsonText(std::string_view text);
void Put(JsonObject& object, std::string_view key, Json value);
/// The member, or nullptr.
const Json* Find(const JsonObject& object, std::string_view key);

class Context {
 public:
  explicit Context(base::IssueList& issues) : issues_(issues) {}

  void Change(Position position, std::string message) { Note(NoteKind::kChange, position, std::move(message)); }
  void Notice(Position position, std::string message) { Note(NoteKind::kNotice, position, std::move(message)); }
  void Loss(Position position, std::string message) { Note(NoteKind::kLoss, position, std::move(message)); }
  void Error(std::string_view code, Position position, std::string message, std::string hint = "") {
    issues_.AddError(code, "", position, std::move(message), std::move(hint));
  }

  bool has_errors() const { return issues_.has_errors(); }

  /// The key without a Ruby symbol's colon. Symbol keys are counted, for one note about all of them.
  std::string PlainKey(std::string_view key, Position position);
  /// A scalar's text; a symbol loses its colon, with a note.
  std::string PlainText(Node scalar);
  /// Any value, exactly, but for Ruby symbols. A number that JSON cannot hold is an error.
  Json PlainJson(Node node);

  /// Puts `value` under `metadata.legacy` at `place`; returns the dotted path. Never replaces what is there.
  std::string SetAside(const Place& place, Json value);
  JsonObject TakeAside() { return std::move(aside_); }

  /// Counts one more copy of `value`; false, with an error once, when all copies together are more than a text may
  /// have. Copies multiply: a map of half the text, merged into every override of the other half.
  bool CountCopy(const Json& value, Position position);

  /// The notes so far in the order of the lines, with the one about symbol keys.
  std::vector<legacy::Note> TakeNotes();

 private:
  void Note(NoteKind kind, Position position, std::string message) {
    notes_.push_back({position.line, kind, std::move(message)});
  }
  void NoteYaml11(Node scalar);

  base::IssueList& issues_;
  std::vector<legacy::Note> notes_;
  JsonObject aside_;
  std::unordered_map<std::string, int> repeats_;  // by path: how often SetAside found it taken
  size_t symbol_keys_ = 0;
  Position first_symbol_key_;
  std::string first_symbol_key_text_;
  size_t copied_bytes_left_ = tmpl::ReadLimits{}.text_bytes;
};

/// The values as the old runtime read them, for keys whose type is known: `yes` and "true" are booleans, 1_000 and "3"
/// are numbers (with a note); nullopt for anything else.
std::optional<bool> BoolOf(Context& context, Node node);
std::optional<uint64_t> WholeOf(Context& context, Node node);
/// A number of at least 0 with its fraction.
std::optional<double> NumberOf(Context& context, Node node);

}  // namespace tasker::legacy
