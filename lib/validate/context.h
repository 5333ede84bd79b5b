#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lib/base/issue.h"
#include "lib/template/document.h"
#include "lib/template/model.h"
#include "lib/template/step_graph.h"

namespace tasker::validate {

/// What a rule sees and reports through. Rules name fields by JSON pointer; the context finds their places in the
/// text. Not safe for concurrent use; refers to everything it was made from.
class Context {
 public:
  Context(const tmpl::TaskTemplate& tmpl, const tmpl::Document& document, base::IssueList& issues)
      : tmpl_(tmpl), graph_(tmpl), document_(document), issues_(issues) {}

  const tmpl::TaskTemplate& tmpl() const { return tmpl_; }
  const tmpl::StepGraph& graph() const { return graph_; }

  /// Where the caret goes: under the field's value, or under its key.
  enum class At { kValue, kKey };

  void Error(std::string_view code, std::string path, std::string message, std::string hint = "", At at = At::kValue) {
    Report(base::Severity::kError, code, std::move(path), std::move(message), std::move(hint), at);
  }
  void Warning(std::string_view code, std::string path, std::string message, std::string hint = "",
               At at = At::kValue) {
    Report(base::Severity::kWarning, code, std::move(path), std::move(message), std::move(hint), at);
  }

  /// Whether the author wrote the field at `path`, rather than leaving it to its default. An alias key (`depends_on`)
  /// counts as the field.
  bool IsWritten(std::string_view path) { return Find(path).node.has_value(); }
  /// What the author wrote at `path`.
  std::optional<tmpl::Node> Written(std::string_view path) { return Find(path).node; }

  /// "line 30" for what is written at `path`; the pointer itself where no line is known.
  std::string PlaceText(const std::string& path);

  /// The candidate nearest to `word`, or "". Gives up once the whole check has spent its budget, so that thousands of
  /// misspelt names do not make the time quadratic.
  std::string_view Nearest(std::string_view word, std::span<const std::string_view> candidates);
  /// "did you mean 'X'?" for the nearest step, or "".
  std::string DidYouMeanStep(std::string_view word);

 private:
  struct Place {
    std::optional<tmpl::Node> node;  // nullopt: nothing is written there, and the rest is the nearest thing above
    std::string path;                // the pointer with the keys as written
    base::Position key;
    base::Position value;
  };

  void Report(base::Severity severity, std::string_view code, std::string path, std::string message, std::string hint,
              At at);
  Place Find(std::string_view path);
  std::optional<size_t> FindMember(tmpl::Node map, std::string_view map_path, std::string_view key);

  const tmpl::TaskTemplate& tmpl_;
  const tmpl::StepGraph graph_;
  const tmpl::Document& document_;
  base::IssueList& issues_;
  size_t nearest_work_ = 0;
  std::vector<std::string_view> step_names_;
  std::unordered_map<std::string, std::unordered_map<std::string_view, size_t>> big_maps_;  // by the map's pointer
};

}  // namespace tasker::validate
