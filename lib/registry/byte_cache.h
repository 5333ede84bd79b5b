#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tasker::registry {

/// Counts since the cache was made, and what it holds now.
struct CacheStats {
  uint64_t hits = 0;
  uint64_t misses = 0;
  uint64_t evictions = 0;
  size_t entries = 0;
  size_t bytes = 0;
};

/// Values by key, at most `capacity` bytes of them in all. Values are handed out as shared_ptr, so one that is being
/// read survives its eviction; make them outside, `Put` them after.
///
/// Made for readers: each thread that looks something up takes a lock of its own (a thread has one of kReaders), so
/// readers do not meet; a writer takes them all. What goes first is found by a clock hand that passes over what was
/// used since it last came by. Safe to call from any thread.
template <typename Value>
class ByteCache {
 public:
  using Handle = std::shared_ptr<const Value>;

  explicit ByteCache(size_t capacity) : capacity_(capacity) {}

  /// nullptr when the key is not there.
  Handle Find(std::string_view key) {
    Reader& reader = readers_[ReaderOfThread()];
    const std::lock_guard lock(reader.mutex);
    const auto found = entries_.find(key);
    if (found == entries_.end()) {
      ++reader.misses;
      return nullptr;
    }
    ++reader.hits;
    // Written once, not each time: the flag's cache line is shared by all readers.
    if (!found->second.used.load(std::memory_order_relaxed)) found->second.used.store(true, std::memory_order_relaxed);
    return found->second.value;
  }

  /// Keeps `value`, which takes about `bytes` (what the cache itself needs is added here), in place of what the key
  /// had, and gives it back. A value larger than a sixteenth of the capacity is not kept.
  Handle Put(std::string_view key, Handle value, size_t bytes) {
    bytes += key.size() + kEntryOverhead;
    std::vector<Handle> gone;  // freed after the locks
    const WriterLock lock(*this);
    const auto before = entries_.find(key);
    if (before != entries_.end()) Remove(before, gone);
    if (bytes > capacity_ / 16) return value;
    while (bytes_ + bytes > capacity_) EvictOne(gone);
    const auto [entry, is_new] = entries_.try_emplace(std::string(key));
    entry->second.value = value;
    entry->second.bytes = bytes;
    entry->second.place = ring_.size();
    ring_.push_back(&*entry);
    bytes_ += bytes;
    return value;
  }

  CacheStats Stats() const {
    const WriterLock lock(*this);
    CacheStats stats{.evictions = evictions_, .entries = entries_.size(), .bytes = bytes_};
    for (const Reader& reader : readers_) {
      stats.hits += reader.hits;
      stats.misses += reader.misses;
    }
    return stats;
  }

 private:
  static constexpr size_t kReaders = 16;
  // Of map, key, ring and control block: measured with glibc's malloc.
  static constexpr size_t kEntryOverhead = 176;

  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
  };
  struct Entry {
    Handle value;
    size_t bytes = 0;
    size_t place = 0;  // in the ring
    std::atomic<bool> used = false;
  };
  using Entries = std::unordered_map<std::string, Entry, Hash, std::equal_to<>>;

  struct alignas(64) Reader {
    mutable std::mutex mutex;
    uint64_t hits = 0;
    uint64_t misses = 0;
  };
  class WriterLock {
   public:
    explicit WriterLock(const ByteCache& cache) : cache_(cache) {
      for (const Reader& reader : cache_.readers_) reader.mutex.lock();
    }
    ~WriterLock() {
      for (const Reader& reader : cache_.readers_) reader.mutex.unlock();
    }
    WriterLock(const WriterLock&) = delete;
    WriterLock& operator=(const WriterLock&) = delete;

   private:
    const ByteCache& cache_;
  };

  static size_t ReaderOfThread() {
    static std::atomic<size_t> threads = 0;
    thread_local const size_t mine = threads++ % kReaders;
    return mine;
  }

  void EvictOne(std::vector<Handle>& gone) {
    for (;; ++hand_) {
      if (hand_ >= ring_.size()) hand_ = 0;
      if (!ring_[hand_]->second.used.exchange(false, std::memory_order_relaxed)) break;
    }
    ++evictions_;
    Remove(entries_.find(ring_[hand_]->first), gone);
  }

  void Remove(typename Entries::iterator entry, std::vector<Handle>& gone) {
    const size_t place = entry->second.place;
    ring_[place] = ring_.back();
    ring_[place]->second.place = place;
    ring_.pop_back();
    bytes_ -= entry->second.bytes;
    gone.push_back(std::move(entry->second.value));
    entries_.erase(entry);
  }

  const size_t capacity_;
  std::array<Reader, kReaders> readers_;
  // Read under any reader's lock, written under all of them.
  Entries entries_;
  std::vector<typename Entries::value_type*> ring_;
  size_t hand_ = 0;
  size_t bytes_ = 0;
  uint64_t evictions_ = 0;
};

}  // namespace tasker::registry
