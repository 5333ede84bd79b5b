#include "lib/diff/walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "lib/base/utf8.h"

namespace tasker::diff {
namespace {

std::string_view Text(boost::json::string_view text) { return {text.data(), text.size()}; }
boost::json::string_view JsonText(std::string_view text) { return {text.data(), text.size()}; }

const Json* Find(const JsonObject& object, std::string_view key) { return object.if_contains(JsonText(key)); }

// An item of a list of named blocks: canonical JSON writes a published event that has only a name as plain text.
Json AsBlock(const Json& item) { return item.is_string() ? Json(JsonObject{{"name", item}}) : item; }

std::string_view NameOf(const Json& item) {
  if (item.is_string()) return Text(item.get_string());
  const Json* name = item.is_object() ? Find(item.get_object(), "name") : nullptr;
  return name != nullptr && name->is_string() ? Text(name->get_string()) : std::string_view();
}

bool IsPlainWord(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c == '_' || c == '-' || c == '$' || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
  });
}

// Names come from the author, and places are shown on terminals.
bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
}

// Gives equal texts equal numbers.
class Numbering {
 public:
  size_t operator()(std::string text) { return numbers_.try_emplace(std::move(text), numbers_.size()).first->second; }

 private:
  std::unordered_map<std::string, size_t> numbers_;
};

// Keywords of JSON Schema whose list has no order.
bool IsSchemaSet(std::string_view key) { return key == "required" || key == "enum" || key == "type"; }

bool IsPlain(const Json& value) { return !value.is_object() && !value.is_array(); }
bool ArePlain(const JsonArray& list) { return std::all_of(list.begin(), list.end(), IsPlain); }

// What makes two steps the same but for their names; "" for what is no step.
std::string RenameKey(const Json& step) {
  if (!step.is_object()) return "";
  JsonObject content = step.get_object();
  for (const char* key : {"name", "description", "dependencies"}) content.erase(key);
  return base::CanonicalJson(content);
}

}  // namespace

Place Place::Key(std::string_view key) const {
  std::string shown = IsPlainWord(key) ? std::string(key) : base::JsonString(base::Shortened(key));
  return {base::JsonPointer(old_path, key), base::JsonPointer(new_path, key),
          text.empty() ? std::move(shown) : fmt::format("{}.{}", text, shown)};
}

Place Place::Item(const Pair& pair, std::string_view label) const {
  return {pair.old_index ? base::JsonPointer(old_path, *pair.old_index) : old_path,
          pair.new_index ? base::JsonPointer(new_path, *pair.new_index) : new_path,
          fmt::format("{}[{}]", text,
                      IsPrintable(label) ? base::Shortened(label) : base::JsonString(base::Shortened(label)))};
}

std::vector<LocatedChange> Walk::Run(const Json& old_template, const Json& new_template) {
  const JsonObject& a = old_template.get_object();
  const JsonObject& b = new_template.get_object();
  FindRenamedSteps(a, b);
  Block(TemplateShape(), a, b, {});
  return std::move(changes_);
}

void Walk::Block(const Shape& shape, const JsonObject& a, const JsonObject& b, const Place& place) {
  for (const Field& field : shape.fields) {
    Member(field, Find(a, field.key), Find(b, field.key), place.Key(field.key));
  }
  Extensions(shape, a, b, place);
}

void Walk::Extensions(const Shape& shape, const JsonObject& a, const JsonObject& b, const Place& place) {
  const auto is_field = [&](std::string_view key) {
    return std::any_of(shape.fields.begin(), shape.fields.end(), [&](const Field& field) { return field.key == key; });
  };
  // A block that belongs to one area as a whole keeps it: an unknown key in an environment is the environment's.
  const Area first = shape.fields.front().area;
  const bool one_area = first == Area::kEnvironment || first == Area::kDocumentation;
  const auto member = [&](std::string_view key) {
    if (is_field(key)) return;
    Member({key, one_area ? first : Area::kExtension}, Find(a, key), Find(b, key), place.Key(key));
  };
  for (const auto& [key, value] : a) member(Text(key));
  for (const auto& [key, value] : b) {
    if (Find(a, Text(key)) == nullptr) member(Text(key));
  }
}

void Walk::Member(const Field& field, const Json* a, const Json* b, const Place& place) {
  if (a == nullptr && b == nullptr) return;
  if (a == nullptr) return Add(ChangeKind::kAdded, field.area, place, nullptr, b);
  if (b == nullptr) return Add(ChangeKind::kRemoved, field.area, place, a, nullptr);
  if (*a != *b) Both(field, *a, *b, place);
}

