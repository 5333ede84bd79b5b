#pragma once

#include <absl/time/time.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace tasker::client {

/// How far long work is, as one line that is drawn over again. On stderr, when that is a terminal that can move its
/// cursor; elsewhere nothing is written. What Print, PrintNote, PrintError and PrintReport write meanwhile wipes the
/// line first. Used from the main thread only, one at a time.
///
///   Progress progress("validating", files.size());
///   for (const File& file : files) {
///     Validate(file);
///     progress.Advance();
///   }
class Progress {
 public:
  /// `what` is being done to `total` items: "validating [====>     ] 40 of 100". A total of 0 is not known beforehand,
  /// and only the count is shown. Less than two items are no long work: nothing is drawn.
  Progress(std::string_view what, size_t total);
  /// Wipes the line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `count` more are done. Draws at most 20 times a second, so it may be called for each of a million items.
  void Advance(size_t count = 1);

 private:
  void Draw();

  const std::string what_;
  const size_t total_;
  const bool shown_;
  size_t done_ = 0;
  absl::Time next_draw_;
};

/// The line that a terminal of `width` columns shows, at most one column narrower, so that it never wraps.
std::string ProgressLine(std::string_view what, size_t done, size_t total, size_t width);

}  // namespace tasker::client
