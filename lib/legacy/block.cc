#include "lib/legacy/block.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <unordered_set>
#include <utility>

#include "lib/base/utf8.h"

namespace tasker::legacy {
namespace {

bool IsEmpty(Node node) { return node.is_null() || (!node.is_scalar() && node.size() == 0); }

}  // namespace

Block::Block(Context& context, Node map, Place place)
    : context_(context), place_(std::move(place)), position_(map.position()) {
  std::unordered_set<std::string> seen;
  for (size_t i = 0; i < map.size(); ++i) {
    const Node::Member member = map.member(i);
    Field field{context.PlainKey(member.key, member.key_position), member.key_position, member.value};
    if (!seen.insert(field.key).second) {
      context.Error("LEGACY_KEY_TWICE", field.position,
                    fmt::format("key '{}' is there twice, as text and as a Ruby symbol", base::Shortened(field.key)),
                    "keep one of the two");
      continue;
    }
    slots_.push_back({std::move(field), false});
  }
}

std::optional<Field> Block::Take(std::initializer_list<std::string_view> keys, std::string_view becomes) {
  for (const std::string_view key : keys) {
    const auto slot =
        std::find_if(slots_.begin(), slots_.end(), [&](const Slot& s) { return !s.taken && s.field.key == key; });
    if (slot == slots_.end()) continue;
    slot->taken = true;
    if (slot->field.value.is_null()) continue;
    if (!becomes.empty() && becomes != key) {
      context_.Change(slot->field.position, fmt::format("'{}' has become '{}'", key, becomes));
    }
    return slot->field;
  }
  return std::nullopt;
}

std::vector<Field> Block::TakeRest() {
  std::vector<Field> rest;
  for (Slot& slot : slots_) {
    if (!std::exchange(slot.taken, true)) rest.push_back(slot.field);
  }
  return rest;
}

void Block::SetAside(const Field& field, std::string_view why) {
  const std::string path = context_.SetAside(Inside(place_, field.key), context_.PlainJson(field.value));
  context_.Notice(field.position, fmt::format("'{}' {}; kept as {}", base::Shortened(field.key), why, path));
}

void Block::Finish(JsonObject& out) {
  for (const Field& field : TakeRest()) {
    if (field.key.starts_with("x-")) {
      Put(out, field.key, context_.PlainJson(field.value));
    } else {
      SetAside(field);
    }
  }
}

bool Block::TakeText(std::initializer_list<std::string_view> keys, std::string_view to, JsonObject& out) {
  const std::optional<Field> field = Take(keys, to);
  if (!field) return false;
  if (!field->value.is_scalar()) {
    SetAside(*field, "is not text");
    return false;
  }
  Put(out, to, JsonText(context_.PlainText(field->value)));
  return true;
}

void Block::TakeAny(std::string_view key, JsonObject& out) {
  if (const std::optional<Field> field = Take({key})) Put(out, key, context_.PlainJson(field->value));
}

std::optional<JsonObject> Block::TakeKnown(std::string_view key, const tmpl::KeyBlock& known) {
  const std::optional<Field> field = Take({key});
  if (!field) return std::nullopt;
  if (!field->value.is_map()) {
    SetAside(*field, "is not a map");
    return std::nullopt;
  }
  JsonObject members = KnownMembers(context_, field->value, Inside(place_, std::string(key)), known);
  if (members.empty()) return std::nullopt;
  return members;
}

JsonObject KnownMembers(Context& context, Node node, Place place, const tmpl::KeyBlock& known) {
  Block block(context, node, std::move(place));
  JsonObject members;
  for (const std::string_view key : known.keys) {
    const std::optional<Field> field = block.Take({key});
    if (field && !IsEmpty(field->value)) Put(members, key, context.PlainJson(field->value));
  }
  block.Finish(members);
  return members;
}

}  // namespace tasker::legacy
