#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "lib/registry/byte_cache.h"
#include "lib/registry/change_counters.h"
#include "lib/registry/selections.h"
#include "lib/registry/single_flight.h"
#include "lib/registry/state_notice.h"
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

/// Finds what references mean. Remembers parsed templates by exact version, at most `cache_bytes` of them, each with
/// its state, and what other selectors select as long as changes are heard of (selections.h); else it asks the
/// database, one query by an index, and only one of those who ask for the same at once. A version whose state may have
/// changed is not given from memory before the database was asked: it may be purged. Safe to call from any thread.
class TemplateLoader {
 public:
  using Handle = std::shared_ptr<const RegisteredTemplate>;

  TemplateLoader(std::shared_ptr<store::Store> store, size_t cache_bytes, Selections::Options selections = {});

  struct Loaded {
    Handle registered;
    Notice notice;        ///< of its state when it was asked for
    uint64_t states = 0;  ///< counters().States(…) of before; when that has grown, the notice may be another
    size_t bytes = 0;     ///< that it takes in memory, about
  };

  /// INVALID_ARGUMENT for a malformed reference; NOT_FOUND as in not_found.h; otherwise as the store fails. While the
  /// database is away, a version that is in memory comes with the last notice that was known.
  absl::StatusOr<Loaded> LoadWithNotice(std::string_view reference, absl::Time deadline);
  absl::StatusOr<Handle> Load(std::string_view reference, absl::Time deadline);

  /// Several at once, with one question to the database: calls `use` with the place of a reference and what it means,
  /// one after the other. Not for those that are left to LoadWithNotice: no exact reference, no such version, another
  /// caller is asking for it already, or the database failed.
  void LoadTogether(std::span<const std::string_view> references, absl::Time deadline,
                    const std::function<void(size_t, const Loaded&)>& use);

  /// Who writes through this server, or hears of changes, counts them here: that forgets what may have changed.
  ChangeCounters& counters() { return counters_; }
  Selections& selections() { return selections_; }

  /// The same with everything the database holds, past the memory.
  absl::StatusOr<store::StoredVersion> LoadStored(std::string_view reference, absl::Time deadline);

  /// NOT_FOUND for a reference that names nothing, with what is near it; otherwise as the store fails.
  absl::Status NotFound(const tmpl::Reference& reference, absl::Time deadline) const;

  CacheStats Stats() const { return cache_.Stats(); }

 private:
  absl::StatusOr<store::StoredVersion> Select(const tmpl::Reference& reference, absl::Time deadline,
                                              store::VersionParts parts) const;
  bool IsCurrent(const Loaded& loaded) const { return loaded.states == counters_.States(loaded.registered->reference); }
  absl::StatusOr<Loaded> Ask(const tmpl::Reference& parsed, std::string_view reference, absl::Time deadline);
  absl::StatusOr<Loaded> AskState(const Loaded& known, const tmpl::Reference& exact, absl::Time deadline);
  absl::StatusOr<Loaded> Parse(const store::StoredVersion& stored, uint64_t states);
  Loaded Keep(Loaded loaded);
  // With the counts, so that nobody who comes after a change gets what was asked for before it.
  std::string FlightOf(std::string_view reference) const;

  const std::shared_ptr<store::Store> store_;
  ByteCache<Loaded> cache_;  // by exact reference
  ChangeCounters counters_;
  Selections selections_;
  SingleFlight<Loaded> flights_;
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
