#include "lib/registry/catalog.h"

#include <optional>
#include <string>
#include <utility>

#include "lib/registry/catalog_messages.h"
#include "lib/registry/error.h"
#include "lib/registry/state_notice.h"
#include "lib/registry/timestamp.h"
#include "lib/template/callable.h"
#include "lib/template/canonical.h"
#include "lib/template/explain.h"
#include "lib/template/load.h"
#include "lib/validate/check.h"
#include "lib/wire/issue.h"
#include "lib/wire/task_template.h"

namespace tasker::registry {
namespace {

void PutProvenance(const store::VersionSummary& from, pb::Provenance& to) {
  PutTime(from.create_time, *to.mutable_create_time());
  to.set_actor(from.actor);
  to.set_peer(from.peer);
  to.set_source_revision(from.source_revision);
  to.set_source_uri(from.source_uri);
  to.set_file_name(from.file_name);
}

void PutCallable(const tmpl::HandlerDefinition& handler, const std::string& step_name, pb::CallableUse& out) {
  out.set_callable(handler.callable);
  out.set_kind(wire::ToProto(tmpl::DetectCallableKind(handler.callable)));
  out.set_step_name(step_name);
  if (handler.method) out.set_method(*handler.method);
}

pb::ValueLayer ToProto(tmpl::ValueLayer layer) {
  switch (layer) {
    case tmpl::ValueLayer::kDefault:
      return pb::VALUE_LAYER_DEFAULT;
    case tmpl::ValueLayer::kBase:
      return pb::VALUE_LAYER_BASE;
    case tmpl::ValueLayer::kTaskHandlerOverride:
      return pb::VALUE_LAYER_TASK_HANDLER_OVERRIDE;
    case tmpl::ValueLayer::kAllOverride:
      return pb::VALUE_LAYER_ALL_OVERRIDE;
    case tmpl::ValueLayer::kStepOverride:
      return pb::VALUE_LAYER_STEP_OVERRIDE;
  }
  return pb::VALUE_LAYER_UNSPECIFIED;
}

void PutExplained(const tmpl::ExplainedValue& from, pb::ExplainedValue& to) {
  to.set_layer(ToProto(from.layer));
  if (from.value) to.set_value_json(base::CanonicalJson(*from.value));
  to.set_source_path(from.source_path);
  to.set_line(from.position.line);
  to.set_column(from.position.column);
}

}  // namespace

Catalog::Catalog(std::shared_ptr<store::Store> store, std::shared_ptr<TemplateLoader> loader)
    : store_(std::move(store)), loader_(std::move(loader)) {}

absl::StatusOr<pb::GetTemplateResponse> Catalog::GetTemplate(const pb::GetTemplateRequest& request,
                                                             absl::Time deadline) {
  if (!pb::TemplateView_IsValid(request.view())) return InvalidField("view", "is not one that this server knows");
  const absl::StatusOr<store::StoredVersion> stored = loader_->LoadStored(request.reference(), deadline);
  if (!stored.ok()) return stored.status();
  const absl::StatusOr<tmpl::TaskTemplate> tmpl = ParseStored(*stored);
  if (!tmpl.ok()) return tmpl.status();
  pb::GetTemplateResponse response;
  response.set_reference(ExactReference(stored->summary));
  response.set_digest(stored->summary.digest);
  if (request.view() == pb::TEMPLATE_VIEW_JSON) {
    response.set_template_json(tmpl::CanonicalText(*tmpl));
  } else {
    wire::ToProto(*tmpl, *response.mutable_template_());
  }
  if (request.include_source() && stored->source_text) response.set_source(*stored->source_text);
  PutProvenance(stored->summary, *response.mutable_provenance());
  if (const Notice notice = NoticeOf(stored->summary.state)) *response.mutable_state_notice() = *notice;
  for (const std::string& channel : stored->channels) response.add_channels(channel);
  return response;
}

absl::StatusOr<pb::ListCallablesResponse> Catalog::ListCallables(const pb::ListCallablesRequest& request,
                                                                 absl::Time deadline) {
  const absl::StatusOr<TemplateLoader::Handle> registered = loader_->Load(request.reference(), deadline);
  if (!registered.ok()) return registered.status();
  const tmpl::TaskTemplate& tmpl = (*registered)->tmpl;
  pb::ListCallablesResponse response;
  response.set_reference((*registered)->reference);
  if (tmpl.task_handler) PutCallable(*tmpl.task_handler, "", *response.add_callables());
  for (const tmpl::StepDefinition& step : tmpl.steps) PutCallable(step.handler, step.name, *response.add_callables());
  return response;
}

absl::StatusOr<pb::ExplainResolutionResponse> Catalog::ExplainResolution(const pb::ExplainResolutionRequest& request,
                                                                         absl::Time deadline) {
  const absl::StatusOr<store::StoredVersion> stored = loader_->LoadStored(request.reference(), deadline);
  if (!stored.ok()) return stored.status();
  const absl::StatusOr<tmpl::LoadedTemplate> loaded = LoadWithPositions(*stored);
  if (!loaded.ok()) return loaded.status();
  const tmpl::Explanation explanation = tmpl::ExplainResolution(loaded->tmpl, loaded->document, request.environment());
  pb::ExplainResolutionResponse response;
  response.set_reference(ExactReference(stored->summary));
  response.set_environment(explanation.environment);
  response.set_environment_defined(explanation.environment_defined);
  for (const tmpl::ExplainedField& field : explanation.fields) {
    pb::ExplainedField& out = *response.add_fields();
    out.set_path(field.path);
    PutExplained(field.current, *out.mutable_current());
    for (const tmpl::ExplainedValue& before : field.replaced) PutExplained(before, *out.add_replaced());
  }
  for (const base::Issue& lint : validate::EnvironmentLints(loaded->tmpl, loaded->document, request.environment())) {
    wire::ToProto(lint, stored->summary.file_name, *response.add_lints());
  }
  return response;
}

}  // namespace tasker::registry
