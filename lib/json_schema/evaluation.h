#pragma once

#include <absl/container/inlined_vector.h>

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

  Verdict Run(const Node& node, const Json& instance);

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

  bool Check(const Node& node, const Json& value, Tracker* tracker);
  bool CheckRules(const Node& node, const Json& value, Tracker* tracker);
  bool CheckKeywords(const Node& node, const Json& value, Tracker* tracker);
  bool CheckType(const Node& node, const Json& value);
  bool CheckValues(const Node& node, const Values& values, const Json& value, std::string_view keyword);
  bool CheckNumber(const Node& node, const NumberRules& rules, const Json& value);
  bool CheckString(const Node& node, const StringRules& rules, const Json& value);
  bool CheckArray(const Node& node, const ArrayRules& rules, const Json& value, Tracker* tracker);
  bool CheckItems(const ArrayRules& rules, const base::JsonArray& array, Tracker* tracker);
  bool CheckContains(const Node& node, const ArrayRules& rules, const Json& value, Tracker* tracker);
  bool CheckUnique(const Node& node, const Json& value);
  bool CheckObject(const Node& node, const ObjectRules& rules, const Json& value, Tracker* tracker);
  bool CheckMembers(const Node& node, const ObjectRules& rules, const Json& value, Tracker* tracker);
  bool CheckName(const Node& names, std::string_view name);
  bool CheckDependents(const Node& node, const ObjectRules& rules, const Json& value);
  bool CheckInPlace(const Node& node, const InPlaceRules& rules, const Json& value, Tracker* tracker);
  bool CheckDynamicRef(const InPlaceRules& rules, const Json& value, Tracker* tracker);
  bool CheckAnyOf(const Node& node, const InPlaceRules& rules, const Json& value, Tracker* tracker);
  bool CheckOneOf(const Node& node, const InPlaceRules& rules, const Json& value, Tracker* tracker);
  bool CheckCondition(const InPlaceRules& rules, const Json& value, Tracker* tracker);
  bool CheckUnevaluated(const Node& unevaluated, const Json& value, const Tracker& tracker);

  // Evaluates without reporting: for what may fail without consequence.
  bool Try(const Node& node, const Json& value, Tracker* tracker);
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

extern template class Evaluation<false>;
extern template class Evaluation<true>;

}  // namespace tasker::json_schema
