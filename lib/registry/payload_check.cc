#include "lib/registry/payload_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lib/base/json.h"
#include "lib/registry/error.h"
#include "lib/registry/not_found.h"
#include "lib/wire/json_value.h"

namespace tasker::registry {
namespace {

using json_schema::Verdict;

constexpr size_t kMaxErrors = 50;
constexpr size_t kMaxErrorBytes = size_t{1} << 20;    // of the errors in an answer
constexpr size_t kMaxReportBytes = size_t{16} << 20;  // of pointers into the payload while a report is made
constexpr char kInputKey[] = "I";                     // cache keys within a version
constexpr char kEventKey[] = "E";

// An event of a template: whether there is one of that name, and the schema that counts.
struct Event {
  bool found = false;
  const base::Json* schema = nullptr;
};

template <typename Definition>
void Consider(const Definition& event, std::string_view name, Event& out) {
  if (event.name != name) return;
  out.found = true;
  if (out.schema == nullptr && event.schema) out.schema = &*event.schema;
}

Event FindEvent(const tmpl::TaskTemplate& tmpl, std::string_view name) {
  Event out;
  for (const tmpl::DomainEventDefinition& event : tmpl.domain_events) Consider(event, name, out);
  for (const tmpl::StepDefinition& step : tmpl.steps) {
    for (const tmpl::PublishedEvent& event : step.publishes_events) Consider(event, name, out);
  }
  return out;
}

absl::Status SchemaBroken(const RegisteredTemplate& registered, const json_schema::CompileResult& result) {
  ErrorDetail detail{"SCHEMA_BROKEN", {{"reference", registered.reference}}, {}};
  for (const json_schema::SchemaProblem& problem : result.problems) {
    if (problem.severity == base::Severity::kError) detail.violations.push_back({problem.location, problem.message});
  }
  const Violation& first = detail.violations.front();
  return Error(absl::StatusCode::kFailedPrecondition,
               fmt::format("{} has a schema that nothing can be checked against: at '{}', {}", registered.reference,
                           first.field, first.description),
               detail);
}

absl::Status TooComplex(const RegisteredTemplate& registered) {
  return Error(absl::StatusCode::kResourceExhausted,
               fmt::format("checking this payload against the schema of {} takes more steps, or nests deeper, than is "
                           "allowed",
                           registered.reference),
               {"PAYLOAD_TOO_COMPLEX", {{"reference", registered.reference}}, {}});
}

// A payload in either form.
class Payload {
 public:
  template <typename Request>
  static absl::StatusOr<Payload> Of(const Request& request) {
    Payload payload;
    switch (request.payload_case()) {
      case Request::kPayloadJson:
        if (request.payload_json().size() > kMaxPayloadBytes) return TooLarge("payload_json");
        payload.text_ = &request.payload_json();
        return payload;
      case Request::kPayloadStruct:
        if (request.payload_struct().ByteSizeLong() > kMaxPayloadBytes) return TooLarge("payload_struct");
        return OfStruct(request.payload_struct());
      case Request::PAYLOAD_NOT_SET:
        break;
    }
    return InvalidField("payload", "is missing: set payload_struct or payload_json");
  }

  // A text's verdict needs no value of it, which takes longer to make than to check.
  absl::StatusOr<Verdict> Check(const json_schema::Schema& schema) const {
    if (text_ == nullptr) return schema.Validate(value_);
    absl::StatusOr<Verdict> verdict = schema.ValidateText(*text_);
    if (!verdict.ok()) return NoJson(verdict.status());
    return verdict;
  }

  absl::StatusOr<base::Json> Value() const {
    if (text_ == nullptr) return value_;
    absl::StatusOr<base::Json> value = base::ParseJson(*text_);
    if (!value.ok()) return NoJson(value.status());
    return value;
  }

  size_t bytes() const { return text_ == nullptr ? struct_bytes_ : text_->size(); }

 private:
  static absl::StatusOr<Payload> OfStruct(const google::protobuf::Struct& message) {
    constexpr char kField[] = "payload_struct";
    absl::StatusOr<base::JsonObject> object = wire::FromStruct(message, wire::Path{nullptr, kField});
    if (!object.ok()) return InvalidText(kField, object.status());
    Payload payload;
    payload.value_ = base::Json(*std::move(object));
    payload.struct_bytes_ = message.ByteSizeLong();
    return payload;
  }
  static absl::Status TooLarge(std::string_view field) {
    return InvalidField(field, fmt::format("has more than {} bytes", kMaxPayloadBytes));
  }
  static absl::Status NoJson(const absl::Status& status) { return InvalidText("payload_json", status); }
  static absl::Status InvalidText(std::string_view field, const absl::Status& status) {
    return InvalidField(field, fmt::format("cannot be read: {}", std::string(status.message())));
  }

