#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/library/answer_cache.h"

namespace tasker::client {

/// The answers of a cache in a file, for the next start of a worker. The file, in protobuf's wire encoding of varints
/// and of texts with their length in front:
///
///     "tasker client snapshot 1\n"  digest of all that follows ("sha256:…")  "\n"
///     scope  varint(revision + 1, or 0 for none)  varint(number of answers)
///     per answer: varint(kind)  varint(require_environment)  varint(current)  varint(known_at in ms since 1970)
///                 reference  environment  step  template name  version  response
///
/// Refusals are not kept.
struct Snapshot {
  struct Item {
    std::shared_ptr<RememberedAnswer> answer;  ///< known_at is of the steady clock
    bool current = false;                      ///< no change concerned it until `revision`
  };
  std::optional<int64_t> revision;
  std::vector<Item> items;
};

/// Writes what `cache` holds, in the place of the file at `path` at once: a reader meets the old file or the new one,
/// also after a crash. Readable to its owner only. `scope` names the registry. `known_at`: when answers that are
/// current and not exact were last known to be right, of the steady clock. Fails as the file system does.
absl::Status SaveSnapshot(const std::string& path, const std::string& scope, const AnswerCache& cache,
                          int64_t known_at);

/// NOT_FOUND when there is no file. INVALID_ARGUMENT, saying why, when it is damaged, of another format, of another
/// scope, or larger than `max_bytes`.
absl::StatusOr<Snapshot> LoadSnapshot(const std::string& path, const std::string& scope, size_t max_bytes);

}  // namespace tasker::client
