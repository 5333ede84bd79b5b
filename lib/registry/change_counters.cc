#include "lib/registry/change_counters.h"

#include <fmt/format.h>

#include "lib/store/records.h"

namespace tasker::registry {

void ChangeCounters::Count(const store::ChangeRow& change) {
  const size_t slot = SlotOf(fmt::format("{}/{}", change.namespace_name, change.name));
  // These change which versions there are or where a channel points, but nothing about a version that was there.
  const bool only_selections =
      change.kind == "REGISTER" || change.kind == "SET_CHANNEL" || change.kind == "DELETE_CHANNEL";
  if (!only_selections) states_[slot].fetch_add(1, std::memory_order_release);
  selections_[slot].fetch_add(1, std::memory_order_release);
}

void ChangeCounters::CountAll() {
  for (std::atomic<uint64_t>& count : states_) count.fetch_add(1, std::memory_order_release);
  for (std::atomic<uint64_t>& count : selections_) count.fetch_add(1, std::memory_order_release);
}

void ChangeCounters::CountTemplate(std::string_view reference) {
  states_[SlotOf(reference)].fetch_add(1, std::memory_order_release);
  CountSelections(reference);
}

void ChangeCounters::CountSelections(std::string_view reference) {
  selections_[SlotOf(reference)].fetch_add(1, std::memory_order_release);
}

}  // namespace tasker::registry
