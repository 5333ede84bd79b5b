#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/legacy/block.h"
#include "lib/legacy/retry.h"

/// Private to lib/legacy.
namespace tasker::legacy {

/// One converted step, and what its overrides need to know of it.
struct Step {
  std::string name;
  Position position;
  JsonObject json;
  Retry retry;
};

/// What steps need of the task and add to it.
struct TaskParts {
  std::optional<std::string> default_system;  ///< `default_dependent_system`: of each step without its own
  size_t defaulted_steps = 0;                 ///< how many steps got it
  std::vector<std::string> systems;           ///< of `dependent_system`, in the order of the text
  JsonArray events;                           ///< domain events, each name once
  std::unordered_map<std::string, size_t> event_index;
};

/// Calls `convert(node, name, position)` for each item of a list (name ""), or each member of a map by name. Anything
/// else is set aside.
void EachNamed(Block& block, const Field& field,
               const std::function<void(Node node, const std::string& name, Position position)>& convert);

/// The name under `name`, or `name_from_key` where a map gives it, with what a name cannot hold replaced. "" when there
/// is none.
std::string TakeName(Block& block, std::string_view name_from_key);

/// Takes a handler: its callable from `class_keys`, its configuration from `handler_config`, both into `block_key`,
/// which may be there already. `module` goes in front of a class from `class_keys` that does not begin with it.
/// nullopt when there is no callable; what there is of a configuration is set aside then.
std::optional<JsonObject> TakeHandler(Block& block, std::string_view block_key,
                                      std::initializer_list<std::string_view> class_keys, std::string_view module = "");

/// Takes `timeout_seconds` or the old `timeout` into `out`.
void TakeTimeout(Block& block, JsonObject& out);

/// Takes `custom_events` (or `domain_events`, as `key` says): each as {name, description, schema}.
std::vector<JsonObject> TakeEvents(Block& block, std::string_view key);

/// Adds the event unless one of its name is there; false when that one says something else.
bool AddEvent(const JsonObject& event, TaskParts& parts);

/// One item of `step_templates` or `steps`. nullopt, with an error, when it has no name or no handler.
std::optional<Step> ConvertStep(Context& context, Node node, const std::string& name_from_key, Position position,
                                TaskParts& parts);

}  // namespace tasker::legacy
