#include "lib/validate/rules/override_keys.h"

#include <fmt/format.h>

#include "lib/base/json.h"
#include "lib/validate/rules.h"

namespace tasker::validate {
namespace {

constexpr size_t kMostDeeperKeys = 10'000;  // indexed for hints; bounds the memory that a hostile base takes
constexpr size_t kMostMembersCompared = 100;

std::string_view View(boost::json::string_view text) { return {text.data(), text.size()}; }

// Every key in the maps below `value` with the key of the map around it; the first place of a key wins.
void IndexDeeperKeys(const base::Json& value, std::string_view parent,
                     std::unordered_map<std::string_view, std::string_view>& parents) {
  if (!value.is_object()) return;
  for (const auto& [key, member] : value.get_object()) {
    if (parents.size() >= kMostDeeperKeys) return;
    parents.emplace(View(key), parent);
    IndexDeeperKeys(member, View(key), parents);
  }
}

}  // namespace

const OverrideKeys::Index& OverrideKeys::IndexOf(std::span<const tmpl::JsonObject* const> bases, size_t base_id) {
  const auto [entry, is_new] = indexes_.try_emplace(base_id);
  Index& index = entry->second;
  if (!is_new) return index;
  for (const tmpl::JsonObject* base : bases) {
    for (const auto& [key, value] : *base) {
      if (index.top.emplace(View(key), &value).second) index.names.push_back(View(key));
      IndexDeeperKeys(value, View(key), index.parents);
    }
  }
  return index;
}

void OverrideKeys::Check(const tmpl::JsonObject& values, const std::string& path, const std::string& owner,
                         std::span<const tmpl::JsonObject* const> bases, size_t base_id) {
  const Index& index = IndexOf(bases, base_id);
  for (const auto& [key, value] : values) {
    const auto found = index.top.find(View(key));
    if (found == index.top.end()) {
      CheckUnknown(View(key), path, owner, index);
    } else if (bases.size() == 1) {
      CheckReplacedMap(View(key), value, *found->second, path, owner);
    }
  }
}

// A key that only an environment sets is common and right (`debug_mode: true`), so a new key is suspicious only where
// the base shows what was meant.
void OverrideKeys::CheckUnknown(std::string_view key, const std::string& path, const std::string& owner,
                                const Index& index) {
  std::string hint;
  if (const auto found = index.parents.find(key); found != index.parents.end()) {
    hint = fmt::format("{} occurs inside {}: write it there, with everything else that map shall hold", Quoted(key),
                       Quoted(found->second));
  } else if (const std::string_view nearest = context_.Nearest(key, index.names); !nearest.empty()) {
    hint = fmt::format("did you mean '{}'?", nearest);
  } else {
    return;
  }
  context_.Warning(
      "OVERRIDE_KEY_UNKNOWN", base::JsonPointer(path, key),
      fmt::format("override sets key {}, which the initialization of {} does not have", Quoted(key), owner),
      std::move(hint), Context::At::kKey);
}

void OverrideKeys::CheckReplacedMap(std::string_view key, const base::Json& value, const base::Json& before,
                                    const std::string& path, const std::string& owner) {
  if (!value.is_object() || !before.is_object()) return;
  size_t compared = 0;
  for (const auto& [lost, unused] : before.get_object()) {
    if (++compared > kMostMembersCompared) return;
    if (value.get_object().contains(lost)) continue;
    context_.Warning(
        "OVERRIDE_MAP_REPLACED", base::JsonPointer(path, key),
        fmt::format("override replaces the whole map {} of {}, which loses {}", Quoted(key), owner, Quoted(View(lost))),
        fmt::format("maps are not merged; repeat {} if it shall stay", Quoted(View(lost))), Context::At::kKey);
    return;
  }
}

}  // namespace tasker::validate
