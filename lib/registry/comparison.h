#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstddef>
#include <memory>

#include "lib/registry/template_loader.h"
#include "lib/template/yaml_reader.h"
#include "tasker/registry/v1/catalog.pb.h"

namespace tasker::registry {

namespace pb = ::tasker::registry::v1;

/// Of all differences in one answer; the rest is counted.
inline constexpr size_t kMaxDifferenceBytes = size_t{2} << 20;
/// Of one value; a longer one is left out, and its path stands for it.
inline constexpr size_t kMaxDifferenceValueBytes = size_t{256} << 10;

/// Says what changed between two templates and whom it breaks. Constant after construction; safe to call from any
/// thread.
class Comparison {
 public:
  Comparison(std::shared_ptr<TemplateLoader> loader, tmpl::ReadLimits limits);

  /// Lines are those of the authors' texts; 0 where a side was given as a message. Takes up to about a second for each
  /// changed schema at worst. Errors:
  ///   INVALID_ARGUMENT     a malformed reference; no new side and no environment; TEMPLATE_INVALID: the source has
  ///                        errors;
  ///   NOT_FOUND            see not_found.h;
  ///   FAILED_PRECONDITION  ENVIRONMENT_NOT_DEFINED: neither side defines an environment that is asked for;
  ///   otherwise            as the store fails.
  absl::StatusOr<pb::CompareTemplatesResponse> Compare(const pb::CompareTemplatesRequest& request,
                                                       absl::Time deadline) const;

 private:
  const std::shared_ptr<TemplateLoader> loader_;
  const tmpl::ReadLimits limits_;
};

}  // namespace tasker::registry
