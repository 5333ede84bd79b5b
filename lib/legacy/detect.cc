#include "lib/legacy/detect.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "lib/legacy/context.h"
#include "lib/template/keys.h"

namespace tasker::legacy {
namespace {

// Keys that only the old format has in that block, besides tmpl::kLegacyKeys.
constexpr auto kOldTaskKeys = std::to_array<std::string_view>({"namespace", "class_name", "schema"});
constexpr auto kOldStepKeys = std::to_array<std::string_view>({"retryable", "max_retries", "timeout"});
constexpr auto kOldRetryKeys = std::to_array<std::string_view>({"backoff_strategy", "backoff_base_seconds"});

bool Contains(std::span<const std::string_view> keys, std::string_view key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

std::string_view Plain(std::string_view key) { return RubySymbol(key).value_or(key); }

// The value under `key`, also where that is written as a symbol; a null node's stand-in when there is none.
template <typename Visit>
void WithMember(Node map, std::string_view key, const Visit& visit) {
  for (size_t i = 0; map.is_map() && i < map.size(); ++i) {
    if (Plain(map.member(i).key) == key) visit(map.member(i).value);
  }
}

template <typename Visit>
void WithEach(Node node, const Visit& visit) {
  for (size_t i = 0; i < node.size(); ++i) visit(node.is_list() ? node.item(i) : node.member(i).value);
}

// One map whose keys the language fixes; no deeper.
bool BlockIsOld(Node map, std::span<const std::string_view> old_keys) {
  for (size_t i = 0; map.is_map() && i < map.size(); ++i) {
    const Node::Member member = map.member(i);
    if (RubySymbol(member.key) || Contains(tmpl::kLegacyKeys, member.key) || Contains(old_keys, member.key))
      return true;
    if (IsSymbolValue(member.value)) return true;
  }
  return false;
}

bool StepsAreOld(Node steps) {
  bool old = false;
  WithEach(steps, [&](Node step) {
    old = old || BlockIsOld(step, kOldStepKeys);
    WithMember(step, "retry", [&](Node retry) { old = old || BlockIsOld(retry, kOldRetryKeys); });
    WithMember(step, "handler", [&](Node handler) { old = old || BlockIsOld(handler, {}); });
  });
  return old;
}

bool TaskIsOld(Node root) {
  bool old = BlockIsOld(root, kOldTaskKeys);
  WithMember(root, "task_handler", [&](Node handler) { old = old || BlockIsOld(handler, {}); });
  WithMember(root, "steps", [&](Node steps) { old = old || StepsAreOld(steps); });
  WithMember(root, "environments", [&](Node environments) {
    WithEach(environments, [&](Node environment) {
      old = old || BlockIsOld(environment, {});
      WithMember(environment, "steps", [&](Node steps) { old = old || StepsAreOld(steps); });
    });
  });
  return old;
}

}  // namespace

Format DetectFormat(Node root) {
  if (!root.is_map()) return Format::kOther;
  bool lists_steps = false;
  for (const std::string_view key : {"steps", "step_templates"}) {
    WithMember(root, key, [&](Node) { lists_steps = true; });
  }
  if (!lists_steps) return Format::kOther;
  return TaskIsOld(root) ? Format::kOld : Format::kNew;
}

}  // namespace tasker::legacy
