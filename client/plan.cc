#include "client/plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <string_view>
#include <utility>

#include "lib/diff/render.h"

namespace tasker::client {
namespace {

constexpr size_t kMaxMarkdownBytes = 60'000;  // GitHub cuts comments at 65,536 characters

diff::RenderOptions Labels(const PlanItem& item) {
  diff::RenderOptions options;
  options.old_label = item.base;
  options.new_label = item.reference;
  options.old_version = item.base_version;
  options.new_version = item.version;
  return options;
}

bool HasChanges(const PlanItem& item) { return !item.comparison.assessment.changes.empty(); }

// Whom the item breaks, each once, the gravest change's first.
std::vector<std::string_view> Broken(const PlanItem& item) {
  std::vector<std::string_view> broken;
  for (const diff::AssessedChange& change : item.comparison.assessment.changes) {
    const std::string_view who = change.info->breaks;
    if (change.info->bump != diff::Bump::kMajor || std::find(broken.begin(), broken.end(), who) != broken.end())
      continue;
    broken.push_back(who);
  }
  return broken;
}

// "2 created, 1 unchanged; breaks callers, workers; 1 version is too low"
std::string Summary(const Plan& plan) {
  std::array<size_t, 3> outcomes{};
  std::set<std::string_view> broken;
  size_t too_low = 0;
  for (const PlanItem& item : plan.items) {
    ++outcomes[static_cast<size_t>(item.outcome)];
    for (const std::string_view who : Broken(item)) broken.insert(who);
    too_low += item.is_too_low() ? 1 : 0;
  }
  std::vector<std::string> counts;
  for (const PlanOutcome outcome : {PlanOutcome::kCreated, PlanOutcome::kUnchanged, PlanOutcome::kConflict}) {
    const size_t count = outcomes[static_cast<size_t>(outcome)];
    if (count > 0) counts.push_back(fmt::format("{} {}", count, PlanOutcomeName(outcome)));
  }
  std::string out = fmt::format("{}", fmt::join(counts, ", "));
  if (!plan.moves.empty()) {
    out += fmt::format(", {} channel{} moved", plan.moves.size(), plan.moves.size() == 1 ? "" : "s");
  }
  if (!broken.empty()) out += fmt::format("; breaks {}", fmt::join(broken, ", "));
  if (too_low > 0) out += fmt::format("; {} version{} too low", too_low, too_low == 1 ? " is" : "s are");
  return out;
}

std::string MoveText(const ChannelMove& move) {
  return fmt::format("{} {}: {} -> {}", move.reference, move.channel,
                     move.old_version.empty() ? "(new)" : move.old_version, move.new_version);
}

std::string VersionCell(const PlanItem& item) {
  if (item.base.empty() || item.outcome == PlanOutcome::kUnchanged) return "";
  if (!item.is_too_low()) return "high enough";
  const auto& next = item.comparison.next_version;
  return next ? fmt::format("**too low: {} or higher**", next->ToString()) : "**too low**";
}

}  // namespace

std::string_view PlanOutcomeName(PlanOutcome outcome) {
  switch (outcome) {
    case PlanOutcome::kCreated:
      return "created";
    case PlanOutcome::kUnchanged:
      return "unchanged";
    case PlanOutcome::kConflict:
      return "conflict";
  }
  return "";
}

std::string RenderPlanText(const Plan& plan, bool color) {
  std::string out;
  for (const PlanItem& item : plan.items) {
    out += fmt::format("{} {} ({})", PlanOutcomeName(item.outcome), item.reference, item.file);
    if (item.outcome == PlanOutcome::kCreated && item.base.empty()) out += ": no lower version";
    out += '\n';
    if (item.base.empty() || item.outcome == PlanOutcome::kUnchanged) continue;
    diff::RenderOptions options = Labels(item);
    options.color = color;
    out += diff::RenderText(item.comparison.assessment, options) + "\n";
  }
  for (const ChannelMove& move : plan.moves) out += fmt::format("channel {}\n", MoveText(move));
  out += fmt::format("{}\n", Summary(plan));
  out += plan.refusal.empty() ? "the registry would accept this\n"
                              : fmt::format("the registry would refuse this: {}\n", plan.refusal);
  return out;
}

std::string RenderPlanMarkdown(const Plan& plan) {
  std::string out = fmt::format("## Template plan\n\n**{}.** ", Summary(plan));
  out += plan.refusal.empty() ? "The registry would accept this.\n\n"
                              : fmt::format("The registry would refuse this: {}\n\n", diff::MarkdownCode(plan.refusal));
  out +=
      "| template | file | outcome | compared with | bump | breaks | version |\n"
      "| --- | --- | --- | --- | --- | --- | --- |\n";
  size_t rows = 0;
  for (; rows < plan.items.size() && out.size() < kMaxMarkdownBytes / 2; ++rows) {
    const PlanItem& item = plan.items[rows];
    out += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", diff::MarkdownCode(item.reference),
                       diff::MarkdownCode(item.file), PlanOutcomeName(item.outcome),
                       item.base.empty() ? "" : diff::MarkdownCode(item.base),
                       item.base.empty() ? "" : diff::BumpName(item.comparison.assessment.bump),
                       fmt::join(Broken(item), ", "), VersionCell(item));
  }
  if (rows < plan.items.size()) out += fmt::format("\nand {} more\n", plan.items.size() - rows);
  if (!plan.moves.empty()) out += "\n";
  for (const ChannelMove& move : plan.moves) {
    if (out.size() > kMaxMarkdownBytes * 3 / 4) break;
    out += fmt::format("- channel {}\n", diff::MarkdownCode(MoveText(move)));
  }
  size_t untold = 0;
  for (const PlanItem& item : plan.items) {
    if (item.outcome == PlanOutcome::kUnchanged || !HasChanges(item)) continue;
    const std::string changes = diff::RenderMarkdown(item.comparison.assessment, Labels(item));
    const std::string fold = fmt::format("\n<details><summary>{} → {}</summary>\n\n{}\n</details>\n", item.base,
                                         item.version.ToString(), changes);
    if (out.size() + fold.size() > kMaxMarkdownBytes) {
      ++untold;
      continue;
    }
    out += fold;
  }
  if (untold > 0) out += fmt::format("\nThe changes of {} more have no room here.\n", untold);
  return out;
}

