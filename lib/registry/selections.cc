#include "lib/registry/selections.h"

#include <absl/time/clock.h>

#include <utility>

namespace tasker::registry {
namespace {

// A feed that works is never quiet for so long: it reads the log each second, whatever the bell says.
constexpr absl::Duration kQuiet = absl::Seconds(3);

}  // namespace

Selections::Selections(const ChangeCounters& counters, Options options)
    : counters_(counters), options_(std::move(options)), cache_(options_.age == nullptr ? 0 : options_.bytes) {}

std::optional<Selections::Found> Selections::Find(std::string_view reference) {
  if (options_.age == nullptr) return std::nullopt;
  ByteCache<Selected>::Handle known = cache_.Find(reference);
  if (known == nullptr || known->ticket != counters_.Selections(reference)) return std::nullopt;
  const absl::Duration age = options_.age();
  if (age > options_.max_staleness) return std::nullopt;
  if (!known->missing.ok() && absl::Now() > known->until) return std::nullopt;
  return Found{std::move(known), age > kQuiet ? age : absl::ZeroDuration()};
}

void Selections::Put(std::string_view reference, const std::string& exact, uint64_t ticket) {
  if (options_.age == nullptr) return;
  cache_.Put(reference, std::make_shared<Selected>(Selected{exact, absl::OkStatus(), absl::InfiniteFuture(), ticket}),
             sizeof(Selected) + exact.size());
}

void Selections::PutMissing(std::string_view reference, const absl::Status& status, uint64_t ticket) {
  if (options_.age == nullptr) return;
  // Twice the message: its details say about as much again.
  cache_.Put(reference, std::make_shared<Selected>(Selected{"", status, absl::Now() + kMissingFor, ticket}),
             sizeof(Selected) + 2 * status.message().size() + 512);
}

}  // namespace tasker::registry
