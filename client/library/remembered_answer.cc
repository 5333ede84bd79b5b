#include "client/library/remembered_answer.h"

#include <absl/status/statusor.h>

#include <functional>

#include "client/library/block_pool.h"
#include "lib/template/reference.h"

namespace tasker::client {

uint64_t AnswerKey::Hash() const {
  constexpr uint64_t kOdd = 0x9E3779B97F4A7C15;  // spreads what is added over all bits
  const std::hash<std::string_view> hash;
  uint64_t out = hash(reference) * kOdd + hash(environment);
  if (!step.empty()) out = out * kOdd + hash(step);
  out = (out + static_cast<uint64_t>(kind) * 2 + (require_environment ? 1 : 0)) * kOdd;
  return out ^ out >> 32;
}

bool IsPinned(std::string_view reference) {
  const absl::StatusOr<tmpl::Reference> parsed = tmpl::ParseReference(reference);
  return parsed.ok() && (parsed->kind == tmpl::SelectorKind::kExact || parsed->kind == tmpl::SelectorKind::kDigest);
}

OwnedKey::OwnedKey(const AnswerKey& key)
    : hash_(key.Hash()),
      reference_size_(static_cast<uint32_t>(key.reference.size())),
      environment_size_(static_cast<uint32_t>(key.environment.size())),
      kind_(key.kind),
      require_environment_(key.require_environment) {
  for (const std::string_view part : {key.reference, key.environment, key.step}) {
    text_.insert(text_.end(), part.begin(), part.end());
  }
}

RememberedAnswer::RememberedAnswer(const AnswerKey& key, std::string_view template_of_it)
    : pinned(IsPinned(key.reference)), asked(key), template_name(template_of_it) {}

std::shared_ptr<RememberedAnswer> RememberedAnswer::Make(const AnswerKey& key, std::string_view template_name) {
  return std::allocate_shared<RememberedAnswer>(BlockAllocator<RememberedAnswer>(), key, template_name);
}

}  // namespace tasker::client
