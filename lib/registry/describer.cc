#include "lib/registry/describer.h"

#include <fmt/format.h>

#include <string>

#include "lib/registry/environment.h"
#include "lib/registry/error.h"
#include "lib/registry/not_found.h"
#include "lib/render/describe.h"
#include "lib/render/graph.h"
#include "lib/template/resolve.h"

namespace tasker::registry {
namespace {

void Put(const render::Description& description, pb::DescribeTemplateResponse& response) {
  for (const std::vector<std::string>& names : description.waves) {
    pb::ExecutionWave& wave = *response.add_waves();
    for (const std::string& name : names) wave.add_step_names(name);
  }
  for (const std::string& name : description.critical_path) response.add_critical_path(name);
  response.set_best_ms(description.best_ms);
  response.set_worst_ms(description.worst_ms);
  for (const std::string& name : description.untimed_steps) response.add_untimed_steps(name);
  for (const auto& [system, calls] : description.calls_per_system) {
    (*response.mutable_calls_per_system())[system] = calls;
  }
  for (const render::StepTiming& from : description.timings) {
    pb::StepTiming& timing = *response.add_timings();
    timing.set_step_name(from.step);
    timing.set_attempts(from.attempts);
    for (const uint64_t wait : from.waits_ms) timing.add_waits_ms(wait);
    timing.set_has_timeout(from.has_timeout);
    timing.set_best_ms(from.best_ms);
    timing.set_worst_ms(from.worst_ms);
  }
}

struct Release {
  std::counting_semaphore<Describer::kMaxPictures>& semaphore;
  ~Release() { semaphore.release(); }
};

}  // namespace

absl::StatusOr<pb::DescribeTemplateResponse> Describer::Describe(const pb::DescribeTemplateRequest& request,
                                                                 absl::Time deadline) {
  if (!pb::GraphFormat_IsValid(request.graph_format())) {
    return InvalidField("graph_format", "is not one that this server knows");
  }
  if (absl::Status status = CheckEnvironment(request.environment()); !status.ok()) return status;
  const absl::StatusOr<TemplateLoader::Handle> registered = loader_->Load(request.reference(), deadline);
  if (!registered.ok()) return registered.status();
  const tmpl::ResolvedTaskTemplate resolved = tmpl::ResolveForEnvironment((*registered)->tmpl, request.environment());
  if (request.require_environment() && !resolved.environment_defined) {
    return EnvironmentNotDefined((*registered)->reference, request.environment(), (*registered)->tmpl);
  }
  pb::DescribeTemplateResponse response;
  response.set_reference((*registered)->reference);
  response.set_environment(request.environment());
  response.set_environment_defined(resolved.environment_defined);
  Put(render::Describe(resolved.tmpl), response);
  absl::StatusOr<std::string> picture = Picture(resolved.tmpl, request.graph_format());
  if (!picture.ok()) return picture.status();
  response.set_graph(*std::move(picture));
  return response;
}

absl::StatusOr<std::string> Describer::Picture(const tmpl::TaskTemplate& tmpl, pb::GraphFormat format) {
  switch (format) {
    case pb::GRAPH_FORMAT_MERMAID:
      return render::Mermaid(tmpl);
    case pb::GRAPH_FORMAT_DOT:
      return render::Dot(tmpl);
    case pb::GRAPH_FORMAT_TEXT:
      return render::TextGraph(tmpl);
    case pb::GRAPH_FORMAT_SVG:
      break;
    default:
      return std::string();
  }
  if (!pictures_.try_acquire()) {
    return Error(absl::StatusCode::kResourceExhausted,
                 fmt::format("{} pictures are being drawn already; try again", kMaxPictures), {"SERVER_BUSY", {}, {}});
  }
  const Release release{pictures_};
  absl::StatusOr<std::string> svg = render::Svg(tmpl);
  if (svg.status().code() != absl::StatusCode::kResourceExhausted) return svg;
  return Error(svg.status().code(), std::string(svg.status().message()), {"PICTURE_TOO_LARGE", {}, {}});
}

}  // namespace tasker::registry
