#include "lib/base/nearest.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace tasker::base {
namespace {

constexpr size_t kLongestWord = 255;
constexpr size_t kMostCandidates = 2000;

// Optimal string alignment distance, three rows.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

template <typename Text>
std::string_view NearestOf(std::string_view word, std::span<const Text> candidates) {
  std::string_view best;
  if (word.empty() || word.size() > kLongestWord) return best;
  // A prefix of at least four letters counts as near: 'validate' for 'validate_payment'.
  std::string_view prefixed;
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (const Text& candidate : candidates.first(std::min(candidates.size(), kMostCandidates))) {
    const std::string_view text = candidate;
    if (text.empty() || text.size() > kLongestWord) continue;
    if (prefixed.empty() && word.size() >= 4 && text.starts_with(word)) prefixed = text;
    const size_t length_difference = text.size() > word.size() ? text.size() - word.size() : word.size() - text.size();
    if (length_difference >= best_distance) continue;
    if (const size_t distance = Distance(word, text); distance < best_distance) {
      best_distance = distance;
      best = text;
    }
  }
  return best.empty() ? prefixed : best;
}

}  // namespace

std::string_view Nearest(std::string_view word, std::span<const std::string_view> candidates) {
  return NearestOf(word, candidates);
}

std::string_view Nearest(std::string_view word, std::span<const std::string> candidates) {
  return NearestOf(word, candidates);
}

std::string DidYouMean(std::string_view word, std::span<const std::string_view> candidates) {
  const std::string_view nearest = Nearest(word, candidates);
  return nearest.empty() ? "" : fmt::format("did you mean '{}'?", nearest);
}

std::string DidYouMean(std::string_view word, std::span<const std::string> candidates) {
  const std::string_view nearest = Nearest(word, candidates);
  return nearest.empty() ? "" : fmt::format("did you mean '{}'?", nearest);
}

}  // namespace tasker::base
