#include "client/library/block_pool.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <set>
#include <thread>
#include <vector>

namespace tasker::client {
namespace {

constexpr size_t kBytes = 100;
constexpr size_t kBlockBytes = 128;  // in whole cache lines
constexpr size_t kMany = 100'000;    // more than one huge page of them

TEST(BlockPoolTest, GivesBlocksInCacheLinesOfTheirOwn) {
  auto& pool = BlockPool<kBytes>::Shared();
  std::set<uintptr_t> blocks;
  for (size_t i = 0; i < kMany; ++i) {
    void* const block = pool.Take();
    std::memset(block, 0xFF, kBytes);
    blocks.insert(reinterpret_cast<uintptr_t>(block));
  }
  uintptr_t end = 0;
  for (const uintptr_t block : blocks) {
    ASSERT_EQ(block % 64, 0);
    ASSERT_GE(block, end);
    end = block + kBlockBytes;
  }
  for (const uintptr_t block : blocks) pool.GiveBack(reinterpret_cast<void*>(block));
}

TEST(BlockPoolTest, UsesAgainWhatCameBack) {
  auto& pool = BlockPool<kBytes + 1>::Shared();
  void* const first = pool.Take();
  void* const second = pool.Take();
  EXPECT_NE(first, second);
  pool.GiveBack(first);
  EXPECT_EQ(pool.Take(), first);
  pool.GiveBack(first);
  pool.GiveBack(second);
}

TEST(BlockPoolTest, ServesSharedPointersOfSeveralThreads) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([i] {
      std::vector<std::shared_ptr<int>> numbers;
      for (int j = 0; j < 1000; ++j) {
        numbers.push_back(std::allocate_shared<int>(BlockAllocator<int>(), i));
        if (j % 3 == 0) numbers.erase(numbers.begin());
      }
      for (const auto& number : numbers) EXPECT_EQ(*number, i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace tasker::client
