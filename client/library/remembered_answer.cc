#include "client/library/remembered_answer.h"

#include <absl/numeric/int128.h>
#include <absl/status/statusor.h>

#include <cstring>

#include "client/library/block_pool.h"
#include "lib/template/reference.h"

namespace tasker::client {
namespace {

constexpr uint64_t kSeed = 0x9E3779B97F4A7C15;

uint64_t Mix(uint64_t a, uint64_t b) {
  const absl::uint128 product = absl::uint128(a) * b;
  return absl::Uint128Low64(product) ^ absl::Uint128High64(product);
}

template <typename Word>
uint64_t Load(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

// As wyhash does it: less than half the instructions of std::hash for texts as short as these.
uint64_t HashText(uint64_t hash, std::string_view text) {
  const char* at = text.data();
  size_t left = text.size();
  for (; left > 16; left -= 16, at += 16) hash = Mix(Load<uint64_t>(at) ^ kSeed, Load<uint64_t>(at + 8) ^ hash);
  uint64_t first = 0;
  uint64_t last = 0;  // may overlap the first
  if (left >= 8) {
    first = Load<uint64_t>(at);
    last = Load<uint64_t>(at + left - 8);
  } else if (left >= 4) {
    first = Load<uint32_t>(at);
    last = Load<uint32_t>(at + left - 4);
  } else if (left > 0) {
    first = Load<uint8_t>(at) | Load<uint8_t>(at + left / 2) << 8;
    last = Load<uint8_t>(at + left - 1);
  }
  return Mix(first ^ kSeed ^ text.size(), last ^ hash);
}

}  // namespace

uint64_t AnswerKey::Hash() const {
  const uint64_t form = ~kSeed + static_cast<uint64_t>(kind) * 2 + (require_environment ? 1 : 0);
  const uint64_t hash = HashText(HashText(form, reference), environment);
  return step.empty() ? hash : HashText(hash, step);
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
