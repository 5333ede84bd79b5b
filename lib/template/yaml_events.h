#pragma once

#include <yaml.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "lib/base/issue.h"

/// libyaml's event stream with positions in bytes. libyaml, because the specification's Rust reader (serde_yaml) is a
/// port of it, so that workers and registry agree on what is YAML; and because it looks at most 1,024 characters ahead,
/// where yaml-cpp 0.7 holds the tokens of a whole [...] in memory (4 MiB of JSON take 540 MiB). Private to
/// lib/template.
namespace tasker::tmpl {

struct YamlEvent {
  enum class Kind { kDocumentStart, kAlias, kScalar, kListStart, kMapStart, kEnd /* of a list or map */, kOther };

  Kind kind = Kind::kOther;
  base::Position position;
  std::string_view text;  ///< a scalar's value
  bool plain = false;     ///< a scalar without quotes and without tag
  std::string_view tag;   ///< "" when none is written
  std::string_view anchor;
};

class YamlEvents {
 public:
  /// `text` must be valid UTF-8 without NUL, and outlive this.
  explicit YamlEvents(std::string_view text);
  ~YamlEvents();
  YamlEvents(const YamlEvents&) = delete;
  YamlEvents& operator=(const YamlEvents&) = delete;

  /// The next event; nullopt at the end of the text or at its first mistake. What it points at lives until the next
  /// call.
  std::optional<YamlEvent> Next();

  /// After Next gave nullopt because of a mistake: what is wrong, and where.
  struct Problem {
    base::Position position;
    std::string message;
  };
  std::optional<Problem> problem() const { return problem_; }

 private:
  base::Position ToPosition(const yaml_mark_t& mark);
  void NoteProblem();

  std::string_view text_;
  bool ascii_;
  size_t skipped_;  // bytes of a byte order mark
  yaml_parser_t parser_;
  yaml_event_t event_;
  bool holds_event_ = false;
  std::optional<Problem> problem_;

  // How far the marks have been followed: libyaml counts characters, and takes more than LF and CR for line ends.
  struct Cursor {
    size_t characters = 0;
    size_t bytes = 0;
    int line = 1;
    size_t line_start = 0;  // in bytes
  };
  Cursor cursor_;
};

}  // namespace tasker::tmpl
