#include "client/documents.h"

#include <absl/time/time.h>
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "lib/template/canonical.h"
#include "lib/template/load.h"
#include "lib/wire/issue.h"

namespace tasker::client {
namespace {

// Text with commas between, of a list of texts.
std::string Joined(const base::Json* list) {
  std::string out;
  if (list == nullptr || !list->is_array()) return out;
  for (const base::Json& item : list->get_array()) {
    const base::Json* const name = item.is_object() ? item.get_object().if_contains("name") : &item;
    if (!out.empty()) out += ", ";
    if (name != nullptr) out += CellText(*name);
  }
  return out;
}

std::string Field(const base::JsonObject& object, std::string_view key) {
  const base::Json* const value = object.if_contains({key.data(), key.size()});
  return value == nullptr ? "" : CellText(*value);
}

// "3 × exponential from 1000 ms up to 30000 ms", or "never".
std::string RetryText(const base::Json* retry) {
  if (retry == nullptr || !retry->is_object()) return "";
  const base::JsonObject& object = retry->get_object();
  if (Field(object, "retryable") == "false") return "never";
  std::string out = fmt::format("{}x {}", Field(object, "limit"), Field(object, "backoff"));
  if (const std::string base = Field(object, "backoff_base_ms"); !base.empty()) out += fmt::format(" {} ms", base);
  if (const std::string most = Field(object, "max_backoff_ms"); !most.empty()) out += fmt::format(" to {} ms", most);
  return out;
}

}  // namespace

std::string CellText(const base::Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return std::string(value.get_string());
  return base::CanonicalJson(value);
}

base::Json TemplateDocument(const std::string& canonical_json) {
  const absl::StatusOr<base::Json> value = base::ParseJson(canonical_json);
  if (!value.ok()) return nullptr;
  const absl::StatusOr<tmpl::TaskTemplate> tmpl = tmpl::TemplateFromJson(*value);
  if (!tmpl.ok()) return *value;
  base::Json document = tmpl::ToJson(*tmpl);
  // An older program must not drop what a newer server knows.
  return base::CanonicalJson(document) == base::CanonicalJson(*value) ? document : *value;
}

std::string TimeText(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0) return "";
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(time.seconds()), absl::UTCTimeZone());
}

std::string CallableKindText(pb::CallableKind kind) {
  return std::string(tmpl::CallableKindName(wire::FromProto(kind)));
}

std::string StateText(pb::TemplateState state) {
  if (state == pb::TEMPLATE_STATE_DEPRECATED) return "deprecated";
  return state == pb::TEMPLATE_STATE_YANKED ? "yanked" : "active";
}

std::string StateNote(pb::TemplateState state) { return state == pb::TEMPLATE_STATE_ACTIVE ? "" : StateText(state); }

std::string StepOrTask(const std::string& step_name) { return step_name.empty() ? "(the task)" : step_name; }

std::string Joined(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + text;
  return out;
}

base::Json SummaryJson(const pb::TemplateSummary& summary) {
  base::JsonArray tags;
  for (const std::string& tag : summary.tags()) tags.emplace_back(tag);
  base::JsonObject out;
  out["reference"] = summary.reference();
  out["namespace_name"] = summary.namespace_name();
  out["name"] = summary.name();
  out["version"] = summary.version();
  out["description"] = summary.description();
  out["digest"] = summary.digest();
  out["tags"] = std::move(tags);
  out["step_count"] = summary.step_count();
  out["create_time"] = TimeText(summary.create_time());
  out["state"] = StateText(summary.state());
  base::JsonArray channels;
  for (const std::string& channel : summary.channels()) channels.emplace_back(channel);
  out["channels"] = std::move(channels);
  if (summary.version_count() > 0) out["version_count"] = summary.version_count();
  return out;
}

base::Json CallableJson(const pb::CallableUse& use) {
  base::JsonObject out;
  out["callable"] = use.callable();
  out["kind"] = CallableKindText(use.kind());
  out["step_name"] = use.step_name();
  out["method"] = use.method();
  return out;
}

std::string PolicyText(pb::VersionPolicy policy) {
  return policy == pb::VERSION_POLICY_ENFORCE ? "enforce" : policy == pb::VERSION_POLICY_WARN ? "warn" : "none";
}

base::Json NoticeJson(const pb::StateNotice& notice) {
  return base::JsonObject{{"state", StateText(notice.state())},
                          {"message", notice.message()},
                          {"replacement", notice.replacement()},
                          {"change_time", TimeText(notice.change_time())},
                          {"actor", notice.actor()}};
}

std::string NoticeText(const std::string& reference, const pb::StateNotice& notice) {
  std::string text =
      fmt::format("{} is {} since {}", reference, StateText(notice.state()), TimeText(notice.change_time()));
  if (!notice.message().empty()) text += fmt::format(" ({})", OneLine(notice.message()));
  if (!notice.replacement().empty()) text += fmt::format("; use {}", OneLine(notice.replacement()));
  return text;
}

base::Json ResolutionJson(const pb::ResolveTemplateResponse& response) {
  base::JsonObject out;
  out["reference"] = response.reference();
  out["digest"] = response.digest();
  out["resolution_digest"] = response.resolution_digest();
  out["environment"] = response.environment();
  out["environment_defined"] = response.environment_defined();
  if (response.has_state_notice()) out["state_notice"] = NoticeJson(response.state_notice());
  out["template"] = TemplateDocument(response.template_json());
  return out;
}

base::Json StoredJson(const pb::GetTemplateResponse& response) {
  const pb::Provenance& provenance = response.provenance();
  base::JsonObject from;
  from["create_time"] = TimeText(provenance.create_time());
  from["actor"] = provenance.actor();
  from["peer"] = provenance.peer();
  from["source_revision"] = provenance.source_revision();
  from["source_uri"] = provenance.source_uri();
  from["file_name"] = provenance.file_name();
  base::JsonObject out;
  out["reference"] = response.reference();
  out["digest"] = response.digest();
  base::JsonArray channels;
  for (const std::string& channel : response.channels()) channels.emplace_back(channel);
  out["channels"] = std::move(channels);
  if (response.has_state_notice()) out["state_notice"] = NoticeJson(response.state_notice());
  out["provenance"] = std::move(from);
  out["template"] = TemplateDocument(response.template_json());
  return out;
}

Table StepTable(const base::Json& document) {
  Table table({"STEP", "CALLABLE", "AFTER", "SYSTEM", "RETRY", "TIMEOUT", "PUBLISHES"});
  const base::Json* const steps = document.is_object() ? document.get_object().if_contains("steps") : nullptr;
  if (steps == nullptr || !steps->is_array()) return table;
  for (const base::Json& item : steps->get_array()) {
    if (!item.is_object()) continue;
    const base::JsonObject& step = item.get_object();
    const base::Json* const handler = step.if_contains("handler");
    const std::string callable =
        handler != nullptr && handler->is_object() ? Field(handler->get_object(), "callable") : "";
    const std::string timeout = Field(step, "timeout_seconds");
    table.AddRow({Field(step, "name"), callable, Joined(step.if_contains("dependencies")),
                  Field(step, "system_dependency"), RetryText(step.if_contains("retry")),
                  timeout.empty() ? "" : timeout + " s", Joined(step.if_contains("publishes_events"))});
  }
  return table;
}

}  // namespace tasker::client
