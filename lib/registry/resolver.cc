#include "lib/registry/resolver.h"

#include <fmt/format.h>
#include <google/protobuf/arena.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <utility>

#include "lib/base/digest.h"
#include "lib/base/json.h"
#include "lib/registry/error.h"
#include "lib/registry/not_found.h"
#include "lib/template/callable.h"
#include "lib/template/canonical.h"
#include "lib/template/resolve.h"
#include "lib/template/retry_schedule.h"
#include "lib/wire/issue.h"
#include "lib/wire/task_template.h"

namespace tasker::registry {
namespace {

using std::string_view_literals::operator""sv;

constexpr size_t kMaxNameBytes = 255;

// What the rules allow a step at most; bounds the answer should a row say more.
constexpr uint32_t kMaxAttempts = 100;

// The same message gives the same bytes: maps are written in the order of their keys.
std::string Encode(const google::protobuf::Message& message) {
  std::string out;
  out.reserve(message.ByteSizeLong());
  {
    google::protobuf::io::StringOutputStream stream(&out);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
  }
  return out;
}

// Cache keys. `reference` is an exact one, as text; 'S', 'J' and 'H' keep the kinds of answers apart, and NUL can
// stand in none of the parts of a key that was ever put.
std::string KeyOf(const pb::ResolveTemplateRequest& request, std::string_view reference) {
  const char view = request.view() == pb::TEMPLATE_VIEW_JSON ? 'J' : 'S';
  return fmt::format("{}{}\0{}"sv, view, reference, request.environment());
}

std::string KeyOf(const pb::ResolveHandlerRequest& request, std::string_view reference) {
  return fmt::format("H{}\0{}\0{}"sv, reference, request.environment(), request.step_name());
}

absl::Status CheckEnvironment(const std::string& environment) {
  if (environment.size() > kMaxNameBytes) return InvalidField("environment", "is longer than 255 bytes");
  if (environment.find('\0') != std::string::npos) return InvalidField("environment", "holds the character NUL");
  return absl::OkStatus();
}

absl::Status Check(const pb::ResolveTemplateRequest& request) {
  if (!pb::TemplateView_IsValid(request.view())) return InvalidField("view", "is not one that this server knows");
  return CheckEnvironment(request.environment());
}

absl::Status Check(const pb::ResolveHandlerRequest& request) {
  if (request.step_name().size() > kMaxNameBytes) return InvalidField("step_name", "is longer than 255 bytes");
  return CheckEnvironment(request.environment());
}

// `tmpl` with nothing in it but what the answer about one handler needs: resolving it costs the same however many
// steps the template has. nullopt when there is no such step.
std::optional<tmpl::TaskTemplate> Reduced(const tmpl::TaskTemplate& tmpl, std::string_view step_name,
                                          std::string_view environment) {
  tmpl::TaskTemplate reduced;
  reduced.task_handler = tmpl.task_handler;
  if (!step_name.empty()) {
    const auto step = std::find_if(tmpl.steps.begin(), tmpl.steps.end(),
                                   [&](const tmpl::StepDefinition& s) { return s.name == step_name; });
    if (step == tmpl.steps.end()) return std::nullopt;
    reduced.steps.push_back(*step);
  }
  if (const auto found = tmpl.environments.find(environment); found != tmpl.environments.end()) {
    reduced.environments.insert(*found);
  }
  return reduced;
}

absl::Status NoTaskHandler(const std::string& reference) {
  return Error(absl::StatusCode::kNotFound, fmt::format("{} has no task handler; name a step", reference),
               {"TASK_HANDLER_NOT_FOUND", {{"reference", reference}}, {}});
}

void PutStep(const tmpl::StepDefinition& step, pb::ResolveHandlerResponse& response) {
  bool exact = wire::ToProto(step.handler, *response.mutable_handler());
  exact &= wire::ToProto(step.retry, *response.mutable_retry());
  for (const tmpl::PublishedEvent& event : step.publishes_events) {
    exact &= wire::ToProto(event, *response.add_publishes_events());
  }
  if (!exact) response.set_exact_json(base::CanonicalJson(tmpl::ToJson(step)));
  const uint32_t attempts = std::min(step.retry.limit, kMaxAttempts);
  for (const uint64_t wait : tmpl::RetrySchedule(step.retry, attempts)) response.add_retry_schedule_ms(wait);
  if (step.system_dependency) response.set_system_dependency(*step.system_dependency);
  if (step.timeout_seconds) response.set_timeout_seconds(*step.timeout_seconds);
}

void PutTaskHandler(const tmpl::HandlerDefinition& handler, pb::ResolveHandlerResponse& response) {
  if (!wire::ToProto(handler, *response.mutable_handler())) {
    response.set_exact_json(base::CanonicalJson(tmpl::ToJson(handler)));
  }
}

// Encoded messages that stand one after the other are one message with the fields of both.
template <typename Response>
AnswerBytes WithNotice(AnswerBytes answer, const Notice& notice) {
  if (notice == nullptr) return answer;
  Response part;
  *part.mutable_state_notice() = *notice;
  return std::make_shared<std::string>(*answer + Encode(part));
}

}  // namespace

Resolver::Resolver(std::shared_ptr<TemplateLoader> loader, size_t cache_bytes)
    : loader_(std::move(loader)), cache_(cache_bytes) {}

template <typename Request>
std::optional<absl::StatusOr<AnswerBytes>> Resolver::FindWith(const Request& request) {
  if (!Check(request).ok()) return std::nullopt;
  const Handle answer = cache_.Find(KeyOf(request, request.reference()));
  if (answer == nullptr) return std::nullopt;
  const std::optional<Notice> notice = loader_->notices().Find(request.reference());
  if (!notice) return std::nullopt;
  return Choose(request, answer, *notice);
}

std::optional<absl::StatusOr<AnswerBytes>> Resolver::Find(const pb::ResolveTemplateRequest& request) {
  return FindWith(request);
}

std::optional<absl::StatusOr<AnswerBytes>> Resolver::Find(const pb::ResolveHandlerRequest& request) {
  return FindWith(request);
}

absl::StatusOr<AnswerBytes> Resolver::Resolve(const pb::ResolveTemplateRequest& request, absl::Time deadline) {
  return ResolveWith(request, deadline, [&](const RegisteredTemplate& registered) -> absl::StatusOr<Answer> {
    return MakeTemplateAnswer(request, registered);
  });
}

absl::StatusOr<AnswerBytes> Resolver::Resolve(const pb::ResolveHandlerRequest& request, absl::Time deadline) {
  return ResolveWith(request, deadline,
                     [&](const RegisteredTemplate& registered) { return MakeHandlerAnswer(request, registered); });
}

template <typename Request, typename Make>
absl::StatusOr<AnswerBytes> Resolver::ResolveWith(const Request& request, absl::Time deadline, const Make& make) {
  if (absl::Status status = Check(request); !status.ok()) return status;
  const absl::StatusOr<TemplateLoader::Loaded> loaded = loader_->LoadWithNotice(request.reference(), deadline);
  if (!loaded.ok()) return loaded.status();
  const RegisteredTemplate& registered = *loaded->registered;
  const std::string key = KeyOf(request, registered.reference);
  Handle answer = cache_.Find(key);
  if (answer == nullptr) {
    absl::StatusOr<Answer> made = make(registered);
    if (!made.ok()) return made.status();
    const size_t bytes = sizeof(Answer) + made->full.size() + made->not_modified.size() +
                         made->resolution_digest.size() + made->undefined.message().size();
    answer = cache_.Put(key, std::make_shared<Answer>(*std::move(made)), bytes);
  }
  return Choose(request, answer, loaded->notice);
}

Resolver::Answer Resolver::MakeTemplateAnswer(const pb::ResolveTemplateRequest& request,
                                              const RegisteredTemplate& registered) {
  const tmpl::ResolvedTaskTemplate resolved = tmpl::ResolveForEnvironment(registered.tmpl, request.environment());
  const std::string canonical = tmpl::CanonicalText(resolved.tmpl);
  Answer answer;
  answer.resolution_digest = base::Sha256Digest(canonical);
  if (!resolved.environment_defined) {
    answer.undefined = EnvironmentNotDefined(registered.reference, request.environment(), registered.tmpl);
  }
  google::protobuf::Arena arena;
  auto& response = *google::protobuf::Arena::CreateMessage<pb::ResolveTemplateResponse>(&arena);
  response.set_reference(registered.reference);
  response.set_digest(registered.digest);
  response.set_resolution_digest(answer.resolution_digest);
  response.set_environment(request.environment());
  response.set_environment_defined(resolved.environment_defined);
  *response.mutable_resolved_at() = google::protobuf::util::TimeUtil::GetCurrentTime();
  response.set_not_modified(true);
  answer.not_modified = Encode(response);
  response.clear_not_modified();
  if (request.view() == pb::TEMPLATE_VIEW_JSON) {
    response.set_template_json(canonical);
  } else {
    wire::ToProto(resolved.tmpl, *response.mutable_template_());
  }
  answer.full = Encode(response);
  return answer;
}

absl::StatusOr<Resolver::Answer> Resolver::MakeHandlerAnswer(const pb::ResolveHandlerRequest& request,
                                                             const RegisteredTemplate& registered) {
  std::optional<tmpl::TaskTemplate> reduced = Reduced(registered.tmpl, request.step_name(), request.environment());
  if (!reduced) return StepNotFound(registered.reference, request.step_name(), registered.tmpl);
  const tmpl::ResolvedTaskTemplate resolved = tmpl::ResolveForEnvironment(*std::move(reduced), request.environment());
  const bool is_step = !request.step_name().empty();
  if (!is_step && !resolved.tmpl.task_handler) return NoTaskHandler(registered.reference);
  Answer answer;
  if (!resolved.environment_defined) {
    answer.undefined = EnvironmentNotDefined(registered.reference, request.environment(), registered.tmpl);
  }
  google::protobuf::Arena arena;
  auto& response = *google::protobuf::Arena::CreateMessage<pb::ResolveHandlerResponse>(&arena);
  response.set_reference(registered.reference);
  response.set_digest(registered.digest);
  response.set_environment(request.environment());
  response.set_environment_defined(resolved.environment_defined);
  response.set_step_name(request.step_name());
  if (is_step) {
    PutStep(resolved.tmpl.steps.front(), response);
  } else {
    PutTaskHandler(*resolved.tmpl.task_handler, response);
  }
  response.set_callable_kind(wire::ToProto(tmpl::DetectCallableKind(response.handler().callable())));
  answer.full = Encode(response);
  return answer;
}

absl::StatusOr<AnswerBytes> Resolver::Choose(const pb::ResolveTemplateRequest& request, const Handle& answer,
                                             const Notice& notice) {
  if (request.require_environment() && !answer->undefined.ok()) return answer->undefined;
  const bool same = !request.if_not_digest().empty() && request.if_not_digest() == answer->resolution_digest;
  return WithNotice<pb::ResolveTemplateResponse>(AnswerBytes(answer, same ? &answer->not_modified : &answer->full),
                                                 notice);
}

absl::StatusOr<AnswerBytes> Resolver::Choose(const pb::ResolveHandlerRequest& request, const Handle& answer,
                                             const Notice& notice) {
  if (request.require_environment() && !answer->undefined.ok()) return answer->undefined;
  return WithNotice<pb::ResolveHandlerResponse>(AnswerBytes(answer, &answer->full), notice);
}

}  // namespace tasker::registry
