#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lib/registry/byte_cache.h"
#include "lib/registry/change_counters.h"

namespace tasker::registry {

/// Remembers which version a selector selects, and which references name nothing, until the template changes. Knows of
/// changes by `counters` only, so it answers only while these are known to be counted. Safe to call from any thread.
class Selections {
 public:
  struct Options {
    size_t bytes = size_t{16} << 20;
    /// How long ago every change there was had been counted (ChangeFeed::age). Empty: nothing counts them, so nothing
    /// is remembered.
    std::function<absl::Duration()> age = nullptr;
    /// The age up to which selectors are answered from memory.
    absl::Duration max_staleness = absl::Seconds(10);
  };

  /// What a reference that names nothing is answered with; it is asked for again after this time, in case its change
  /// is late.
  static constexpr absl::Duration kMissingFor = absl::Seconds(2);

  /// `counters` must outlive it.
  Selections(const ChangeCounters& counters, Options options);

  struct Selected {
    std::string exact;     ///< the reference of the version
    absl::Status missing;  ///< not OK: there is none
    absl::Time until;      ///< that it is remembered
    uint64_t ticket = 0;
  };
  struct Found {
    std::shared_ptr<const Selected> selected;
    absl::Duration stale;  ///< above 0 when changes are not heard of any more: how old this may be
  };
  /// nullopt: not known, or not known well enough.
  std::optional<Found> Find(std::string_view reference);

  /// Taken before the database is asked, it keeps an answer that a change has overtaken from being used.
  uint64_t TicketFor(std::string_view reference) const { return counters_.Selections(reference); }
  void Put(std::string_view reference, const std::string& exact, uint64_t ticket);
  /// REQUIRES: `status` is NOT_FOUND.
  void PutMissing(std::string_view reference, const absl::Status& status, uint64_t ticket);

  CacheStats Stats() const { return cache_.Stats(); }

 private:
  const ChangeCounters& counters_;
  const Options options_;
  ByteCache<Selected> cache_;  // by the reference as it was written
};

}  // namespace tasker::registry
