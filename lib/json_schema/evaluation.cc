#include "lib/json_schema/evaluation.h"

#include <fmt/format.h>

#include "lib/base/fast_json.h"
#include "lib/json_schema/evaluation_array.h"
#include "lib/json_schema/evaluation_in_place.h"
#include "lib/json_schema/evaluation_object.h"
#include "lib/json_schema/evaluation_scalar.h"
#include "lib/json_schema/excerpt.h"
#include "lib/json_schema/uri.h"

namespace tasker::json_schema {
namespace {

std::string Pointer(const auto& tokens) {
  std::string out;
  for (const auto& token : tokens) {
    out = token.name.data() == nullptr ? base::JsonPointer(out, token.index) : base::JsonPointer(out, token.name);
  }
  return out;
}

class DepthGuard {
 public:
  explicit DepthGuard(size_t& depth) : depth_(depth) { ++depth_; }
  ~DepthGuard() { --depth_; }
  DepthGuard(const DepthGuard&) = delete;
  DepthGuard& operator=(const DepthGuard&) = delete;

 private:
  size_t& depth_;
};

}  // namespace

template <bool kExplain>
template <typename Value>
Verdict Evaluation<kExplain>::Run(const Node& node, const Value& instance) {
  const Scope scope{.outer = nullptr, .resource = program_.root->resource};
  scope_ = &scope;
  const bool valid = Check(node, instance, nullptr);
  scope_ = nullptr;
  if (gave_up_) return Verdict::kLimitExceeded;
  return valid ? Verdict::kValid : Verdict::kInvalid;
}

template <bool kExplain>
template <typename Value>
bool Evaluation<kExplain>::Check(const Node& node, const Value& value, Tracker* tracker) {
  if (node.kind == Node::Kind::kAny) return true;
  if (node.kind == Node::Kind::kNever) {
    return Fail(node, "", [&] { return fmt::format("{} is not allowed here", Excerpt(AsJson(value))); });
  }
  if (++steps_ > max_steps_) return GiveUp(node, "more steps than one evaluation may take");
  if (depth_ >= program_.limits.depth) return GiveUp(node, "schemas and values nested too deep");
  const DepthGuard guard(depth_);
  if (program_.dynamic_anchors.empty() || scope_->resource == node.resource) return CheckRules(node, value, tracker);
  const Scope scope{.outer = scope_, .resource = node.resource};
  scope_ = &scope;
  const bool ok = CheckRules(node, value, tracker);
  scope_ = scope.outer;
  return ok;
}

template <bool kExplain>
template <typename Value>
bool Evaluation<kExplain>::CheckRules(const Node& node, const Value& value, Tracker* tracker) {
  if (!node.tracks) return CheckKeywords(node, value, tracker);
  const Node* unevaluated = nullptr;
  if (node.array != nullptr && value.is_array()) {
    unevaluated = node.array->unevaluated;
  } else if (node.object != nullptr && value.is_object()) {
    unevaluated = node.object->unevaluated;
  }
  if (unevaluated == nullptr) return CheckKeywords(node, value, tracker);
  Tracker own(SizeOf(value));
  bool ok = CheckKeywords(node, value, &own);
  if (Stop(ok)) return false;
  ok = CheckUnevaluated(*unevaluated, value, own) && ok;
  if (tracker != nullptr) tracker->MarkAll();
  return ok;
}

template <bool kExplain>
template <typename Value>
bool Evaluation<kExplain>::CheckKeywords(const Node& node, const Value& value, Tracker* tracker) {
  bool ok = node.types == kAllTypes || CheckType(node, value);
  if (Stop(ok)) return false;
  switch (KindOf(value)) {
    case kind::int64:
    case kind::uint64:
    case kind::double_:
      if (node.number != nullptr) ok = CheckNumber(node, *node.number, AsJson(value)) && ok;
      break;
    case kind::string:
      if (node.string != nullptr) ok = CheckString(node, *node.string, value) && ok;
      break;
    case kind::array:
      if (node.array != nullptr) ok = CheckArray(node, *node.array, value, tracker) && ok;
      break;
    case kind::object:
      if (node.object != nullptr) ok = CheckObject(node, *node.object, value, tracker) && ok;
      break;
    default:
      break;
  }
  if (Stop(ok)) return false;
  if (node.enumeration != nullptr) ok = CheckValues(node, *node.enumeration, value, "enum") && ok;
  if (Stop(ok)) return false;
  if (node.constant != nullptr) ok = CheckValues(node, *node.constant, value, "const") && ok;
  if (Stop(ok)) return false;
  if (node.in_place != nullptr) ok = CheckInPlace(node, *node.in_place, value, tracker) && ok;
  return ok;
}

template <bool kExplain>
template <typename Value>
bool Evaluation<kExplain>::Try(const Node& node, const Value& value, Tracker* tracker) {
  ++muted_;
  const bool ok = Check(node, value, tracker);
  --muted_;
  return ok;
}

template <bool kExplain>
bool Evaluation<kExplain>::Spend(const Node& node, size_t steps) {
  steps_ += steps;
  return steps_ <= max_steps_ || GiveUp(node, "more steps than one evaluation may take");
}

template <bool kExplain>
bool Evaluation<kExplain>::GiveUp(const Node& node, std::string_view why) {
  if (gave_up_) return false;
  gave_up_ = true;
  if constexpr (kExplain) {
    units_.clear();
    omitted_ = 0;
    Report(node, "", fmt::format("given up: {}", why));
  }
  return false;
}

template <bool kExplain>
void Evaluation<kExplain>::Report(const Node& node, std::string_view keyword, std::string message) {
  const std::string tail = keyword.empty() ? "" : fmt::format("/{}", keyword);
  units_.push_back({.instance_location = Pointer(instance_path_),
                    .keyword_location = Pointer(keyword_path_) + tail,
                    .absolute_keyword_location = fmt::format("{}#{}", program_.resource_uris[node.resource],
                                                             FragmentEncoded(node.pointer + tail)),
                    .keyword = std::string(keyword),
                    .message = std::move(message)});
}

template <bool kExplain>
void Evaluation<kExplain>::Rewind(const Mark& mark) {
  if (gave_up_) return;
  units_.resize(mark.units);
  omitted_ = mark.omitted;
}

template Verdict Evaluation<false>::Run(const Node& node, const Json& instance);
template Verdict Evaluation<true>::Run(const Node& node, const Json& instance);

std::optional<Verdict> EvaluateText(const Program& program, std::string_view text) {
  std::optional<Verdict> verdict;
  base::WithFastJson(text, [&](const simdjson::dom::element& root) {
    if (!HasDistinctNames(root)) return;
    verdict = Evaluation<false>(program, program.limits.steps, 0).Run(*program.root, root);
  });
  return verdict;
}

}  // namespace tasker::json_schema