  const std::string* text_ = nullptr;  // the request's
  base::Json value_;                   // where there is no text
  size_t struct_bytes_ = 0;
};

template <typename Response>
void PutErrors(const json_schema::Report& report, Response& response) {
  size_t bytes = 0;
  size_t omitted = report.omitted;
  for (const json_schema::OutputUnit& unit : report.units) {
    bytes += unit.instance_location.size() + unit.keyword_location.size() + unit.absolute_keyword_location.size() +
             unit.keyword.size() + unit.message.size();
    if (bytes > kMaxErrorBytes) {
      ++omitted;
      continue;
    }
    pb::PayloadError& error = *response.add_errors();
    error.set_instance_pointer(unit.instance_location);
    error.set_schema_pointer(unit.keyword_location);
    error.set_keyword(unit.keyword);
    error.set_message(unit.message);
    error.set_absolute_schema_location(unit.absolute_keyword_location);
  }
  response.set_omitted_error_count(static_cast<uint32_t>(std::min<size_t>(omitted, UINT32_MAX)));
}

}  // namespace

PayloadCheck::PayloadCheck(std::shared_ptr<TemplateLoader> loader, size_t cache_bytes)
    : loader_(std::move(loader)), cache_(cache_bytes) {}

absl::StatusOr<pb::ValidateTaskInputResponse> PayloadCheck::Check(const pb::ValidateTaskInputRequest& request,
                                                                  absl::Time deadline) {
  const absl::StatusOr<TemplateLoader::Handle> registered = loader_->Load(request.reference(), deadline);
  if (!registered.ok()) return registered.status();
  const auto& schema = (*registered)->tmpl.input_schema;
  return Answer<pb::ValidateTaskInputResponse>(request, **registered, kInputKey, schema ? &*schema : nullptr);
}

absl::StatusOr<pb::ValidateEventPayloadResponse> PayloadCheck::Check(const pb::ValidateEventPayloadRequest& request,
                                                                     absl::Time deadline) {
  const absl::StatusOr<TemplateLoader::Handle> registered = loader_->Load(request.reference(), deadline);
  if (!registered.ok()) return registered.status();
  const Event event = FindEvent((*registered)->tmpl, request.event_name());
  if (!event.found) return EventNotFound((*registered)->reference, request.event_name(), (*registered)->tmpl);
  return Answer<pb::ValidateEventPayloadResponse>(request, **registered, kEventKey + request.event_name(),
                                                  event.schema);
}

absl::StatusOr<PayloadCheck::SchemaHandle> PayloadCheck::Compiled(const RegisteredTemplate& registered,
                                                                  const std::string& key, const base::Json* schema) {
  if (schema == nullptr) return SchemaHandle();
  const std::string full_key = fmt::format("{}/{}", registered.reference, key);
  if (SchemaHandle known = cache_.Find(full_key)) return known;
  json_schema::CompileOptions options;
  options.limits.lint_steps = 0;  // its warnings were given at registration
  json_schema::CompileResult result = json_schema::Compile(*schema, options);
  if (result.schema == nullptr) return SchemaBroken(registered, result);
  return cache_.Put(full_key, result.schema, result.schema->memory_bytes());
}

template <typename Response, typename Request>
absl::StatusOr<Response> PayloadCheck::Answer(const Request& request, const RegisteredTemplate& registered,
                                              const std::string& key, const base::Json* schema) {
  const absl::StatusOr<Payload> payload = Payload::Of(request);
  if (!payload.ok()) return payload.status();
  const absl::StatusOr<SchemaHandle> compiled = Compiled(registered, key, schema);
  if (!compiled.ok()) return compiled.status();
  Response response;
  response.set_reference(registered.reference);
  response.set_digest(registered.digest);
  if (*compiled == nullptr) {
    if (const auto value = payload->Value(); !value.ok()) return value.status();
    response.set_valid(true);
    return response;
  }
  const absl::StatusOr<Verdict> verdict = payload->Check(**compiled);
  if (!verdict.ok()) return verdict.status();
  if (*verdict == Verdict::kLimitExceeded) return TooComplex(registered);
  response.set_valid(*verdict == Verdict::kValid);
  if (response.valid()) return response;
  const absl::StatusOr<base::Json> value = payload->Value();
  if (!value.ok()) return value.status();
  const size_t units = std::clamp<size_t>(kMaxReportBytes / std::max<size_t>(payload->bytes(), 1), 1, kMaxErrors);
  PutErrors((*compiled)->Explain(*value, units), response);
  return response;
}

}  // namespace tasker::registry
