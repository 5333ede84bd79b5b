#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "lib/registry/byte_cache.h"
#include "lib/registry/notice_cache.h"
#include "lib/store/store.h"
#include "lib/template/load.h"
#include "lib/template/model.h"
#include "lib/template/reference.h"

namespace tasker::registry {

/// A registered version, parsed. Never changes; its state does, and is not part of it.
struct RegisteredTemplate {
  std::string reference;  ///< exact
  std::string digest;
  tmpl::TaskTemplate tmpl;
};

/// Finds what references mean. Remembers parsed templates by exact version, at most `cache_bytes` of them; every other
/// selector asks the database each time, one query by an index, so that replicas agree. An exact version is answered
/// from memory only while its state is known (see NoticeCache). Safe to call from any thread.
class TemplateLoader {
 public:
  using Handle = std::shared_ptr<const RegisteredTemplate>;

  TemplateLoader(std::shared_ptr<store::Store> store, size_t cache_bytes);

  struct Loaded {
    Handle registered;
    Notice notice;  ///< of its state when it was asked for
  };

  /// INVALID_ARGUMENT for a malformed reference; NOT_FOUND as in not_found.h; otherwise as the store fails. While the
  /// database is away, a version that is in memory comes with the last notice that was known.
  absl::StatusOr<Loaded> LoadWithNotice(std::string_view reference, absl::Time deadline);
  absl::StatusOr<Handle> Load(std::string_view reference, absl::Time deadline);

  /// The same with everything the database holds, past the memory.
  absl::StatusOr<store::StoredVersion> LoadStored(std::string_view reference, absl::Time deadline);

  /// NOT_FOUND for a reference that names nothing, with what is near it; otherwise as the store fails.
  absl::Status NotFound(const tmpl::Reference& reference, absl::Time deadline) const;

  NoticeCache& notices() { return notices_; }
  CacheStats Stats() const { return cache_.Stats(); }

 private:
  absl::StatusOr<store::StoredVersion> Select(const tmpl::Reference& reference, absl::Time deadline) const;
  absl::StatusOr<Loaded> WithCurrentNotice(Handle known, const tmpl::Reference& exact, absl::Time deadline);

  const std::shared_ptr<store::Store> store_;
  ByteCache<RegisteredTemplate> cache_;  // by exact reference
  NoticeCache notices_;
};

/// The reference's parse error with the reason REFERENCE_MALFORMED.
absl::StatusOr<tmpl::Reference> ParseRequestReference(std::string_view reference);

/// The model that a stored version holds. INTERNAL when the row is damaged.
absl::StatusOr<tmpl::TaskTemplate> ParseStored(const store::StoredVersion& stored);

/// The same with the tree that positions come from: the author's text, where there is one.
absl::StatusOr<tmpl::LoadedTemplate> LoadWithPositions(const store::StoredVersion& stored);

/// "payments/refund:1.0.0" of a stored version.
std::string ExactReference(const store::VersionSummary& summary);

}  // namespace tasker::registry