void Walk::Both(const Field& field, const Json& a, const Json& b, const Place& place) {
  const bool objects = a.is_object() && b.is_object();
  const bool lists = a.is_array() && b.is_array();
  switch (field.comparison) {
    case Comparison::kBlock:
      if (objects) return Block(*field.shape, a.get_object(), b.get_object(), place);
      break;
    case Comparison::kBlockMap:
      if (objects) return BlockMap(field, a.get_object(), b.get_object(), place);
      break;
    case Comparison::kSet:
      if (lists) return Set(field, a.get_array(), b.get_array(), place);
      break;
    case Comparison::kNamedBlocks:
      if (lists) return NamedBlocks(field, a.get_array(), b.get_array(), place);
      break;
    case Comparison::kValue:
      return Value(field.area, false, a, b, place);
    case Comparison::kSchema:
      return Value(field.area, true, a, b, place);
  }
  Add(ChangeKind::kChanged, field.area, place, &a, &b);
}

void Walk::BlockMap(const Field& field, const JsonObject& a, const JsonObject& b, const Place& place) {
  const auto member = [&](std::string_view key) {
    Member({key, field.area, Comparison::kBlock, field.shape}, Find(a, key), Find(b, key), place.Key(key));
  };
  for (const auto& [key, value] : a) member(Text(key));
  for (const auto& [key, value] : b) {
    if (Find(a, Text(key)) == nullptr) member(Text(key));
  }
}

void Walk::Set(const Field& field, const JsonArray& a, const JsonArray& b, const Place& place) {
  // Dependencies name steps, so a renamed step is the same dependency.
  const bool names_steps = field.area == Area::kDependency;
  Numbering numbering;
  std::vector<size_t> old_keys, new_keys;
  for (const Json& item : a) {
    if (names_steps && item.is_string()) {
      old_keys.push_back(numbering(base::JsonString(NewName(Text(item.get_string())))));
    } else {
      old_keys.push_back(numbering(base::CanonicalJson(item)));
    }
  }
  for (const Json& item : b) new_keys.push_back(numbering(base::CanonicalJson(item)));
  const std::vector<Pair> pairs = AlignByKey(old_keys, new_keys);
  for (const Pair& pair : pairs) {
    if (pair.old_index && pair.new_index) continue;
    const Json& item = pair.old_index ? a[*pair.old_index] : b[*pair.new_index];
    const std::string label = item.is_string() ? std::string(Text(item.get_string())) : base::CanonicalJson(item);
    Add(pair.old_index ? ChangeKind::kRemoved : ChangeKind::kAdded, field.area, place.Item(pair, label),
        pair.old_index ? &item : nullptr, pair.old_index ? nullptr : &item);
  }
  MoveItems(field, pairs, a, b, place);
}

void Walk::NamedBlocks(const Field& field, const JsonArray& a, const JsonArray& b, const Place& place) {
  const bool names_steps = field.area == Area::kStep || field.area == Area::kEnvironment;
  Numbering numbering;
  std::vector<size_t> old_keys, new_keys;
  for (const Json& item : a) {
    old_keys.push_back(numbering(std::string(names_steps ? NewName(NameOf(item)) : NameOf(item))));
  }
  for (const Json& item : b) new_keys.push_back(numbering(std::string(NameOf(item))));
  const std::vector<Pair> pairs = AlignByKey(old_keys, new_keys);
  for (const Pair& pair : pairs) {
    const Json* old_item = pair.old_index ? &a[*pair.old_index] : nullptr;
    const Json* new_item = pair.new_index ? &b[*pair.new_index] : nullptr;
    const std::string_view name = NameOf(new_item != nullptr ? *new_item : *old_item);
    const Place item_place = place.Item(pair, name);
    if (old_item == nullptr || new_item == nullptr) {
      Add(old_item == nullptr ? ChangeKind::kAdded : ChangeKind::kRemoved, field.area, item_place, old_item, new_item);
      continue;
    }
    if (*old_item == *new_item) continue;
    const Json old_block = AsBlock(*old_item);
    const Json new_block = AsBlock(*new_item);
    if (!old_block.is_object() || !new_block.is_object()) {
      Add(ChangeKind::kChanged, field.area, item_place, old_item, new_item);
      continue;
    }
    Block(*field.shape, old_block.get_object(), new_block.get_object(), item_place);
  }
  MoveItems(field, pairs, a, b, place);
}

