#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace tasker::json_schema {

/// A fixed set of distinct names, found by hash: what a schema says about properties, by name. Constant after Build.
class NameTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  /// `names` must be distinct; their order gives their indices.
  void Build(std::vector<std::string> names);

  /// The index of `name`, or kNone.
  uint32_t Find(std::string_view name) const {
    if (names_.empty()) return kNone;
    const uint32_t hash = HashOf(name);
    for (uint32_t slot = hash & mask_;; slot = (slot + 1) & mask_) {
      const Slot& candidate = slots_[slot];
      if (candidate.index == kNone) return kNone;
      if (candidate.hash == hash && names_[candidate.index] == name) return candidate.index;
    }
  }

  const std::vector<std::string>& names() const { return names_; }

 private:
  struct Slot {
    uint32_t hash = 0;
    uint32_t index = kNone;
  };

  static uint64_t Mix(uint64_t value) {
    value *= 0x9E3779B97F4A7C15u;
    return value ^ (value >> 32);
  }
  static uint32_t HashOf(std::string_view name) {
    uint64_t hash = name.size();
    const char* at = name.data();
    size_t left = name.size();
    for (uint64_t block = 0; left >= 8; left -= 8, at += 8) {
      std::memcpy(&block, at, 8);
      hash = Mix(hash ^ block);
    }
    uint64_t rest = 0;
    if (left >= 4) {
      uint32_t low = 0, high = 0;
      std::memcpy(&low, at, 4);
      std::memcpy(&high, at + left - 4, 4);
      rest = (uint64_t{high} << 32) | low;
    } else {
      for (size_t i = 0; i < left; ++i) rest = (rest << 8) | static_cast<unsigned char>(at[i]);
    }
    return static_cast<uint32_t>(Mix(hash ^ rest));
  }

  std::vector<std::string> names_;
  std::vector<Slot> slots_;  // a power of two, at most half full
  uint32_t mask_ = 0;
};

}  // namespace tasker::json_schema
