#include "lib/json_schema/name_table.h"

#include <bit>
#include <utility>

namespace tasker::json_schema {

void NameTable::Build(std::vector<std::string> names) {
  names_ = std::move(names);
  const size_t size = std::bit_ceil(names_.size() * 2 + 1);
  slots_.assign(size, Slot{});
  mask_ = static_cast<uint32_t>(size - 1);
  for (uint32_t i = 0; i < names_.size(); ++i) {
    const uint32_t hash = HashOf(names_[i]);
    uint32_t slot = hash & mask_;
    while (slots_[slot].index != kNone) slot = (slot + 1) & mask_;
    slots_[slot] = {.hash = hash, .index = i};
  }
}

}  // namespace tasker::json_schema
