#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tasker::base {

/// The candidate that `word` is most likely a misspelling of, or "" when none is near enough (more than a third of the
/// word would have to change). Distance counts insertions, deletions, substitutions and swaps of neighbours. Words
/// over 255 bytes and more than 2,000 candidates are not looked at: this only serves hints.
std::string_view Nearest(std::string_view word, std::span<const std::string_view> candidates);
std::string_view Nearest(std::string_view word, std::span<const std::string> candidates);

/// "did you mean 'X'?", or "" without a near candidate.
std::string DidYouMean(std::string_view word, std::span<const std::string_view> candidates);
std::string DidYouMean(std::string_view word, std::span<const std::string> candidates);

}  // namespace tasker::base
