#include "lib/registry/notice_cache.h"

#include <fmt/format.h>

#include <utility>

namespace tasker::registry {
namespace {

// "payments/refund" and "1.0.0"; names hold no ':'.
std::pair<std::string_view, std::string_view> Split(std::string_view exact) {
  const size_t colon = exact.find(':');
  if (colon == std::string_view::npos) return {exact, {}};
  return {exact.substr(0, colon), exact.substr(colon + 1)};
}

}  // namespace

std::optional<NoticeCache::Entry> NoticeCache::FindEntry(std::string_view exact) const {
  const auto [path, version] = Split(exact);
  const Shard& shard = ShardOf(path);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.templates.find(path);
  if (found == shard.templates.end()) return std::nullopt;
  const auto entry = found->second.find(version);
  if (entry == found->second.end()) return std::nullopt;
  return entry->second;
}

std::optional<Notice> NoticeCache::Find(std::string_view exact) const {
  std::optional<Entry> entry = FindEntry(exact);
  if (!entry || !entry->holds) return std::nullopt;
  return std::move(entry->notice);
}

std::optional<Notice> NoticeCache::FindOutdated(std::string_view exact) const {
  std::optional<Entry> entry = FindEntry(exact);
  if (!entry) return std::nullopt;
  return std::move(entry->notice);
}

uint64_t NoticeCache::TicketFor(std::string_view exact) const {
  const Shard& shard = ShardOf(Split(exact).first);
  const std::lock_guard lock(shard.mutex);
  return shard.forgets;
}

void NoticeCache::Put(std::string_view exact, Notice notice, uint64_t ticket) {
  const auto [path, version] = Split(exact);
  Shard& shard = ShardOf(path);
  Map<Map<Entry>> dropped;  // freed after the lock
  const std::lock_guard lock(shard.mutex);
  if (shard.forgets != ticket) return;
  if (shard.versions >= kMaxVersions / kShards) {
    dropped.swap(shard.templates);
    shard.versions = 0;
  }
  Map<Entry>& versions = shard.templates.try_emplace(std::string(path)).first->second;
  const bool is_new = versions.insert_or_assign(std::string(version), Entry{std::move(notice)}).second;
  if (is_new) ++shard.versions;
}

void NoticeCache::Forget(std::string_view namespace_name, std::string_view name) {
  const std::string path = fmt::format("{}/{}", namespace_name, name);
  Shard& shard = ShardOf(path);
  const std::lock_guard lock(shard.mutex);
  ++shard.forgets;
  const auto found = shard.templates.find(path);
  if (found == shard.templates.end()) return;
  for (auto& [version, entry] : found->second) entry.holds = false;
}

}  // namespace tasker::registry
