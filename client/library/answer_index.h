#pragma once

#include <absl/container/flat_hash_set.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "client/library/remembered_answer.h"

namespace tasker::client {

/// Finds answers by what was asked. It owns none of them. Read all the time and changed seldom: a reader locks, and
/// counts its references to answers in use again and again, in its thread's own part, which stays in its core's cache;
/// a change locks all parts, for some microseconds.
class AnswerIndex {
 public:
  /// nullptr when there is none. Marks it as used. Any thread.
  AnswerHandle Find(const AnswerKey& key) const;

  // These REQUIRE that one thread at a time is in any of them.

  /// The one whose key has this hash, or nullptr. Of two keys with the same hash the index holds one at most.
  const RememberedAnswer* At(uint64_t hash) const;
  /// Takes out `gone`, which are in it, and puts in `added` unless that is nullptr. REQUIRES: then none At its hash.
  void Change(const std::vector<AnswerHandle>& gone, const RememberedAnswer* added);

 private:
  struct HashOf {
    using is_transparent = void;
    size_t operator()(uint64_t hash) const { return hash; }
    size_t operator()(const RememberedAnswer* answer) const { return answer->asked.hash(); }
  };
  struct SameHash {
    using is_transparent = void;
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return HashOf()(a) == HashOf()(b);
    }
  };
  // Plain pointers, because a table half the size stays in a core's cache.
  using Table = absl::flat_hash_set<const RememberedAnswer*, HashOf, SameHash>;

  static constexpr size_t kCacheLine = 64;
  // More threads than this share parts. The thread sanitizer follows at most 64 locks that one thread holds.
  static constexpr size_t kParts = 32;
  static constexpr size_t kLeases = 16;

  // Threads that use one answer would pass its count from core to core with each hit. So who finds it twice in a row
  // gets handles with a count of their own.
  struct Lease {
    const RememberedAnswer* of = nullptr;  // found last of those whose lease would be here
    AnswerHandle handle;                   // to it, from the second time on
  };
  struct alignas(kCacheLine) Part {
    std::mutex mutex;
    std::array<Lease, kLeases> leases;

    Lease& LeaseAt(uint64_t hash) { return leases[hash % kLeases]; }
  };

  Part& OwnPart() const;
  void Grow();

  mutable std::array<Part, kParts> parts_;  // whoever holds one's mutex may read table_, who holds all may change it
  Table table_;
  size_t room_ = 0;  // insertions that table_ takes before it would move its elements
};

}  // namespace tasker::client
