#include "lib/diff/render.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "lib/base/utf8.h"

namespace tasker::diff {
namespace {

constexpr size_t kValueBytes = 160;
constexpr size_t kPlaceBytes = 160;
constexpr size_t kReasonBytes = 400;
constexpr size_t kMaxMarkdownRows = 100;  // GitHub cuts comments at 65,536 characters

struct Sign {
  char sign;
  std::string_view color;
};

Sign SignOf(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kAdded:
      return {'+', "\x1b[32m"};
    case ChangeKind::kRemoved:
      return {'-', "\x1b[31m"};
    case ChangeKind::kMoved:
      return {'>', "\x1b[36m"};
    case ChangeKind::kChanged:
    case ChangeKind::kRenamed:
      break;
  }
  return {'~', "\x1b[33m"};
}

std::string Colored(std::string text, std::string_view color, bool on) {
  return on ? fmt::format("{}{}\x1b[0m", color, text) : text;
}

std::string_view BumpColor(Bump bump) {
  constexpr std::string_view kColors[] = {"\x1b[2m", "\x1b[2m", "\x1b[33m", "\x1b[1;31m"};
  return kColors[static_cast<size_t>(bump)];
}

std::string Line(const base::Position& position) {
  return position.known() ? fmt::format("  (line {})", position.line) : "";
}

std::string Verdict(const AssessedChange& assessed) {
  const ClassInfo& info = *assessed.info;
  if (info.bump != Bump::kMajor) return fmt::format("{} {}", BumpName(info.bump), info.code);
  return fmt::format("{} {}, breaks {}", BumpName(info.bump), info.code, info.breaks);
}

std::string Counts(const Assessment& assessment) {
  std::array<size_t, 4> counts{};
  for (const AssessedChange& change : assessment.changes) ++counts[static_cast<size_t>(change.info->bump)];
  std::string out;
  for (const Bump bump : {Bump::kMajor, Bump::kMinor, Bump::kPatch}) {
    const size_t count = counts[static_cast<size_t>(bump)];
    if (count > 0) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, BumpName(bump));
  }
  const size_t all = assessment.changes.size();
  return fmt::format("{} change{}{}{}", all, all == 1 ? "" : "s", out.empty() ? "" : ": ", out);
}

// "; needs a major version: 2.0.0 or higher; 1.5.0 is too low"
std::string Advice(const Assessment& assessment, const RenderOptions& options) {
  if (!options.old_version) return "";
  if (assessment.bump == Bump::kNone) return "; no new version is needed";
  const std::string wanted = fmt::format("; needs a {} version", BumpName(assessment.bump));
  const auto next = NextVersion(*options.old_version, assessment.bump);
  if (!next) return wanted + ", but there is no higher one";
  std::string out = fmt::format("{}: {} or higher", wanted, next->ToString());
  if (!options.new_version) return out;
  return out + fmt::format("; {} is {}", options.new_version->ToString(),
                           *options.new_version >= *next ? "high enough" : "too low");
}

std::span<const AssessedChange> Shown(const Assessment& assessment, size_t most) {
  return std::span(assessment.changes).first(std::min(most, assessment.changes.size()));
}

// Prose in a table cell.
std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const unsigned char byte = static_cast<unsigned char>(c);
    if (std::string_view("\\`*_{}[]<>()#+!|~&@").find(c) != std::string_view::npos) out += '\\';
    out += byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
  return out;
}

void AppendText(const AssessedChange& assessed, bool color, std::string& out) {
  const Change& change = assessed.change;
  const Sign sign = SignOf(change.kind);
  out += fmt::format("{} {}  {}\n", Colored(std::string(1, sign.sign), sign.color, color),
                     base::Shortened(change.place, kPlaceBytes),
                     Colored(Verdict(assessed), BumpColor(assessed.info->bump), color));
  if (change.kind == ChangeKind::kMoved) {
    out += fmt::format("    {} -> {}\n", base::Shortened(change.old_path, kPlaceBytes),
                       base::Shortened(change.new_path, kPlaceBytes));
  } else {
    const auto value = [&](char mark, const std::optional<Json>& json, const base::Position& position) {
      if (!json) return;
      const std::string_view mark_color = mark == '-' ? "\x1b[31m" : "\x1b[32m";
      out += fmt::format("    {}{}\n",
                         Colored(fmt::format("{} {}", mark, ShortValue(json, kValueBytes)), mark_color, color),
                         Line(position));
    };
    value('-', change.old_value, change.old_position);
    value('+', change.new_value, change.new_position);
  }
  if (!assessed.reason.empty()) {
    out += fmt::format("    because {}\n", base::Shortened(assessed.reason, kReasonBytes));
  }
  if (assessed.counterexample) {
    out += fmt::format("    for example {}\n", ShortValue(assessed.counterexample, kValueBytes));
  }
}

