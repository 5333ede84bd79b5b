#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

namespace tasker::client {

/// Memory for objects that are looked up in no order, each in cache lines of its own, close together and in huge pages:
/// where they lie among all else that a program allocates, most of a look-up is waiting for the page tables. What comes
/// back is used again, but not returned to the system. Safe to use from any thread.
template <size_t kBytes>
class BlockPool {
 public:
  /// The process's. It outlives every object, those that static variables hold included.
  static BlockPool& Shared() {
    static BlockPool& pool = *new BlockPool;
    return pool;
  }

  /// Throws std::bad_alloc.
  void* Take() {
    const std::lock_guard lock(mutex_);
    if (free_ != nullptr) {
      Free* const block = free_;
      free_ = block->next;
      return block;
    }
    if (left_ == 0) AddPiece();
    --left_;
    return std::exchange(next_, next_ + kBlockBytes);
  }

  void GiveBack(void* block) {
    const std::lock_guard lock(mutex_);
    free_ = new (block) Free{free_};
  }

 private:
  struct Free {
    Free* next;
  };
  static constexpr size_t kCacheLine = 64;
  static constexpr size_t kHugePage = size_t{2} << 20;
  static constexpr size_t kBlockBytes = (kBytes + kCacheLine - 1) / kCacheLine * kCacheLine;

  void AddPiece() {
    // Twice the size, for there to be a whole piece at a multiple of it. Memory that nobody touches takes none.
    void* const found =
        ::mmap(nullptr, 2 * piece_bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, /*fd=*/-1, /*offset=*/0);
    if (found == MAP_FAILED) throw std::bad_alloc();
    void* start = found;
    size_t space = 2 * piece_bytes_;
    next_ = static_cast<char*>(std::align(piece_bytes_, piece_bytes_, start, space));
    // Where the system has no huge page, small ones serve as well, only slower.
    if (piece_bytes_ == kHugePage) ::madvise(next_, kHugePage, MADV_HUGEPAGE);
    left_ = piece_bytes_ / kBlockBytes;
    piece_bytes_ = std::min(2 * piece_bytes_, kHugePage);
  }

  std::mutex mutex_;  // guards what follows
  Free* free_ = nullptr;
  char* next_ = nullptr;
  size_t left_ = 0;                        // blocks at next_
  size_t piece_bytes_ = size_t{64} << 10;  // of the next piece: small for those who remember little
};

/// For std::allocate_shared.
template <typename T>
struct BlockAllocator {
  using value_type = T;

  BlockAllocator() = default;
  template <typename Other>
  explicit BlockAllocator(const BlockAllocator<Other>&) {}

  T* allocate(size_t) { return static_cast<T*>(BlockPool<sizeof(T)>::Shared().Take()); }
  void deallocate(T* object, size_t) { BlockPool<sizeof(T)>::Shared().GiveBack(object); }
  template <typename Other>
  bool operator==(const BlockAllocator<Other>&) const {
    return true;
  }
};

}  // namespace tasker::client
