#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <memory>
#include <semaphore>

#include "lib/registry/template_loader.h"
#include "tasker/registry/v1/catalog.pb.h"

namespace tasker::registry {

namespace pb = ::tasker::registry::v1;

/// Says how templates run, and draws them. Safe to call from any thread.
class Describer {
 public:
  explicit Describer(std::shared_ptr<TemplateLoader> loader) : loader_(std::move(loader)) {}

  /// Errors:
  ///   INVALID_ARGUMENT     malformed reference, unknown format, environment over 255 bytes;
  ///   NOT_FOUND            see not_found.h;
  ///   FAILED_PRECONDITION  `require_environment`, and the template does not define it;
  ///   RESOURCE_EXHAUSTED   the template is too large for an SVG, or kMaxPictures are being drawn;
  ///   otherwise            as the store fails.
  absl::StatusOr<pb::DescribeTemplateResponse> Describe(const pb::DescribeTemplateRequest& request,
                                                        absl::Time deadline);

  /// SVGs that are drawn or wait for it at once. Graphviz draws one at a time, and those that wait must not take all
  /// the threads that other calls need.
  static constexpr int kMaxPictures = 3;

 private:
  absl::StatusOr<std::string> Picture(const tmpl::TaskTemplate& tmpl, pb::GraphFormat format);

  const std::shared_ptr<TemplateLoader> loader_;
  std::counting_semaphore<kMaxPictures> pictures_{kMaxPictures};
};

}  // namespace tasker::registry
