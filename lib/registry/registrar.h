#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "lib/registry/checked_source.h"
#include "lib/registry/template_loader.h"
#include "lib/store/store.h"
#include "lib/template/yaml_reader.h"
#include "tasker/registry/v1/registry.pb.h"

namespace tasker::registry {

namespace pb = ::tasker::registry::v1;

/// Who calls, and until when the answer is wanted.
struct Caller {
  std::string actor;
  std::string peer;
  absl::Time deadline = absl::InfiniteFuture();
};

inline constexpr int kMaxBatchTemplates = 10'000;
inline constexpr size_t kMaxBatchBytes = size_t{64} << 20;  ///< of the encoded request

/// Checks and registers templates. Constant after construction; safe to call from any thread.
class Registrar {
 public:
  /// `loader`, if there is one, is told of what was registered.
  Registrar(std::shared_ptr<store::Store> store, tmpl::ReadLimits limits,
            std::shared_ptr<TemplateLoader> loader = nullptr);

  /// All or nothing. Errors:
  ///   INVALID_ARGUMENT    TEMPLATE_INVALID: a template has errors; the first ones of all items are the violations.
  ///                       REQUEST_INVALID: the request itself is wrong.
  ///   ALREADY_EXISTS      VERSION_EXISTS, VERSION_PURGED: a version is or was registered with other content; all such
  ///                       items are the violations.
  ///   FAILED_PRECONDITION VERSION_YANKED: `channels` are to point at a yanked version.
  ///                       VERSION_BUMP_TOO_SMALL: a namespace's version policy asks for higher versions; all such
  ///                       items are the violations. Not with `allow_breaking`.
  ///   ABORTED             VERSION_POLICY_CONTENDED, see PolicedBatch.
  ///   RESOURCE_EXHAUSTED  BATCH_TOO_LARGE: more than kMaxBatchTemplates or kMaxBatchBytes.
  ///   otherwise as the store fails.
  /// A batch's answer lists at most about 2 MiB of warnings; the rest is counted per item.
  absl::StatusOr<pb::RegisterTemplateResponse> Register(const pb::RegisterTemplateRequest& request,
                                                        const Caller& caller) const;
  absl::StatusOr<pb::RegisterTemplatesResponse> Register(const pb::RegisterTemplatesRequest& request,
                                                         const Caller& caller) const;

  /// Fails only as the store does, and only for a template without errors.
  absl::StatusOr<pb::ValidateTemplateResponse> Validate(const pb::ValidateTemplateRequest& request,
                                                        const Caller& caller) const;

 private:
  struct Job;
  struct Result;
  absl::StatusOr<Result> Run(const Job& job, const Caller& caller) const;
  /// What differs from what is registered, for each of the first few conflicts; empty for every other item.
  std::vector<std::vector<std::string>> Differences(const Sources& sources, const store::RegisterResult& stored,
                                                    absl::Time deadline) const;

  const std::shared_ptr<store::Store> store_;
  const tmpl::ReadLimits limits_;
  const std::shared_ptr<TemplateLoader> loader_;
};

}  // namespace tasker::registry