void Walk::MoveItems(const Field& field, const std::vector<Pair>& pairs, const JsonArray& a, const JsonArray& b,
                     const Place& place) {
  for (const size_t moved : Moved(pairs)) {
    const Pair& pair = pairs[moved];
    const auto shown = [](const Json& item) {
      const std::string_view name = NameOf(item);
      return name.empty() ? item : Json(JsonText(name));
    };
    const Json old_shown = shown(a[*pair.old_index]);
    const Json new_shown = shown(b[*pair.new_index]);
    const std::string label =
        new_shown.is_string() ? std::string(Text(new_shown.get_string())) : base::CanonicalJson(new_shown);
    Add(ChangeKind::kMoved, field.area, place.Item(pair, label), &old_shown, &new_shown);
  }
}

void Walk::Value(Area area, bool schema, const Json& a, const Json& b, const Place& place) {
  if (changes_.size() < detail_limit_) {
    if (a.is_object() && b.is_object()) return Object(area, schema, a.get_object(), b.get_object(), place);
    if (a.is_array() && b.is_array()) return List(area, schema, a.get_array(), b.get_array(), place);
  }
  Add(ChangeKind::kChanged, area, place, &a, &b);
}

void Walk::Object(Area area, bool schema, const JsonObject& a, const JsonObject& b, const Place& place) {
  const auto member = [&](std::string_view key) {
    const Json* old_value = Find(a, key);
    const Json* new_value = Find(b, key);
    const bool set = schema && IsSchemaSet(key) && old_value != nullptr && old_value->is_array() &&
                     ArePlain(old_value->get_array()) && new_value != nullptr && new_value->is_array() &&
                     ArePlain(new_value->get_array());
    const Comparison comparison = set ? Comparison::kSet : schema ? Comparison::kSchema : Comparison::kValue;
    Member({key, area, comparison}, old_value, new_value, place.Key(key));
  };
  for (const auto& [key, value] : a) member(Text(key));
  for (const auto& [key, value] : b) {
    if (Find(a, Text(key)) == nullptr) member(Text(key));
  }
}

void Walk::List(Area area, bool schema, const JsonArray& a, const JsonArray& b, const Place& place) {
  Numbering numbering;
  std::vector<size_t> old_items, new_items;
  for (const Json& item : a) old_items.push_back(numbering(base::CanonicalJson(item)));
  for (const Json& item : b) new_items.push_back(numbering(base::CanonicalJson(item)));
  for (const Pair& pair : AlignOrdered(old_items, new_items)) {
    const Place item = place.Item(pair, fmt::format("{}", pair.new_index ? *pair.new_index : *pair.old_index));
    Member({"", area, schema ? Comparison::kSchema : Comparison::kValue},
           pair.old_index ? &a[*pair.old_index] : nullptr, pair.new_index ? &b[*pair.new_index] : nullptr, item);
  }
}

void Walk::FindRenamedSteps(const JsonObject& a, const JsonObject& b) {
  const Json* old_steps = Find(a, "steps");
  const Json* new_steps = Find(b, "steps");
  if (old_steps == nullptr || !old_steps->is_array() || new_steps == nullptr || !new_steps->is_array()) return;
  const auto names = [](const JsonArray& steps) {
    std::map<std::string_view, size_t> counts;
    for (const Json& step : steps) ++counts[NameOf(step)];
    return counts;
  };
  const auto old_names = names(old_steps->get_array());
  const auto new_names = names(new_steps->get_array());
  // By content: the names of the steps that only one side has.
  std::unordered_map<std::string, std::pair<std::vector<std::string_view>, std::vector<std::string_view>>> lonely;
  for (const Json& step : old_steps->get_array()) {
    if (!new_names.contains(NameOf(step))) lonely[RenameKey(step)].first.push_back(NameOf(step));
  }
  for (const Json& step : new_steps->get_array()) {
    if (!old_names.contains(NameOf(step))) lonely[RenameKey(step)].second.push_back(NameOf(step));
  }
  for (const auto& [content, sides] : lonely) {
    if (sides.first.size() == 1 && sides.second.size() == 1) renamed_.emplace(sides.first[0], sides.second[0]);
  }
}

std::string_view Walk::NewName(std::string_view old_name) const {
  const auto found = renamed_.find(old_name);
  return found == renamed_.end() ? old_name : std::string_view(found->second);
}

void Walk::Add(ChangeKind kind, Area area, const Place& place, const Json* a, const Json* b) {
  Change change;
  // Only a pair of renamed steps is compared although their names differ.
  if (kind == ChangeKind::kChanged && area == Area::kStep) kind = ChangeKind::kRenamed;
  change.kind = kind;
  change.area = area;
  change.place = place.text;
  if (a != nullptr) change.old_path = place.old_path, change.old_value = *a;
  if (b != nullptr) change.new_path = place.new_path, change.new_value = *b;
  changes_.push_back({std::move(change), place});
}

}  // namespace tasker::diff
