#include "lib/legacy/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "lib/base/json.h"
#include "lib/legacy/comments.h"
#include "lib/legacy/context.h"
#include "lib/legacy/detect.h"
#include "lib/legacy/layout.h"
#include "lib/legacy/task.h"
#include "lib/template/load.h"
#include "lib/template/yaml_reader.h"

namespace tasker::legacy {
namespace {

constexpr size_t kMaxLinesNamed = 20;  // in the note about comments

// Where the first `<% … %>` begins; npos: nowhere.
size_t FindErb(std::string_view text) {
  const size_t open = text.find("<%");
  return open != std::string_view::npos && text.find("%>", open) != std::string_view::npos ? open
                                                                                           : std::string_view::npos;
}

Position PositionOf(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return {static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
          static_cast<int>(offset - line_start) + 1};
}

void AddErbError(std::string_view text, size_t erb, base::IssueList& issues) {
  issues.AddError("LEGACY_ERB", "", PositionOf(text, erb),
                  "this is an ERB template: what stands between <% and %> is filled in by Ruby",
                  "render it first, then convert what comes out");
}

void NoteLostComments(const std::vector<int>& lines, Context& context) {
  if (lines.empty()) return;
  std::string list;
  for (size_t i = 0; i < std::min(lines.size(), kMaxLinesNamed); ++i) {
    list += fmt::format("{}{}", i == 0 ? "" : ", ", lines[i]);
  }
  if (lines.size() > kMaxLinesNamed) list += fmt::format(" and {} more", lines.size() - kMaxLinesNamed);
  context.Loss({lines[0], 1}, fmt::format("comments below the head of the file are not kept: line{} {}",
                                          lines.size() == 1 ? "" : "s", list));
}

// An issue of the converted text, at the step of the old text that it came from.
Position OldPosition(const base::Issue& issue, const std::vector<Position>& steps) {
  constexpr std::string_view kSteps = "/steps/";
  if (!issue.path.starts_with(kSteps)) return {};
  size_t index = 0;
  const char* const begin = issue.path.data() + kSteps.size();
  std::from_chars(begin, issue.path.data() + issue.path.size(), index);
  return index < steps.size() ? steps[index] : Position{};
}

// The promise that a converted text loads is kept by loading it.
bool Loads(const std::string& yaml, const std::vector<Position>& steps, base::IssueList& issues) {
  base::IssueList found;
  tmpl::LoadTemplate(yaml, {}, found);
  for (base::Issue issue : found.Sorted()) {
    if (issue.severity != base::Severity::kError) continue;
    issue.position = OldPosition(issue, steps);
    issue.message = fmt::format("once converted, {}", issue.message);
    issues.Add(std::move(issue));
  }
  return !found.has_errors();
}

}  // namespace

std::optional<Conversion> Convert(std::string_view old_text, const ConvertOptions& options, base::IssueList& issues) {
  const size_t erb = FindErb(old_text);
  base::IssueList read_issues;
  const std::optional<tmpl::Document> document = tmpl::ReadYaml(old_text, {}, read_issues);
  const Format format = document ? DetectFormat(document->root()) : Format::kOther;
  if (format == Format::kNew) return Conversion{true, std::string(old_text), {}};
  if (erb != std::string_view::npos) {
    AddErbError(old_text, erb, issues);
    return std::nullopt;
  }
  if (!document) {
    for (base::Issue& issue : read_issues.Sorted()) issues.Add(std::move(issue));
    return std::nullopt;
  }
  if (format == Format::kOther) {
    issues.AddError("LEGACY_NO_TEMPLATE", "", document->root().position(),
                    "this is no task template: it is no map with 'step_templates' (the old format) or 'steps'");
    return std::nullopt;
  }
  base::IssueList found;
  Context context(found);
  const ConvertedTask task = ConvertTask(context, document->root(), options.namespace_name);
  for (base::Issue& issue : found.Sorted()) issues.Add(std::move(issue));
  if (found.has_errors()) return std::nullopt;
  const Comments comments = FindComments(old_text);
  NoteLostComments(comments.others, context);
  std::string yaml = comments.head + LayOut(task.json);
  if (!Loads(yaml, task.steps, issues)) return std::nullopt;
  return Conversion{false, std::move(yaml), context.TakeNotes()};
}

std::string_view NoteKindName(NoteKind kind) {
  switch (kind) {
    case NoteKind::kChange:
      return "change";
    case NoteKind::kNotice:
      return "notice";
    case NoteKind::kLoss:
      return "loss";
  }
  return "";
}

std::string NotesText(std::span<const Note> notes, std::string_view file) {
  std::string text;
  for (const Note& note : notes) {
    const std::string place = note.line > 0 ? fmt::format("{}:{}", file, note.line) : std::string(file);
    text += fmt::format("{}: {}: {}\n", place, NoteKindName(note.kind), note.message);
  }
  return text;
}

}  // namespace tasker::legacy
