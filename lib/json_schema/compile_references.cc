#include <fmt/format.h>

#include "lib/base/utf8.h"
#include "lib/json_schema/compiler.h"
#include "lib/json_schema/uri.h"

namespace tasker::json_schema {
namespace {

InPlaceRules& InPlace(Node& node) {
  if (node.in_place == nullptr) node.in_place = std::make_unique<InPlaceRules>();
  return *node.in_place;
}

std::string_view Text(const Json& value) { return {value.get_string().data(), value.get_string().size()}; }

}  // namespace

const Node* Compiler::Target(const Subject& subject, const Member& member) {
  if (!member.value->is_string()) {
    WrongKind(subject, member, "a string");
    return nullptr;
  }
  const std::string_view reference = Text(*member.value);
  Resources::Target target = resources_.Find(subject.place.resource, reference);
  if (target.schema != nullptr) return NodeFor(*target.schema);
  Error(subject, "SCHEMA_REF_UNRESOLVED", Below(member),
        fmt::format("the reference '{}' {}", base::Shortened(reference, 100), target.problem), std::move(target.hint));
  return nullptr;
}

void Compiler::CompileRef(const Subject& subject, const Member& member) {
  if (const Node* target = Target(subject, member)) InPlace(*subject.node).ref = target;
}

void Compiler::CompileDynamicRef(const Subject& subject, const Member& member) {
  const Node* target = Target(subject, member);
  if (target == nullptr) return;
  InPlaceRules& rules = InPlace(*subject.node);
  rules.dynamic_ref = target;
  rules.dynamic_keyword = member.info->name;
  // Dynamic only when what it means here and now is itself a dynamic anchor of that name.
  const std::string name = PercentDecoded(Split(Text(*member.value)).fragment);
  const Json* schema = sources_.at(target);
  const Place* place = resources_.PlaceOf(*schema);
  if (place == nullptr) return;
  const auto& anchors = resources_.resource(place->resource).dynamic_anchors;
  const auto anchor = anchors.find(name);
  if (anchor != anchors.end() && anchor->second == schema) rules.dynamic_anchor = DynamicName(name);
}

void Compiler::CompileRecursiveRef(const Subject& subject, const Member& member) {
  const Node* target = Target(subject, member);
  if (target == nullptr) return;
  InPlaceRules& rules = InPlace(*subject.node);
  rules.dynamic_ref = target;
  rules.dynamic_keyword = member.info->name;
  const Json* schema = sources_.at(target);
  const Place* place = resources_.PlaceOf(*schema);
  if (place == nullptr) return;
  const auto& anchors = resources_.resource(place->resource).dynamic_anchors;
  const auto anchor = anchors.find(std::string(kRecursive));
  if (anchor != anchors.end() && anchor->second == schema) rules.dynamic_anchor = DynamicName(std::string(kRecursive));
}

size_t Compiler::DynamicName(const std::string& name) {
  const auto [found, fresh] = dynamic_names_.emplace(name, program_->dynamic_anchors.size());
  if (fresh) {
    program_->dynamic_anchors.emplace_back();
    dynamic_seen_.push_back(0);
  }
  return found->second;
}

// Any resource that is known may be in the dynamic scope. Returns whether that gave more to compile.
bool Compiler::CompileDynamicAnchors() {
  for (const auto& [name, index] : dynamic_names_) {
    for (size_t& resource = dynamic_seen_[index]; resource < resources_.size(); ++resource) {
      const uint32_t number = static_cast<uint32_t>(resource);
      const auto& anchors = resources_.resource(number).dynamic_anchors;
      const auto anchor = anchors.find(name);
      if (anchor == anchors.end()) continue;
      program_->dynamic_anchors[index].emplace_back(number, NodeFor(*anchor->second));
    }
  }
  return !pending_.empty();
}

}  // namespace tasker::json_schema
