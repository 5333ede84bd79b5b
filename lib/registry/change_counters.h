#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace tasker::store {
struct ChangeRow;
}

namespace tasker::registry {

/// Counts the changes of templates, so that whoever remembers something can tell that it may be old: read the count
/// before asking the database, keep it with the answer, and compare. Templates share counts (there are kSlots of each),
/// which costs an unneeded question now and then. Safe to call from any thread.
class ChangeCounters {
 public:
  /// What any change of a template counts for: what its selectors select, which versions there are.
  uint64_t Selections(std::string_view reference) const { return Load(selections_, reference); }
  /// What only a change of a version's state counts for: deprecated, yanked, restored, purged, imported.
  uint64_t States(std::string_view reference) const { return Load(states_, reference); }

  void Count(const store::ChangeRow& change);
  /// Everything may have changed.
  void CountAll();
  /// A template was, or may have been, changed through this server, whose change has not come back by the log yet: all
  /// of it, or only what its selectors select. `reference` may have a selector, which does not matter.
  void CountTemplate(std::string_view reference);
  void CountSelections(std::string_view reference);

 private:
  static constexpr size_t kSlots = 4096;
  using Slots = std::array<std::atomic<uint64_t>, kSlots>;

  static uint64_t Load(const Slots& slots, std::string_view reference) {
    return slots[SlotOf(reference)].load(std::memory_order_acquire);
  }
  /// Of "namespace/name", whatever selector follows.
  static size_t SlotOf(std::string_view reference) {
    const std::string_view name = reference.substr(0, reference.find_first_of(":@"));
    return std::hash<std::string_view>()(name) % kSlots;
  }

  Slots selections_{};
  Slots states_{};
};

}  // namespace tasker::registry