base::Json RenderPlanJson(const Plan& plan) {
  base::JsonArray items;
  for (const PlanItem& item : plan.items) {
    const std::string_view outcome = PlanOutcomeName(item.outcome);
    base::JsonObject object{{"file", item.file},
                            {"reference", item.reference},
                            {"outcome", boost::json::string_view(outcome.data(), outcome.size())},
                            {"base", item.base}};
    base::JsonArray breaks;
    for (const std::string_view who : Broken(item))
      breaks.emplace_back(boost::json::string_view(who.data(), who.size()));
    object["breaks"] = std::move(breaks);
    if (!item.base.empty()) {
      diff::RenderOptions options = Labels(item);
      options.max_changes = std::numeric_limits<size_t>::max();
      base::Json rendered = diff::RenderJson(item.comparison.assessment, options);
      for (auto& [key, value] : rendered.as_object()) {
        if (key != "old" && key != "new") object[key] = std::move(value);
      }
    }
    items.push_back(std::move(object));
  }
  base::JsonArray moves;
  for (const ChannelMove& move : plan.moves) {
    moves.push_back(base::JsonObject{{"reference", move.reference},
                                     {"channel", move.channel},
                                     {"old_version", move.old_version},
                                     {"new_version", move.new_version}});
  }
  base::JsonObject out{{"accepted", plan.refusal.empty()}};
  if (!plan.refusal.empty()) out["refusal"] = plan.refusal;
  out["items"] = std::move(items);
  out["channel_moves"] = std::move(moves);
  return out;
}

}  // namespace tasker::client
