#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/library/answer_index.h"
#include "client/library/remembered_answer.h"
#include "tasker/registry/v1/registry.pb.h"

namespace tasker::client {

namespace pb = ::tasker::registry::v1;

/// One question on its way to the registry, and those who wait for its answer.
struct Flight {
  Flight(const AnswerKey& key, std::string_view template_of_it) : asked(key), template_name(template_of_it) {}

  const OwnedKey asked;
  const std::string template_name;
  int64_t min_revision = 0;  ///< that the answer must reflect
  bool outdated = false;     ///< a change came meanwhile; guarded by the cache
  std::promise<absl::StatusOr<AnswerHandle>> promise;
  const std::shared_future<absl::StatusOr<AnswerHandle>> result{promise.get_future()};
};

/// Remembers answers, at most `capacity` bytes of them; those not used lately go first (second chance). Told of every
/// change in order, it forgets what each concerns; an answer that was on its way meanwhile is not kept. Safe to call
/// from any thread. `Find` waits for others only while they change a few words of memory.
class AnswerCache {
 public:
  explicit AnswerCache(size_t capacity) : capacity_(capacity) {}

  /// nullptr when there is none. See `is_current`.
  AnswerHandle Find(const AnswerKey& key) const { return index_.Find(key); }

  /// Whether no change and no gap concerned the answer since it was kept.
  bool is_current(const RememberedAnswer& answer) const {
    return answer.generation.load(std::memory_order_relaxed) == generation_.load(std::memory_order_acquire);
  }

  /// What the caller of a question that `Find` did not answer does next.
  struct Ticket {
    AnswerHandle found;              ///< somebody kept an answer meanwhile: use it; or else
    std::shared_ptr<Flight> flight;  ///< wait for its result, or
    bool leads = false;              ///< ask the registry, and give the answer to `Land`
  };
  /// `seen` is what Find gave.
  Ticket Board(const AnswerKey& key, std::string_view template_name, const AnswerHandle& seen);

  /// Keeps the answer, unless it is outdated or `keep` is false, and gives it to those who wait. REQUIRES: the caller
  /// leads the flight, and calls this once.
  void Land(const std::shared_ptr<Flight>& flight, absl::StatusOr<std::shared_ptr<RememberedAnswer>> outcome,
            bool keep);

  /// Keeps an answer from an earlier process. An exact one that was `current` there, is so here; no other.
  void Restore(std::shared_ptr<RememberedAnswer> answer, bool current);

  /// All of `revision`'s changes, or the first part of them where not `complete`: answers from now on reflect them.
  void Apply(const google::protobuf::RepeatedPtrField<pb::Change>& changes, int64_t revision, bool complete);

  /// Changes were missed, or may have been: nothing is current any more. `revision` is where the registry is now.
  void Reset(int64_t revision);

  /// Where the changes can go on from; nullopt before the first `Apply`, `Reset` or `Resume`.
  std::optional<int64_t> revision() const;
  void Resume(int64_t revision);

  struct Content {
    std::optional<int64_t> revision;  ///< the answers may be newer, but never older
    std::vector<AnswerHandle> answers;
  };
  Content Contents() const;

  struct Counts {
    std::optional<int64_t> revision;
    size_t entries = 0;
    size_t bytes = 0;
    uint64_t edits = 0;  ///< answers that came or went so far
  };
  Counts GetCounts() const;

 private:
  struct HashOf {
    using is_transparent = void;
    size_t operator()(const AnswerKey& key) const { return key.Hash(); }
    size_t operator()(const std::shared_ptr<Flight>& flight) const { return flight->asked.hash(); }
  };
  struct SameKey {
    using is_transparent = void;
    static const AnswerKey& KeyOf(const AnswerKey& key) { return key; }
    static AnswerKey KeyOf(const std::shared_ptr<Flight>& flight) { return flight->asked.key(); }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return KeyOf(a) == KeyOf(b);
    }
  };
  using Ring = std::list<AnswerHandle>;
  using Places = absl::flat_hash_map<const RememberedAnswer*, Ring::iterator>;

  // All of these REQUIRE writing_. What leaves the cache goes into `freed`, to be destroyed after the lock.
  void Keep(std::shared_ptr<RememberedAnswer> answer, std::vector<AnswerHandle>& freed);
  void Link(const AnswerHandle& answer);
  void Unlink(const AnswerHandle& answer);
  void Evict(size_t bytes, std::vector<AnswerHandle>& freed);
  void Forget(const pb::Change& change, std::vector<AnswerHandle>& freed);
  void OutdateFlights(const std::string* template_name);

  const size_t capacity_;
  std::atomic<uint32_t> generation_{1};

  mutable std::mutex writing_;  // serialises writers; guards what follows, of which Find alone reads beside them
  AnswerIndex index_;
  Ring ring_;  // in the order of the eviction's hand
  Ring::iterator hand_ = ring_.end();
  absl::flat_hash_map<std::string, Places> by_template_;
  size_t bytes_ = 0;
  uint64_t edits_ = 0;
  absl::flat_hash_set<std::shared_ptr<Flight>, HashOf, SameKey> flights_;
  std::optional<int64_t> revision_;  // all changes up to here were applied
  int64_t min_revision_ = 0;         // some changes up to here were applied
};

}  // namespace tasker::client
