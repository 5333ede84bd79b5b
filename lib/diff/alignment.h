#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

/// How the items of two lists belong together; items are given as numbers, equal where the items are.
namespace tasker::diff {

/// An item of the old list, of the new list, or of both.
struct Pair {
  std::optional<size_t> old_index;
  std::optional<size_t> new_index;
};

/// For lists whose order matters: a longest common subsequence; what lies between two common items is paired in turn as
/// far as it goes. In the order of the lists. Lists whose different middle parts are beyond 1,000 × 1,000 items are
/// paired by index there.
std::vector<Pair> AlignOrdered(std::span<const size_t> old_items, std::span<const size_t> new_items);

/// For lists whose order has no meaning: the n-th of a value with the n-th. First the pairs and what was removed in
/// the old order, then what was added.
std::vector<Pair> AlignByKey(std::span<const size_t> old_keys, std::span<const size_t> new_keys);

/// Of `pairs` (old indexes ascending), the fewest whose moving explains the new order: all but a longest increasing
/// run of new indexes. Positions in `pairs`, ascending; those without both indexes are never among them.
std::vector<size_t> Moved(std::span<const Pair> pairs);

}  // namespace tasker::diff
