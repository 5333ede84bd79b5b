#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/diff/conjunction.h"

namespace tasker::diff {

/// Tries to prove that every value that a premise allows is an instance of a schema. Sound: what it proves is so. The
/// proof is by induction over the size of the value: a goal that comes up again for a smaller part of the value may be
/// taken as proven. Used once, by one thread.
class Prover {
 public:
  Prover();

  /// Whether "every instance of `a` is an instance of `b`" is proven. False says nothing; see `reason`.
  bool Proves(const SchemaNode& a, const SchemaNode& b);

  /// After Proves gave false: the first keyword that could not be shown to hold, in plain words.
  const std::string& reason() const { return reason_; }

 private:
  using Goal = std::pair<Premise, SchemaNode>;

  // What a part of the value has to do with the value.
  enum class Part { kItself, kSmaller };

  bool Holds(const Premise& premise, const SchemaNode& b, Part part);
  bool HoldsForAll(const Premise& premise, const SchemaNode& b);
  bool Implies(Conjunction c, const SchemaNode& b);
  bool IsImpossible(const std::set<SchemaNode>& schemas);

  // Draws conclusions, with the help of further goals; takes kinds away that no value can have.
  void Narrow(Conjunction& c);
  void NarrowItems(Conjunction& c);
  void NarrowMembers(Conjunction& c);
  void DropRefusedValues(Conjunction& c);
  bool IsMemberImpossible(const Conjunction& c, const std::string& name);
  // The names that members can have at all, where those are known.
  std::optional<std::set<std::string>> MemberNames(const Conjunction& c);

  bool Excludes(const Conjunction& c, const SchemaNode& schema);
  bool CheckScalars(const Conjunction& c, const SchemaView& v, const SchemaNode& b);
  bool CheckNumbers(const Conjunction& c, const SchemaView& v, const SchemaNode& b);
  bool CheckStrings(const Conjunction& c, const SchemaView& v, const SchemaNode& b);
  bool CheckArray(const Conjunction& c, const SchemaView& v, const SchemaNode& b);
  bool CheckItems(const Conjunction& c, const SchemaView& v, const SchemaNode& b);
  bool CheckContains(const Conjunction& c, const SchemaView& v, const SchemaNode& b);
  bool CheckObject(const Conjunction& c, const SchemaView& v, const SchemaNode& b);
  bool CheckMembers(const Conjunction& c, const ObjectRule& rule, const SchemaNode& b);
  bool CheckOtherMembers(const Conjunction& c, const ObjectRule& rule, const SchemaNode& b);
  bool CheckNames(const Conjunction& c, const SchemaView& v, const SchemaNode& b);
  bool CheckDependents(const Conjunction& c, const SchemaView& v, const SchemaNode& b);
  bool CheckInPlace(const Conjunction& c, const SchemaView& v, const SchemaNode& b);
  bool CheckCondition(const Conjunction& c, const SchemaView& v, const SchemaNode& b);

  // Whether `attempt` holds for `c`, or for each of a few cases that together make up `c`.
  template <typename Attempt>
  bool ByCases(const Conjunction& c, const Attempt& attempt, bool split_members = true);

  bool Fail(const SchemaNode& b, std::string_view keyword, std::string_view why = "");
  // Runs `attempt`, whose failure is no failure of the whole.
  template <typename Attempt>
  bool Quietly(const Attempt& attempt) {
    ++quiet_;
    const bool result = attempt();
    --quiet_;
    return result;
  }

  SchemaDocument never_, string_;
  std::vector<std::unique_ptr<SchemaDocument>> cases_;  // schemas made on the way

  // Goals that are being worked on, with the number of steps into smaller parts and the place in the chain of goals.
  struct Open {
    int smaller;
    size_t position;
  };
  std::map<Goal, Open> open_;
  std::map<Goal, bool> known_;
  int smaller_ = 0;
  size_t lowest_used_ = static_cast<size_t>(-1);  // of the open goals that were taken as proven
  size_t goals_ = 0;
  size_t work_ = 0;
  int depth_ = 0;
  int quiet_ = 0;
  std::string reason_;
};

}  // namespace tasker::diff
