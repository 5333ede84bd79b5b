#include "lib/validate/context.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "lib/base/json.h"
#include "lib/base/nearest.h"
#include "lib/base/utf8.h"
#include "lib/validate/rules.h"

namespace tasker::validate {
namespace {

constexpr size_t kBigMap = 64;                         // members from which an index pays
constexpr size_t kNearestBudget = size_t{20'000'000};  // character comparisons, about 0.1 s in all

// The second spelling of a key, for places where only the first is looked for.
std::string_view AliasOf(std::string_view key) {
  if (key == "dependencies") return "depends_on";
  if (key == "limit") return "max_attempts";
  if (key == "type") return "step_type";
  return "";
}

std::optional<size_t> ParseIndex(std::string_view token) {
  size_t index = 0;
  const auto [end, failed] = std::from_chars(token.data(), token.data() + token.size(), index);
  if (failed != std::errc() || end != token.data() + token.size()) return std::nullopt;
  return index;
}

}  // namespace

std::optional<size_t> Context::FindMember(tmpl::Node map, std::string_view map_path, std::string_view key) {
  if (map.size() < kBigMap) {
    for (size_t i = 0; i < map.size(); ++i) {
      if (map.member(i).key == key) return i;
    }
    return std::nullopt;
  }
  auto& index = big_maps_[std::string(map_path)];
  if (index.empty()) {
    for (size_t i = 0; i < map.size(); ++i) index.emplace(map.member(i).key, i);
  }
  const auto found = index.find(key);
  return found == index.end() ? std::nullopt : std::optional(found->second);
}

Context::Place Context::Find(std::string_view path) {
  tmpl::Node node = document_.root();
  Place place{std::nullopt, "", node.position(), node.position()};
  for (const std::string& token : base::JsonPointerTokens(path)) {
    std::optional<size_t> index;
    if (node.is_list()) {
      index = ParseIndex(token);
      if (!index || *index >= node.size()) return place;
      node = node.item(*index);
      place.key = place.value = node.position();
      place.path = base::JsonPointer(place.path, *index);
      continue;
    }
    if (node.is_map()) index = FindMember(node, place.path, token);
    if (node.is_map() && !index && !AliasOf(token).empty()) index = FindMember(node, place.path, AliasOf(token));
    if (!index) return place;
    const tmpl::Node::Member member = node.member(*index);
    node = member.value;
    place.key = member.key_position;
    place.value = node.position();
    place.path = base::JsonPointer(place.path, member.key);
  }
  place.node = node;
  return place;
}

void Context::Report(base::Severity severity, std::string_view code, std::string path, std::string message,
                     std::string hint, At at) {
  if (!issues_.Lists(severity)) return issues_.Add({severity, {}, {}, {}, {}, {}});
  Place place = Find(path);
  if (place.node) path = std::move(place.path);
  issues_.Add({severity, std::string(code), std::move(path), at == At::kKey ? place.key : place.value,
               std::move(message), std::move(hint)});
}

std::string Context::PlaceText(const std::string& path) {
  const base::Position position = Find(path).value;
  return position.known() ? fmt::format("line {}", position.line) : path;
}

std::string_view Context::Nearest(std::string_view word, std::span<const std::string_view> candidates) {
  if (nearest_work_ > kNearestBudget) return "";
  for (const std::string_view candidate : candidates) nearest_work_ += word.size() * candidate.size();
  if (nearest_work_ > kNearestBudget) return "";
  return base::Nearest(word, candidates);
}

std::string Context::DidYouMeanStep(std::string_view word) {
  if (step_names_.empty()) {
    for (const tmpl::StepDefinition& step : tmpl_.steps) step_names_.push_back(step.name);
  }
  const std::string_view nearest = Nearest(word, step_names_);
  return nearest.empty() ? "" : fmt::format("did you mean '{}'?", nearest);
}

std::string Quoted(std::string_view name) { return fmt::format("'{}'", base::Shortened(name)); }

}  // namespace tasker::validate
