#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "lib/registry/state_notice.h"

namespace tasker::registry {

/// What is known of the states of exact versions, so that answers from memory carry the notice that holds now. A
/// version whose state is not known here may be purged: nothing of it may be answered from memory before the database
/// was asked. Whoever learns that a template's states changed, by writing or from the change log, calls Forget.
/// Safe to call from any thread.
class NoticeCache {
 public:
  static constexpr size_t kMaxVersions = 400'000;  ///< about; more cost the oldest knowledge of a sixteenth of all

  NoticeCache() = default;
  NoticeCache(const NoticeCache&) = delete;
  NoticeCache& operator=(const NoticeCache&) = delete;

  /// The notice of "payments/refund:1.0.0"; nullopt: not known.
  std::optional<Notice> Find(std::string_view exact) const;
  /// The last that was known, whatever was forgotten since: for when the database is away.
  std::optional<Notice> FindOutdated(std::string_view exact) const;

  /// Taken before the database is asked, it makes Put drop an answer that a Forget may have overtaken.
  uint64_t TicketFor(std::string_view exact) const;
  void Put(std::string_view exact, Notice notice, uint64_t ticket);

  void Forget(std::string_view namespace_name, std::string_view name);

 private:
  static constexpr size_t kShards = 16;

  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  template <typename Value>
  using Map = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;
  struct Entry {
    Notice notice;
    bool holds = true;
  };
  struct Shard {
    mutable std::mutex mutex;   // guards all of the shard
    Map<Map<Entry>> templates;  // by "namespace/name", then by version
    size_t versions = 0;        // in all of `templates`
    uint64_t forgets = 0;
  };

  const Shard& ShardOf(std::string_view path) const { return shards_[Hash()(path) >> 7 & (kShards - 1)]; }
  Shard& ShardOf(std::string_view path) { return shards_[Hash()(path) >> 7 & (kShards - 1)]; }
  std::optional<Entry> FindEntry(std::string_view exact) const;

  std::array<Shard, kShards> shards_;
};

}  // namespace tasker::registry
