#pragma once

#include <absl/container/inlined_vector.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/json_schema/node.h"

namespace tasker::json_schema {

/// Which items or members of the instance at hand some keyword has evaluated, for `unevaluated…`.
class Tracker {
 public:
  explicit Tracker(size_t size) : size_(size), bits_((size + 63) / 64) {}

  size_t size() const { return size_; }
  bool Has(size_t i) const { return (bits_[i / 64] >> (i % 64) & 1) != 0; }
  void Mark(size_t i) { bits_[i / 64] |= uint64_t{1} << (i % 64); }
  void MarkAll() {
    for (uint64_t& word : bits_) word = ~uint64_t{0};
  }
  void Merge(const Tracker& other) {
    for (size_t i = 0; i < bits_.size(); ++i) bits_[i] |= other.bits_[i];
  }

 private:
  size_t size_;
  absl::InlinedVector<uint64_t, 4> bits_;
};

/// One evaluation of one instance. With kExplain it goes on after a failure and collects output units, without it stops
/// at the first; both are the same code, so that they cannot disagree. Used once, by one thread.
template <bool kExplain>
class Evaluation {
 public:
  Evaluation(const Program& program, size_t max_steps, size_t max_units)
      : program_(program), max_steps_(max_steps), max_units_(max_units) {}

  /// `Value` is Json, or ParsedText without kExplain.
  template <typename Value>
  Verdict Run(const Node& node, const Value& instance);

  size_t steps() const { return steps_; }
  std::vector<OutputUnit> TakeUnits() { return std::move(units_); }
  size_t omitted() const { return omitted_; }

 private:
  // The resources entered on the way here, for dynamic references; lives on the stack.
  struct Scope {
    const Scope* outer;
    uint32_t resource;
  };
  // A reference token: a name, or an index when `name` is null.
  struct Token {
    std::string_view name;
    size_t index = 0;
  };
  // Keeps the two paths right while a subschema, or a part of the instance, is evaluated.
  class Step;
  struct Mark {
    size_t units;
    size_t omitted;
  };

  template <typename Value>
  bool Check(const Node& node, const Value& value, Tracker* tracker);
  template <typename Value>
  bool CheckRules(const Node& node, const Value& value, Tracker* tracker);
  template <typename Value>
  bool CheckKeywords(const Node& node, const Value& value, Tracker* tracker);
  template <typename Value>
  bool CheckType(const Node& node, const Value& value);
  template <typename Value>
  bool CheckValues(const Node& node, const Values& values, const Value& value, std::string_view keyword);
  bool CheckNumber(const Node& node, const NumberRules& rules, const Json& value);
  template <typename Value>
  bool CheckString(const Node& node, const StringRules& rules, const Value& value);
  template <typename Value>
  bool CheckArray(const Node& node, const ArrayRules& rules, const Value& value, Tracker* tracker);
  template <typename Value>
  bool CheckItems(const ArrayRules& rules, const Value& value, Tracker* tracker);
  template <typename Value>
  bool CheckContains(const Node& node, const ArrayRules& rules, const Value& value, Tracker* tracker);
  template <typename Value>
  bool CheckUnique(const Node& node, const Value& value);
  template <typename Value>
  bool CheckObject(const Node& node, const ObjectRules& rules, const Value& value, Tracker* tracker);
  template <typename Value>
  bool CheckMembers(const Node& node, const ObjectRules& rules, const Value& value, Tracker* tracker);
  template <typename Value>
  bool CheckMember(const ObjectRules& rules, uint32_t known, std::string_view name, const Value& value, bool& matched);
  bool CheckName(const Node& names, std::string_view name);
  template <typename Value>
  bool CheckDependents(const Node& node, const ObjectRules& rules, const Value& value);
  template <typename Value>
  bool CheckInPlace(const Node& node, const InPlaceRules& rules, const Value& value, Tracker* tracker);
  template <typename Value>
  bool CheckDynamicRef(const InPlaceRules& rules, const Value& value, Tracker* tracker);
  template <typename Value>
  bool CheckAnyOf(const Node& node, const InPlaceRules& rules, const Value& value, Tracker* tracker);
  template <typename Value>
  bool CheckOneOf(const Node& node, const InPlaceRules& rules, const Value& value, Tracker* tracker);
  template <typename Value>
  bool CheckCondition(const InPlaceRules& rules, const Value& value, Tracker* tracker);
  template <typename Value>
  bool CheckUnevaluated(const Node& unevaluated, const Value& value, const Tracker& tracker);

  // Evaluates without reporting: for what may fail without consequence.
  template <typename Value>
  bool Try(const Node& node, const Value& value, Tracker* tracker);
  // Whether to leave a sequence of checks of which the last gave `ok`.
  bool Stop(bool ok) const { return gave_up_ || (!kExplain && !ok); }
  bool GiveUp(const Node& node, std::string_view why);
  bool Spend(const Node& node, size_t steps);

  // Always false, for "return Fail(…)". `message` is called only when it is wanted.
  template <typename Message>
  bool Fail(const Node& node, std::string_view keyword, const Message& message);
  void Report(const Node& node, std::string_view keyword, std::string message);
  Mark Now() const { return {units_.size(), omitted_}; }
  void Rewind(const Mark& mark);

  const Program& program_;
  const size_t max_steps_;
  const size_t max_units_;
  size_t steps_ = 0;
  size_t depth_ = 0;
  const Scope* scope_ = nullptr;
  bool gave_up_ = false;
  int muted_ = 0;
  std::vector<Token> keyword_path_;
  std::vector<Token> instance_path_;
  std::vector<OutputUnit> units_;
  size_t omitted_ = 0;
};

/// The verdict on one JSON text, or nothing when it is no JSON or anything about it is unusual: ask base::ParseJson
/// then.
std::optional<Verdict> EvaluateText(const Program& program, std::string_view text);

}  // namespace tasker::json_schema
