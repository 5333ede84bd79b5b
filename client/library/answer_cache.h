#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/container/inlined_vector.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <google/protobuf/message.h>

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

#include "client/library/split_shared_mutex.h"
#include "tasker/registry/v1/registry.pb.h"

namespace tasker::client {

namespace pb = ::tasker::registry::v1;

/// Which of the calls an answer is of, and in which form.
enum class AnswerKind : uint8_t { kTemplate, kTemplateJson, kHandler };

/// What was asked. Two spellings of one reference are two keys.
struct AnswerKey {
  AnswerKind kind = AnswerKind::kTemplate;
  bool require_environment = false;
  std::string_view reference;
  std::string_view environment;
  std::string_view step;  ///< kHandler only

  size_t Hash() const;
  friend bool operator==(const AnswerKey&, const AnswerKey&) = default;
};

/// Whether a well-formed reference names an exact version or a digest, so that what it selects never changes.
bool IsPinned(std::string_view reference);

/// The text of a key, in the object itself where it is as short as keys are: a look-up reads no other place.
class OwnedKey {
 public:
  explicit OwnedKey(const AnswerKey& key);

  AnswerKey key() const {
    const std::string_view text(text_.data(), text_.size());
    return {kind_, require_environment_, text.substr(0, reference_size_),
            text.substr(reference_size_, environment_size_), text.substr(reference_size_ + environment_size_)};
  }
  size_t hash() const { return hash_; }
  size_t size() const { return text_.size(); }

 private:
  static constexpr size_t kInlineBytes = 56;

  const uint32_t reference_size_;
  const uint32_t environment_size_;
  const AnswerKind kind_;
  const bool require_environment_;
  absl::InlinedVector<char, kInlineBytes> text_;
  const size_t hash_;
};

/// An answer that the cache holds, or may come to hold. Constant but for the two marks. What a look-up reads comes
/// first.
struct RememberedAnswer : std::enable_shared_from_this<RememberedAnswer> {
  /// `template_name` is NAMESPACE/NAME, `pinned` says that the reference is an exact version or a digest.
  RememberedAnswer(const AnswerKey& key, std::string_view template_of_it, bool is_pinned)
      : pinned(is_pinned), asked(key), template_name(template_of_it) {}

  /// The cache's generation that it belongs to. An answer of another one is not known to be right any more.
  mutable std::atomic<uint32_t> generation{0};
  mutable std::atomic<bool> used{false};  ///< since the eviction's hand went over it
  const bool pinned;
  std::unique_ptr<const google::protobuf::Message> response;  ///< nullptr for a refusal
  const OwnedKey asked;

  const std::string template_name;
  std::string version;  ///< that `response` is of
  absl::Status refusal;
  int64_t known_at = 0;   ///< when it was known to be right, in nanoseconds of the steady clock
  absl::Duration stale;   ///< how old it was then already, by the server's word
  bool restored = false;  ///< from an earlier process
  size_t bytes = 0;       ///< of memory; the cache fills it in

  /// Whether its content can never change: only its notice can.
  bool exact() const { return pinned && response != nullptr; }
};
using AnswerHandle = std::shared_ptr<const RememberedAnswer>;

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
  AnswerHandle Find(const AnswerKey& key) const;

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
  // Answers and flights are found by an AnswerKey.
  struct HashOf {
    using is_transparent = void;
    size_t operator()(const AnswerKey& key) const { return key.Hash(); }
    template <typename Pointer>
    size_t operator()(const Pointer& owner) const {
      return owner->asked.hash();
    }
  };
  struct SameKey {
    using is_transparent = void;
    static const AnswerKey& KeyOf(const AnswerKey& key) { return key; }
    template <typename Pointer>
    static AnswerKey KeyOf(const Pointer& owner) {
      return owner->asked.key();
    }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return KeyOf(a) == KeyOf(b);
    }
  };
  template <typename Pointer>
  using KeyedSet = absl::flat_hash_set<Pointer, HashOf, SameKey>;
  // Plain pointers, because a table half the size stays in a core's cache. ring_ owns the answers.
  using Table = KeyedSet<const RememberedAnswer*>;
  using Ring = std::list<AnswerHandle>;
  using Places = absl::flat_hash_map<const RememberedAnswer*, Ring::iterator>;

  // All of these REQUIRE writing_. What leaves the cache goes into `freed`, to be destroyed after the lock.
  void Keep(std::shared_ptr<RememberedAnswer> answer, std::vector<AnswerHandle>& freed);
  void Link(const AnswerHandle& answer);
  void Unlink(const AnswerHandle& answer);
  void Evict(size_t bytes, std::vector<AnswerHandle>& freed);
  void GrowTable();
  void Forget(const pb::Change& change, std::vector<AnswerHandle>& freed);
  void OutdateFlights(const std::string* template_name);

  const size_t capacity_;
  std::atomic<uint32_t> generation_{1};

  mutable SplitSharedMutex reading_;  // guards table_; a writer locks it last and shortly
  Table table_;

  mutable std::mutex writing_;  // serialises writers; guards all below, and what writers read of the above
  size_t table_room_ = 0;       // insertions that table_ takes before it would move its elements
  Ring ring_;                   // in the order of the eviction's hand
  Ring::iterator hand_ = ring_.end();
  absl::flat_hash_map<std::string, Places> by_template_;
  size_t bytes_ = 0;
  uint64_t edits_ = 0;
  KeyedSet<std::shared_ptr<Flight>> flights_;
  std::optional<int64_t> revision_;  // all changes up to here were applied
  int64_t min_revision_ = 0;         // some changes up to here were applied
};

}  // namespace tasker::client
