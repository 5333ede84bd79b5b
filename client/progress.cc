#include "client/progress.h"

#include <absl/time/clock.h>
#include <fmt/format.h>

#include <algorithm>

#include "client/output.h"

namespace tasker::client {
namespace {

constexpr absl::Duration kBetweenDraws = absl::Milliseconds(50);
constexpr size_t kWidestBar = 40;
constexpr size_t kNarrowestBar = 5;

}  // namespace

std::string ProgressLine(std::string_view what, size_t done, size_t total, size_t width) {
  const std::string all = std::to_string(total);
  const std::string count = total == 0 ? std::to_string(done) : fmt::format("{:>{}} of {}", done, all.size(), all);
  const std::string plain = fmt::format("{} {}", what, count);
  const size_t room = width > 0 ? width - 1 : 0;  // the last column would wrap on some terminals
  constexpr size_t kAround = 3;                   // brackets and a blank
  if (total == 0 || plain.size() + kAround + kNarrowestBar > room) return plain.substr(0, room);
  const size_t bar = std::min(kWidestBar, room - plain.size() - kAround);
  const size_t filled = static_cast<size_t>(static_cast<double>(bar) * static_cast<double>(std::min(done, total)) /
                                            static_cast<double>(total));
  const std::string head(filled < bar ? ">" : "");
  return fmt::format("{} [{:<{}}] {}", what, std::string(filled, '=') + head, bar, count);
}

Progress::Progress(std::string_view what, size_t total)
    : what_(what), total_(total), shown_(total != 1 && CanShowStatusLine()), next_draw_(absl::InfinitePast()) {
  if (shown_ && total_ > 0) Draw();
}

Progress::~Progress() {
  if (shown_) ShowStatusLine("");
}

void Progress::Advance(size_t count) {
  done_ += count;
  if (shown_ && done_ > 1) Draw();
}

void Progress::Draw() {
  const absl::Time now = absl::Now();
  if (now < next_draw_) return;
  next_draw_ = now + kBetweenDraws;
  ShowStatusLine(ProgressLine(what_, done_, total_, StatusLineWidth()));
}

}  // namespace tasker::client
