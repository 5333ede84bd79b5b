#include "client/library/answer_cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <shared_mutex>
#include <utility>

#include "lib/template/reference.h"

namespace tasker::client {
namespace {

// The object itself, its nodes in the list and the three tables, and what malloc adds.
constexpr size_t kAnswerOverhead = sizeof(RememberedAnswer) + 200;

size_t BytesOf(const RememberedAnswer& answer) {
  return kAnswerOverhead + answer.asked.size() + 2 * answer.template_name.size() + answer.refusal.message().size() +
         (answer.response != nullptr ? answer.response->SpaceUsedLong() : 0);
}

// Whether a change of this kind alters what is said about a version that exists already.
bool ConcernsExactAnswers(pb::ChangeKind kind) {
  switch (kind) {
    case pb::CHANGE_KIND_REGISTER:
    case pb::CHANGE_KIND_IMPORT:
    case pb::CHANGE_KIND_SET_CHANNEL:
    case pb::CHANGE_KIND_DELETE_CHANNEL:
    case pb::CHANGE_KIND_SET_VERSION_POLICY:
      return false;
    default:  // one that this client does not know, too
      return true;
  }
}

}  // namespace

AnswerCache::Ticket AnswerCache::Board(const AnswerKey& key, std::string_view template_name, const AnswerHandle& seen) {
  const std::lock_guard lock(writing_);
  const RememberedAnswer* const kept = index_.At(key.Hash());
  if (kept != nullptr && kept->asked.key() == key && kept != seen.get() && is_current(*kept)) {
    return {kept->shared_from_this(), nullptr, false};
  }
  if (const auto flight = flights_.find(key); flight != flights_.end()) return {nullptr, *flight, false};
  auto flight = std::make_shared<Flight>(key, template_name);
  flight->min_revision = min_revision_;
  flights_.insert(flight);
  return {nullptr, std::move(flight), true};
}

void AnswerCache::Land(const std::shared_ptr<Flight>& flight, absl::StatusOr<std::shared_ptr<RememberedAnswer>> outcome,
                       bool keep) {
  std::vector<AnswerHandle> freed;
  {
    const std::lock_guard lock(writing_);
    if (!flight->outdated) flights_.erase(flight);
    if (outcome.ok() && keep && !flight->outdated) {
      (*outcome)->generation.store(generation_.load(std::memory_order_relaxed), std::memory_order_relaxed);
      Keep(*outcome, freed);
    }
  }
  if (outcome.ok()) {
    flight->promise.set_value(AnswerHandle(*std::move(outcome)));
  } else {
    flight->promise.set_value(outcome.status());
  }
}

void AnswerCache::Restore(std::shared_ptr<RememberedAnswer> answer, bool current) {
  std::vector<AnswerHandle> freed;
  const std::lock_guard lock(writing_);
  answer->restored = true;
  if (answer->exact() && current) answer->generation.store(generation_.load());
  Keep(std::move(answer), freed);
}

void AnswerCache::Keep(std::shared_ptr<RememberedAnswer> answer, std::vector<AnswerHandle>& freed) {
  answer->bytes = BytesOf(*answer);
  if (const RememberedAnswer* const old = index_.At(answer->asked.hash()); old != nullptr) {
    freed.push_back(old->shared_from_this());
    Unlink(freed.back());
  }
  const bool fits = answer->bytes <= capacity_;
  if (fits) {
    Evict(answer->bytes, freed);
    Link(answer);
  }
  index_.Change(freed, fits ? answer.get() : nullptr);
}

// Into all but the index.
void AnswerCache::Link(const AnswerHandle& answer) {
  bytes_ += answer->bytes;
  ++edits_;
  by_template_[answer->template_name].emplace(answer.get(), ring_.insert(hand_, answer));
}

void AnswerCache::Unlink(const AnswerHandle& answer) {
  bytes_ -= answer->bytes;
  ++edits_;
  const auto places = by_template_.find(answer->template_name);
  const auto place = places->second.find(answer.get());
  if (hand_ == place->second) ++hand_;
  ring_.erase(place->second);
  places->second.erase(place);
  if (places->second.empty()) by_template_.erase(places);
}

// The hand passes by each answer that was used since it came last, but once at most, and takes all others.
void AnswerCache::Evict(size_t bytes, std::vector<AnswerHandle>& freed) {
  size_t chances = ring_.size();
  while (bytes_ + bytes > capacity_) {
    if (hand_ == ring_.end()) hand_ = ring_.begin();
    if ((*hand_)->used.exchange(false, std::memory_order_relaxed) && chances > 0) {
      --chances;
      ++hand_;
      continue;
    }
    freed.push_back(*hand_);
    Unlink(freed.back());
  }
}

void AnswerCache::OutdateFlights(const std::string* template_name) {
  absl::erase_if(flights_, [&](const std::shared_ptr<Flight>& flight) {
    const bool concerned = template_name == nullptr || flight->template_name == *template_name;
    flight->outdated = flight->outdated || concerned;
    return concerned;
  });
}

void AnswerCache::Forget(const pb::Change& change, std::vector<AnswerHandle>& freed) {
  if (change.name().empty()) return;  // about a namespace
  const std::string template_name = fmt::format("{}/{}", change.namespace_name(), change.name());
  OutdateFlights(&template_name);
  const auto places = by_template_.find(template_name);
  if (places == by_template_.end()) return;
  const bool concerns_exact = ConcernsExactAnswers(change.kind());
  std::vector<AnswerHandle> forgotten;
  for (const auto& [answer, place] : places->second) {
    if (answer->exact()) {
      if (!concerns_exact || (!change.version().empty() && change.version() != answer->version)) continue;
      // Its content stays right, and serves those who pinned it while the registry is away.
      if (change.kind() != pb::CHANGE_KIND_PURGE) {
        answer->generation.store(0, std::memory_order_relaxed);
        continue;
      }
    }
    forgotten.push_back(*place);
  }
  for (const AnswerHandle& answer : forgotten) Unlink(answer);
  freed.insert(freed.end(), forgotten.begin(), forgotten.end());
  index_.Change(forgotten, nullptr);
}

void AnswerCache::Apply(const google::protobuf::RepeatedPtrField<pb::Change>& changes, int64_t revision,
                        bool complete) {
  std::vector<AnswerHandle> freed;
  const std::lock_guard lock(writing_);
  min_revision_ = revision;
  for (const pb::Change& change : changes) Forget(change, freed);
  if (complete) revision_ = revision;
}

void AnswerCache::Reset(int64_t revision) {
  const std::lock_guard lock(writing_);
  generation_.fetch_add(1, std::memory_order_release);
  OutdateFlights(nullptr);
  revision_ = min_revision_ = revision;
}

std::optional<int64_t> AnswerCache::revision() const {
  const std::lock_guard lock(writing_);
  return revision_;
}

void AnswerCache::Resume(int64_t revision) {
  const std::lock_guard lock(writing_);
  revision_ = min_revision_ = revision;
}

AnswerCache::Content AnswerCache::Contents() const {
  const std::lock_guard lock(writing_);
  return {revision_, {ring_.begin(), ring_.end()}};
}

AnswerCache::Counts AnswerCache::GetCounts() const {
  const std::lock_guard lock(writing_);
  return {revision_, ring_.size(), bytes_, edits_};
}

}  // namespace tasker::client
