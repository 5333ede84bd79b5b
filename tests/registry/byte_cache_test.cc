#include "lib/registry/byte_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace tasker::registry {
namespace {

using Cache = ByteCache<std::string>;

Cache::Handle Text(const std::string& text) { return std::make_shared<std::string>(text); }

TEST(ByteCacheTest, GivesBackWhatWasPut) {
  Cache cache(1 << 20);
  EXPECT_EQ(cache.Find("a"), nullptr);
  cache.Put("a", Text("value"), 5);
  ASSERT_NE(cache.Find("a"), nullptr);
  EXPECT_EQ(*cache.Find("a"), "value");
  EXPECT_EQ(cache.Stats().entries, 1u);
}

TEST(ByteCacheTest, KeepsTheLastValueOfAKey) {
  Cache cache(1 << 20);
  cache.Put("a", Text("1"), 1000);
  const Cache::Handle second = cache.Put("a", Text("2"), 1);
  EXPECT_EQ(cache.Find("a"), second);
  EXPECT_EQ(cache.Stats().entries, 1u);
  EXPECT_LT(cache.Stats().bytes, 1000u);
}

TEST(ByteCacheTest, CountsWhatWasFound) {
  Cache cache(1 << 20);
  cache.Find("a");
  cache.Put("a", Text("1"), 1);
  cache.Find("a");
  cache.Find("a");
  EXPECT_EQ(cache.Stats().hits, 2u);
  EXPECT_EQ(cache.Stats().misses, 1u);
}

TEST(ByteCacheTest, WithoutCapacityKeepsNothing) {
  Cache cache(0);
  EXPECT_NE(cache.Put("a", Text("1"), 1), nullptr);
  EXPECT_EQ(cache.Find("a"), nullptr);
}

TEST(ByteCacheTest, StaysWithinItsCapacity) {
  constexpr size_t kCapacity = 1 << 20;
  Cache cache(kCapacity);
  for (int i = 0; i < 10'000; ++i) {
    cache.Put(std::to_string(i), Text("x"), 1000);
    ASSERT_LE(cache.Stats().bytes, kCapacity);
  }
  EXPECT_GT(cache.Stats().evictions, 0u);
  EXPECT_GT(cache.Stats().entries, 500u);
}

TEST(ByteCacheTest, EvictsWhatWasUsedLeastRecently) {
  Cache cache(1 << 20);
  cache.Put("kept", Text("x"), 1000);
  for (int i = 0; i < 10'000; ++i) {
    cache.Put(std::to_string(i), Text("x"), 1000);
    ASSERT_NE(cache.Find("kept"), nullptr) << i;
  }
  EXPECT_EQ(cache.Find("0"), nullptr);
}

TEST(ByteCacheTest, DoesNotKeepAValueThatWouldPushOutEverything) {
  Cache cache(1 << 20);
  const Cache::Handle huge = Text("huge");
  EXPECT_EQ(cache.Put("huge", huge, 1 << 20), huge);
  EXPECT_EQ(cache.Find("huge"), nullptr);
}

TEST(ByteCacheTest, AValueSurvivesItsEviction) {
  Cache cache(1 << 20);
  const Cache::Handle held = cache.Put("held", Text("still here"), 1000);
  for (int i = 0; i < 10'000; ++i) cache.Put(std::to_string(i), Text("x"), 1000);
  EXPECT_EQ(cache.Find("held"), nullptr);
  EXPECT_EQ(*held, "still here");
}

TEST(ByteCacheTest, ThreadsSeeWholeValuesOfTheirKeys) {
  Cache cache(1 << 16);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20'000; ++i) {
        const std::string key = std::to_string((i * 7 + t) % 300);
        const Cache::Handle found = cache.Find(key);
        if (found != nullptr && *found != key) ++wrong;
        if (found == nullptr || i % 64 == 0) cache.Put(key, Text(key), 100);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace tasker::registry
