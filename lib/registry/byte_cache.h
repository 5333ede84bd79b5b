#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace tasker::registry {

/// Counts since the cache was made, and what it holds now.
struct CacheStats {
  uint64_t hits = 0;
  uint64_t misses = 0;
  uint64_t evictions = 0;
  size_t entries = 0;
  size_t bytes = 0;
};

/// Values that never change by key, at most `capacity` bytes of them; the least recently used go first. Values are
/// handed out as shared_ptr, so one that is being read survives its eviction; make them outside, `Put` them after.
/// Split into shards, so that readers seldom meet. Safe to call from any thread.
template <typename Value>
class ByteCache {
 public:
  using Handle = std::shared_ptr<const Value>;

  explicit ByteCache(size_t capacity) : shard_capacity_(capacity / kShards) {}

  /// nullptr when the key is not there.
  Handle Find(std::string_view key) {
    Shard& shard = ShardOf(key);
    const std::lock_guard lock(shard.mutex);
    const auto found = shard.index.find(key);
    if (found == shard.index.end()) {
      ++shard.misses;
      return nullptr;
    }
    ++shard.hits;
    shard.entries.splice(shard.entries.begin(), shard.entries, found->second);
    return found->second->value;
  }

  /// Keeps `value`, which takes about `bytes` (what the cache itself needs is added here), and gives it back. When the
  /// key is there already, the value of before stays and is given back, so that everybody shares one. A value larger
  /// than a shard (a sixteenth of the capacity) is not kept.
  Handle Put(std::string_view key, Handle value, size_t bytes) {
    bytes += key.size() + kEntryOverhead;
    Shard& shard = ShardOf(key);
    std::list<Entry> evicted;  // freed after the lock
    const std::lock_guard lock(shard.mutex);
    if (const auto found = shard.index.find(key); found != shard.index.end()) return found->second->value;
    if (bytes > shard_capacity_) return value;
    while (shard.bytes + bytes > shard_capacity_) {
      const auto last = std::prev(shard.entries.end());
      shard.index.erase(last->key);
      shard.bytes -= last->bytes;
      ++shard.evictions;
      evicted.splice(evicted.begin(), shard.entries, last);
    }
    shard.entries.push_front({std::string(key), value, bytes});
    shard.index.emplace(shard.entries.front().key, shard.entries.begin());
    shard.bytes += bytes;
    return value;
  }

  CacheStats Stats() const {
    CacheStats stats;
    for (const Shard& shard : shards_) {
      const std::lock_guard lock(shard.mutex);
      stats.hits += shard.hits;
      stats.misses += shard.misses;
      stats.evictions += shard.evictions;
      stats.entries += shard.entries.size();
      stats.bytes += shard.bytes;
    }
    return stats;
  }

 private:
  static constexpr size_t kShards = 16;
  static constexpr size_t kEntryOverhead = 160;  // list and map nodes, control block: measured with glibc's malloc

  struct Entry {
    std::string key;
    Handle value;
    size_t bytes;
  };
  struct Shard {
    mutable std::mutex mutex;                                                         // guards all of the shard
    std::list<Entry> entries;                                                         // most recently used first
    std::unordered_map<std::string_view, typename std::list<Entry>::iterator> index;  // keys live in `entries`
    size_t bytes = 0;
    uint64_t hits = 0;
    uint64_t misses = 0;
    uint64_t evictions = 0;
  };

  Shard& ShardOf(std::string_view key) { return shards_[std::hash<std::string_view>()(key) >> 7 & (kShards - 1)]; }

  const size_t shard_capacity_;
  std::array<Shard, kShards> shards_;
};

}  // namespace tasker::registry
