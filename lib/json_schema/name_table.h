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
      if (candidate.hash == hash && Same(names_[candidate.index], name)) return candidate.index;
    }
  }

  const std::vector<std::string>& names() const { return names_; }

 private:
  struct Slot {
    uint32_t hash = 0;
    uint32_t index = kNone;
  };

  template <typename Block>
  static Block Load(const char* at) {
    Block block;
    std::memcpy(&block, at, sizeof block);
    return block;
  }

  // Names are short: a call of memcmp would cost more than the comparison.
  static bool Same(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    const char* x = a.data();
    const char* y = b.data();
    size_t left = a.size();
    if (left >= 8) {
      for (; left > 8; left -= 8, x += 8, y += 8) {
        if (Load<uint64_t>(x) != Load<uint64_t>(y)) return false;
      }
      // The last block, overlapping the one before.
      return Load<uint64_t>(x + left - 8) == Load<uint64_t>(y + left - 8);
    }
    if (left >= 4) {
      return Load<uint32_t>(x) == Load<uint32_t>(y) && Load<uint32_t>(x + left - 4) == Load<uint32_t>(y + left - 4);
    }
    for (size_t i = 0; i < left; ++i) {
      if (x[i] != y[i]) return false;
    }
    return true;
  }

  static uint64_t Mix(uint64_t value) {
    value *= 0x9E3779B97F4A7C15u;
    return value ^ (value >> 32);
  }
  static uint32_t HashOf(std::string_view name) {
    uint64_t hash = name.size();
    const char* at = name.data();
    size_t left = name.size();
    for (; left >= 8; left -= 8, at += 8) hash = Mix(hash ^ Load<uint64_t>(at));
    uint64_t rest = 0;
    if (left >= 4) {
      rest = (uint64_t{Load<uint32_t>(at + left - 4)} << 32) | Load<uint32_t>(at);
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
