#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lib/base/json.h"
#include "lib/diff/compare.h"

/// What registering a set of templates would change, and its forms for people and programs. All of these are pure.
namespace tasker::client {

enum class PlanOutcome { kCreated, kUnchanged, kConflict };

/// "created", "unchanged", "conflict".
std::string_view PlanOutcomeName(PlanOutcome outcome);

/// Of one file.
struct PlanItem {
  std::string file;       ///< as people call it
  std::string reference;  ///< exact
  tmpl::Version version;
  PlanOutcome outcome = PlanOutcome::kCreated;
  /// What it was held against: of a conflict, what is registered under its version; else the highest lower version, in
  /// the registry or among the files. Exact; "" where there is none.
  std::string base;
  tmpl::Version base_version;
  diff::SideComparison comparison;  ///< empty where there is no base

  /// Whether its version is too low for what changed, or taken.
  bool is_too_low() const { return !base.empty() && !comparison.is_bump_enough; }
};

struct ChannelMove {
  std::string reference;  ///< NAMESPACE/NAME
  std::string channel;
  std::string old_version;  ///< "": the channel is new
  std::string new_version;
};

struct Plan {
  std::vector<PlanItem> items;
  std::vector<ChannelMove> moves;  ///< only where something moves
  std::string refusal;             ///< why the registry would refuse all of it; "": it would accept it
};

/// Each template with its changes as diff::RenderText shows them, then the moves, then one line for all.
std::string RenderPlanText(const Plan& plan, bool color);

/// For a comment on a pull request: a table of all, the changes of each folded below it, at most about 60,000 bytes.
std::string RenderPlanMarkdown(const Plan& plan);

/// {"accepted", "refusal" where refused, "items": [{"file", "reference", "outcome", "base", "breaks": [...]}, and where
/// there is a base what diff::RenderJson gives], "channel_moves": [{"reference", "channel", "old_version",
/// "new_version"}]}.
base::Json RenderPlanJson(const Plan& plan);

}  // namespace tasker::client
