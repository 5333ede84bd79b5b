#include "lib/diff/alignment.h"

#include <algorithm>
#include <cstdint>
#include <unordered_map>

namespace tasker::diff {
namespace {

// Cells of the table of the longest common subsequence: 4 MB.
constexpr size_t kMaxCells = 1'000'000;

// Pairs old [i, old_end) with new [j, new_end) in turn.
void PairGap(size_t i, size_t old_end, size_t j, size_t new_end, std::vector<Pair>& out) {
  for (; i < old_end && j < new_end; ++i, ++j) out.push_back({i, j});
  for (; i < old_end; ++i) out.push_back({i, std::nullopt});
  for (; j < new_end; ++j) out.push_back({std::nullopt, j});
}

// The common items of [begin, old_end) and [begin, new_end), from a longest common subsequence.
std::vector<std::pair<size_t, size_t>> CommonItems(std::span<const size_t> a, std::span<const size_t> b, size_t begin,
                                                   size_t old_end, size_t new_end) {
  std::vector<std::pair<size_t, size_t>> common;
  const size_t rows = old_end - begin;
  const size_t columns = new_end - begin;
  if (rows == 0 || columns == 0 || rows > kMaxCells / columns) return common;
  // length[r * width + c]: of the longest common subsequence of what follows row r and column c.
  const size_t width = columns + 1;
  std::vector<uint32_t> length((rows + 1) * width, 0);
  for (size_t r = rows; r-- > 0;) {
    for (size_t c = columns; c-- > 0;) {
      const bool equal = a[begin + r] == b[begin + c];
      length[r * width + c] = equal ? length[(r + 1) * width + c + 1] + 1
                                    : std::max(length[(r + 1) * width + c], length[r * width + c + 1]);
    }
  }
  for (size_t r = 0, c = 0; r < rows && c < columns;) {
    if (a[begin + r] == b[begin + c]) {
      common.emplace_back(begin + r++, begin + c++);
    } else if (length[(r + 1) * width + c] >= length[r * width + c + 1]) {
      ++r;
    } else {
      ++c;
    }
  }
  return common;
}

}  // namespace

std::vector<Pair> AlignOrdered(std::span<const size_t> old_items, std::span<const size_t> new_items) {
  size_t begin = 0;
  size_t old_end = old_items.size();
  size_t new_end = new_items.size();
  while (begin < old_end && begin < new_end && old_items[begin] == new_items[begin]) ++begin;
  while (old_end > begin && new_end > begin && old_items[old_end - 1] == new_items[new_end - 1]) --old_end, --new_end;

  std::vector<Pair> out;
  PairGap(0, begin, 0, begin, out);
  size_t i = begin;
  size_t j = begin;
  for (const auto& [common_old, common_new] : CommonItems(old_items, new_items, begin, old_end, new_end)) {
    PairGap(i, common_old, j, common_new, out);
    out.push_back({common_old, common_new});
    i = common_old + 1;
    j = common_new + 1;
  }
  PairGap(i, old_end, j, new_end, out);
  PairGap(old_end, old_items.size(), new_end, new_items.size(), out);
  return out;
}

std::vector<Pair> AlignByKey(std::span<const size_t> old_keys, std::span<const size_t> new_keys) {
  struct Places {
    std::vector<size_t> at;
    size_t used = 0;
  };
  std::unordered_map<size_t, Places> places;
  for (size_t j = 0; j < new_keys.size(); ++j) places[new_keys[j]].at.push_back(j);

  std::vector<Pair> out;
  std::vector<bool> taken(new_keys.size(), false);
  for (size_t i = 0; i < old_keys.size(); ++i) {
    const auto found = places.find(old_keys[i]);
    if (found == places.end() || found->second.used == found->second.at.size()) {
      out.push_back({i, std::nullopt});
      continue;
    }
    const size_t j = found->second.at[found->second.used++];
    taken[j] = true;
    out.push_back({i, j});
  }
  for (size_t j = 0; j < new_keys.size(); ++j) {
    if (!taken[j]) out.push_back({std::nullopt, j});
  }
  return out;
}

std::vector<size_t> Moved(std::span<const Pair> pairs) {
  // tails[k]: the position in `pairs` of the smallest new index that ends an increasing run of k + 1 pairs.
  std::vector<size_t> tails;
  std::vector<size_t> previous(pairs.size(), pairs.size());
  const auto new_index = [&](size_t position) { return *pairs[position].new_index; };
  for (size_t p = 0; p < pairs.size(); ++p) {
    if (!pairs[p].old_index || !pairs[p].new_index) continue;
    const auto place = std::lower_bound(tails.begin(), tails.end(), new_index(p),
                                        [&](size_t tail, size_t value) { return new_index(tail) < value; });
    if (place != tails.begin()) previous[p] = *(place - 1);
    if (place == tails.end()) {
      tails.push_back(p);
    } else {
      *place = p;
    }
  }
  std::vector<bool> stays(pairs.size(), false);
  for (size_t p = tails.empty() ? pairs.size() : tails.back(); p < pairs.size(); p = previous[p]) stays[p] = true;

  std::vector<size_t> moved;
  for (size_t p = 0; p < pairs.size(); ++p) {
    if (pairs[p].old_index && pairs[p].new_index && !stays[p]) moved.push_back(p);
  }
  return moved;
}

}  // namespace tasker::diff
