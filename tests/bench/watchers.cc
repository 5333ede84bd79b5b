#include "tests/bench/watchers.h"

#include <absl/time/clock.h>

namespace tasker::bench {

void WatchRecord::Take(const registry::v1::WatchTemplatesResponse& message) {
  const absl::Time now = absl::Now();
  if (!begun_) ++progress_.begun;
  begun_ = true;
  for (const registry::v1::Change& change : message.changes()) {
    if (change.revision() != ++revision_) progress_.failed = true;
    const absl::Time committed =
        absl::FromUnixSeconds(change.create_time().seconds()) + absl::Nanoseconds(change.create_time().nanos());
    delays_.push_back(absl::ToDoubleSeconds(now - committed));
    ++progress_.changes;
  }
}

}  // namespace tasker::bench