std::string ValueCell(const Change& change) {
  if (change.kind == ChangeKind::kMoved) return "moved";
  const auto code = [](const std::optional<Json>& value) { return MarkdownCode(ShortValue(value)); };
  if (!change.old_value) return "added " + code(change.new_value);
  if (!change.new_value) return "removed " + code(change.old_value);
  return fmt::format("{} → {}", code(change.old_value), code(change.new_value));
}

}  // namespace

std::string MarkdownCode(std::string_view text) {
  size_t run = 0, longest = 0;
  std::string escaped;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
    if (c == '|') escaped += '\\';
    const unsigned char byte = static_cast<unsigned char>(c);
    escaped += byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
  const std::string fence(longest + 1, '`');
  const std::string_view pad = longest > 0 || escaped.empty() ? " " : "";
  return fmt::format("{}{}{}{}{}", fence, pad, escaped, pad, fence);
}

std::string RenderText(const Assessment& assessment, const RenderOptions& options) {
  std::string out = fmt::format("{}\n{}\n", Colored("--- " + options.old_label, "\x1b[1m", options.color),
                                Colored("+++ " + options.new_label, "\x1b[1m", options.color));
  if (assessment.changes.empty()) return out + "no changes\n";
  const auto shown = Shown(assessment, options.max_changes);
  for (const AssessedChange& change : shown) AppendText(change, options.color, out);
  if (shown.size() < assessment.changes.size()) {
    out += fmt::format("and {} more\n", assessment.changes.size() - shown.size());
  }
  return out + fmt::format("{}{}\n", Counts(assessment), Advice(assessment, options));
}

std::string RenderMarkdown(const Assessment& assessment, const RenderOptions& options) {
  std::string out = fmt::format("### {} → {}\n\n", MarkdownCode(options.old_label), MarkdownCode(options.new_label));
  if (assessment.changes.empty()) return out + "No changes.\n";
  out += fmt::format("**{}{}.**\n\n", Counts(assessment), Advice(assessment, options));
  out += "| bump | where | change | class | breaks |\n| --- | --- | --- | --- | --- |\n";
  const auto shown = Shown(assessment, std::min(options.max_changes, kMaxMarkdownRows));
  std::string reasons;
  for (const AssessedChange& assessed : shown) {
    const ClassInfo& info = *assessed.info;
    const std::string place = MarkdownCode(base::Shortened(assessed.change.place, kPlaceBytes));
    out += fmt::format("| {} | {} | {} | {} | {} |\n", BumpName(info.bump), place, ValueCell(assessed.change),
                       info.code, info.breaks);
    if (assessed.reason.empty()) continue;
    reasons += fmt::format("- {}: {}", place, Escaped(base::Shortened(assessed.reason, kReasonBytes)));
    if (assessed.counterexample)
      reasons += ", for example " + MarkdownCode(ShortValue(assessed.counterexample, kValueBytes));
    reasons += '\n';
  }
  if (shown.size() < assessment.changes.size()) {
    out += fmt::format("\nand {} more\n", assessment.changes.size() - shown.size());
  }
  return reasons.empty() ? out : out + "\n" + reasons;
}

Json RenderJson(const Assessment& assessment, const RenderOptions& options) {
  const auto text = [](std::string_view view) { return boost::json::string_view(view.data(), view.size()); };
  const auto shown = Shown(assessment, options.max_changes);
  base::JsonArray changes;
  for (const AssessedChange& assessed : shown) {
    const Change& change = assessed.change;
    base::JsonObject object{{"kind", text(ChangeKindName(change.kind))},
                            {"class", text(assessed.info->code)},
                            {"bump", text(BumpName(assessed.info->bump))},
                            {"breaks", text(assessed.info->breaks)},
                            {"place", change.place}};
    if (change.old_value) object["old_path"] = change.old_path, object["old_value"] = *change.old_value;
    if (change.new_value) object["new_path"] = change.new_path, object["new_value"] = *change.new_value;
    if (change.old_position.known()) object["old_line"] = change.old_position.line;
    if (change.new_position.known()) object["new_line"] = change.new_position.line;
    if (!assessed.reason.empty()) object["reason"] = assessed.reason;
    if (assessed.counterexample) object["counterexample"] = *assessed.counterexample;
    changes.push_back(std::move(object));
  }
  base::JsonObject out{
      {"old", options.old_label}, {"new", options.new_label}, {"bump", text(BumpName(assessment.bump))}};
  if (options.old_version) {
    if (const auto next = NextVersion(*options.old_version, assessment.bump)) out["next_version"] = next->ToString();
    if (options.new_version) {
      out["is_bump_enough"] = IsEnough(*options.old_version, *options.new_version, assessment.bump);
    }
  }
  out["changes"] = std::move(changes);
  if (shown.size() < assessment.changes.size()) out["omitted"] = assessment.changes.size() - shown.size();
  return out;
}

}  // namespace tasker::diff
