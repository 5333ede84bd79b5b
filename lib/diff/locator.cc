#include "lib/diff/locator.h"

#include <charconv>
#include <utility>

#include "lib/base/json.h"

namespace tasker::diff {
namespace {

// How an author may have spelled a key of canonical JSON.
std::string_view AliasOf(std::string_view key) {
  if (key == "dependencies") return "depends_on";
  if (key == "limit") return "max_attempts";
  if (key == "type") return "step_type";
  return {};
}

}  // namespace

Locator::Container Locator::Child(Container& parent, std::string_view token) const {
  const Container past_it{parent.node, false};
  if (!parent.is_whole) return past_it;
  if (parent.node.is_list()) {
    size_t i = 0;
    const auto [end, failed] = std::from_chars(token.data(), token.data() + token.size(), i);
    const bool is_index = failed == std::errc() && end == token.data() + token.size();
    return is_index && i < parent.node.size() ? Container{parent.node.item(i)} : past_it;
  }
  if (!parent.node.is_map()) return past_it;
  if (parent.members.empty()) {
    for (size_t i = 0; i < parent.node.size(); ++i) parent.members.emplace(parent.node.member(i).key, i);
  }
  auto found = parent.members.find(token);
  if (found == parent.members.end()) found = parent.members.find(AliasOf(token));
  return found == parent.members.end() ? past_it : Container{parent.node.member(found->second).value};
}

Locator::Container& Locator::ContainerAt(std::string_view pointer) {
  const auto known = containers_.find(std::string(pointer));
  if (known != containers_.end()) return known->second;
  if (pointer.empty()) return containers_.emplace("", Container{document_.root()}).first->second;
  const size_t slash = pointer.rfind('/');
  Container child = Child(ContainerAt(pointer.substr(0, slash)), base::JsonPointerTokens(pointer.substr(slash))[0]);
  return containers_.emplace(std::string(pointer), std::move(child)).first->second;
}

base::Position Locator::Find(std::string_view pointer) {
  if (pointer.empty()) return document_.root().position();
  const size_t slash = pointer.rfind('/');
  return Child(ContainerAt(pointer.substr(0, slash)), base::JsonPointerTokens(pointer.substr(slash))[0])
      .node.position();
}

}  // namespace tasker::diff
