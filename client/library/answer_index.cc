#include "client/library/answer_index.h"

#include <algorithm>
#include <atomic>
#include <memory>

namespace tasker::client {
namespace {

// flat_hash_set fills 7/8 of a power of two; twice this is that again.
constexpr size_t kSmallestTable = 56;

}  // namespace

AnswerIndex::Part& AnswerIndex::OwnPart() const {
  static std::atomic<size_t> threads{0};
  thread_local const size_t number = threads.fetch_add(1, std::memory_order_relaxed);
  return parts_[number % kParts];
}

AnswerHandle AnswerIndex::Find(const AnswerKey& key) const {
  const uint64_t hash = key.Hash();
  Part& part = OwnPart();
  const std::lock_guard lock(part.mutex);
  const auto found = table_.find(hash, hash);
  if (found == table_.end() || (*found)->asked.key() != key) return nullptr;
  const RememberedAnswer& answer = **found;
  // Written only where it changes something, because a write takes the cache line away from other cores.
  if (!answer.used.load(std::memory_order_relaxed)) answer.used.store(true, std::memory_order_relaxed);
  Lease& lease = part.LeaseAt(hash);
  if (lease.of != &answer) {
    lease = {&answer, nullptr};
    return answer.shared_from_this();
  }
  if (lease.handle == nullptr) {
    lease.handle = AnswerHandle(&answer, [owner = answer.shared_from_this()](const RememberedAnswer*) {});
  }
  return lease.handle;
}

const RememberedAnswer* AnswerIndex::At(uint64_t hash) const {
  const auto found = table_.find(hash, hash);
  return found == table_.end() ? nullptr : *found;
}

void AnswerIndex::Change(const std::vector<AnswerHandle>& gone, const RememberedAnswer* added) {
  if (added != nullptr && room_ == 0) Grow();
  for (Part& part : parts_) part.mutex.lock();
  for (const AnswerHandle& answer : gone) {
    table_.erase(answer.get());
    for (Part& part : parts_) {
      if (Lease& lease = part.LeaseAt(answer->asked.hash()); lease.of == answer.get()) lease = Lease();
    }
  }
  if (added != nullptr) {
    table_.insert(added);
    --room_;
  }
  for (Part& part : parts_) part.mutex.unlock();
}

// flat_hash_set moves all its elements when it grows, which is made here beside the readers.
void AnswerIndex::Grow() {
  const size_t room = std::max(kSmallestTable, 2 * table_.size());
  Table larger;
  larger.reserve(room);
  larger.insert(table_.begin(), table_.end());
  room_ = room - larger.size();
  for (Part& part : parts_) part.mutex.lock();
  table_.swap(larger);
  for (Part& part : parts_) part.mutex.unlock();
}

}  // namespace tasker::client
