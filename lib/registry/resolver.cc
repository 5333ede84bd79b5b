#include "lib/registry/resolver.h"

#include <fmt/format.h>
#include <google/protobuf/arena.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>
#include <vector>

#include "lib/base/digest.h"
#include "lib/base/json.h"
#include "lib/base/utf8.h"
#include "lib/registry/environment.h"
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
constexpr size_t kDigestBytes = 71;  // "sha256:" and 64 digits

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

// What stands behind the head of an answer in place of the rest.
const std::string& NotModified() {
  static const std::string kBytes = [] {
    pb::ResolveTemplateResponse part;
    part.set_not_modified(true);
    return part.SerializeAsString();
  }();
  return kBytes;
}

template <typename Response>
std::string EncodedNoticeIn(const Notice& notice) {
  if (notice == nullptr) return "";
  Response part;
  *part.mutable_state_notice() = *notice;
  return Encode(part);
}

template <typename Request>
std::string EncodedNotice(const Notice& notice) {
  if constexpr (std::is_same_v<Request, pb::ResolveTemplateRequest>) {
    return EncodedNoticeIn<pb::ResolveTemplateResponse>(notice);
  } else {
    return EncodedNoticeIn<pb::ResolveHandlerResponse>(notice);
  }
}

std::string StaleMs(Resolver::Kind kind, absl::Duration stale) {
  if (stale <= absl::ZeroDuration()) return "";
  pb::ResolveTemplateResponse of_template;
  pb::ResolveHandlerResponse of_handler;
  of_template.set_stale_ms(absl::ToInt64Milliseconds(stale));
  of_handler.set_stale_ms(absl::ToInt64Milliseconds(stale));
  return kind == Resolver::Kind::kTemplate ? of_template.SerializeAsString() : of_handler.SerializeAsString();
}

// A cache key without memory of its own: the kind of the answer, the exact reference, the environment and the step,
// apart by NUL, which can stand in none of these parts of a key that was ever put.
class Key {
 public:
  Key(Resolver::Kind kind, int64_t view, std::string_view reference, std::string_view environment,
      std::string_view step_name) {
    text_[size_++] = view == pb::TEMPLATE_VIEW_JSON ? 'J' : static_cast<char>(kind);
    for (const std::string_view part : {reference, environment, step_name}) {
      if (size_ + part.size() + 1 > text_.size()) {
        size_ = 0;  // longer than any that is put
        return;
      }
      part.copy(text_.data() + size_, part.size());
      size_ += part.size();
      text_[size_++] = '\0';
    }
  }
  std::string_view text() const { return {text_.data(), size_}; }

 private:
  // A namespace, a name, an environment and a step of 255 bytes each, and a version.
  std::array<char, 1100> text_;
  size_t size_ = 0;
};

// "namespace/name:1.2.3"; the selector of no other kind has two dots behind a digit, but for those that cannot be.
bool LooksExact(std::string_view reference) {
  const size_t colon = reference.find(':');
  if (colon == std::string_view::npos || colon + 1 == reference.size()) return false;
  const std::string_view selector = reference.substr(colon + 1);
  return selector.front() >= '0' && selector.front() <= '9' && std::count(selector.begin(), selector.end(), '.') == 2;
}

ResolveRequestView ViewOf(const pb::ResolveTemplateRequest& request) {
  return {.reference = request.reference(),
          .environment = request.environment(),
          .if_not_digest = request.if_not_digest(),
          .view = request.view(),
          .require_environment = request.require_environment(),
          .min_revision = request.min_revision()};
}

ResolveRequestView ViewOf(const pb::ResolveHandlerRequest& request) {
  return {.reference = request.reference(),
          .environment = request.environment(),
          .step_name = request.step_name(),
          .require_environment = request.require_environment(),
          .min_revision = request.min_revision()};
}

Resolver::Kind KindOf(const pb::ResolveTemplateRequest&) { return Resolver::Kind::kTemplate; }
Resolver::Kind KindOf(const pb::ResolveHandlerRequest&) { return Resolver::Kind::kHandler; }

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

}  // namespace

Resolver::Resolver(std::shared_ptr<TemplateLoader> loader, size_t cache_bytes)
    : loader_(std::move(loader)), cache_(cache_bytes) {}

AnswerBytes Reply::Join() const {
  if (tail.empty() && head.size() == owner->size()) return owner;
  auto joined = std::make_shared<std::string>(head);
  *joined += tail;
  return joined;
}

std::optional<absl::StatusOr<Reply>> Resolver::Find(Kind kind, const ResolveRequestView& request) {
  if (!pb::TemplateView_IsValid(static_cast<int>(request.view))) return std::nullopt;
  // No text that is remembered is wrong UTF-8; this one is only compared.
  if (!base::IsValidUtf8(request.if_not_digest)) return std::nullopt;
  std::string_view reference = request.reference;
  std::optional<Selections::Found> found;
  if (!LooksExact(reference)) {
    found = loader_->selections().Find(reference);
    if (!found) return std::nullopt;
    if (!found->selected->missing.ok()) return found->selected->missing;
    reference = found->selected->exact;
  }
  const Key key(kind, request.view, reference, request.environment, request.step_name);
  const Handle answer = cache_.Find(key.text());
  if (answer == nullptr && !found) {
    found = loader_->selections().Find(reference);
    if (found && !found->selected->missing.ok()) return found->selected->missing;
  }
  if (answer == nullptr || answer->states != loader_->counters().States(reference)) return std::nullopt;
  if (request.require_environment && !answer->environment_defined) return std::nullopt;
  Reply reply = MakeReply(answer, request.if_not_digest);
  if (found && found->stale > absl::ZeroDuration()) reply.tail += StaleMs(kind, found->stale);
  return reply;
}

std::optional<absl::StatusOr<AnswerBytes>> Resolver::Find(const pb::ResolveTemplateRequest& request) {
  std::optional<absl::StatusOr<Reply>> reply = Find(Kind::kTemplate, ViewOf(request));
  if (!reply) return std::nullopt;
  if (!reply->ok()) return reply->status();
  return (*reply)->Join();
}

absl::StatusOr<AnswerBytes> Resolver::Resolve(const pb::ResolveTemplateRequest& request, absl::Time deadline) {
  return LoadAndResolve(request, deadline);
}

absl::StatusOr<AnswerBytes> Resolver::Resolve(const pb::ResolveHandlerRequest& request, absl::Time deadline) {
  return LoadAndResolve(request, deadline);
}

void Resolver::ResolveTogether(std::span<const pb::ResolveTemplateRequest* const> requests, absl::Time deadline,
                               const std::function<void(size_t, absl::StatusOr<AnswerBytes>)>& answer) {
  std::vector<std::string_view> references;
  for (const pb::ResolveTemplateRequest* request : requests) references.push_back(request->reference());
  loader_->LoadTogether(references, deadline, [&](size_t i, const TemplateLoader::Loaded& loaded) {
    if (Check(*requests[i]).ok()) answer(i, ResolveLoaded(*requests[i], loaded));
  });
}

template <typename Request>
absl::StatusOr<AnswerBytes> Resolver::LoadAndResolve(const Request& request, absl::Time deadline) {
  if (absl::Status status = Check(request); !status.ok()) return status;
  const absl::StatusOr<TemplateLoader::Loaded> loaded = loader_->LoadWithNotice(request.reference(), deadline);
  if (!loaded.ok()) return loaded.status();
  return ResolveLoaded(request, *loaded);
}

template <typename Request>
absl::StatusOr<AnswerBytes> Resolver::ResolveLoaded(const Request& request, const TemplateLoader::Loaded& loaded) {
  const RegisteredTemplate& registered = *loaded.registered;
  const ResolveRequestView view = ViewOf(request);
  const Key key(KindOf(request), view.view, registered.reference, view.environment, view.step_name);
  Handle answer = cache_.Find(key.text());
  if (answer == nullptr || answer->states != loaded.states) {
    // What the answer holds never changes, only the notice behind it.
    absl::StatusOr<Answer> made = answer == nullptr ? MakeAnswer(request, registered) : *answer;
    if (!made.ok()) return made.status();
    made->notice = EncodedNotice<Request>(loaded.notice);
    made->states = loaded.states;
    const size_t bytes = sizeof(Answer) + made->bytes.size() + made->notice.size();
    answer = cache_.Put(key.text(), std::make_shared<Answer>(*std::move(made)), bytes);
  }
  if (request.require_environment() && !answer->environment_defined) {
    return EnvironmentNotDefined(registered.reference, request.environment(), registered.tmpl);
  }
  return MakeReply(answer, view.if_not_digest).Join();
}

Reply Resolver::MakeReply(const Handle& answer, std::string_view if_not_digest) {
  const AnswerBytes bytes(answer, &answer->bytes);
  const bool same =
      answer->digest_at > 0 && std::string_view(*bytes).substr(answer->digest_at, kDigestBytes) == if_not_digest;
  if (!same) return {bytes, *bytes, answer->notice};
  return {bytes, std::string_view(*bytes).substr(0, answer->head_bytes), NotModified() + answer->notice};
}

absl::StatusOr<Resolver::Answer> Resolver::MakeAnswer(const pb::ResolveTemplateRequest& request,
                                                      const RegisteredTemplate& registered) {
  const tmpl::ResolvedTaskTemplate resolved = tmpl::ResolveForEnvironment(registered.tmpl, request.environment());
  const std::string canonical = tmpl::CanonicalText(resolved.tmpl);
  const std::string digest = base::Sha256Digest(canonical);
  google::protobuf::Arena arena;
  auto& head = *google::protobuf::Arena::CreateMessage<pb::ResolveTemplateResponse>(&arena);
  head.set_reference(registered.reference);
  head.set_digest(registered.digest);
  head.set_resolution_digest(digest);
  head.set_environment(request.environment());
  head.set_environment_defined(resolved.environment_defined);
  *head.mutable_resolved_at() = google::protobuf::util::TimeUtil::GetCurrentTime();
  auto& body = *google::protobuf::Arena::CreateMessage<pb::ResolveTemplateResponse>(&arena);
  if (request.view() == pb::TEMPLATE_VIEW_JSON) {
    body.set_template_json(canonical);
  } else {
    wire::ToProto(resolved.tmpl, *body.mutable_template_());
  }
  Answer answer{.bytes = Encode(head), .environment_defined = resolved.environment_defined};
  answer.head_bytes = answer.bytes.size();
  // Behind the template's own digest, which is the same one where no override changes anything.
  answer.digest_at = answer.bytes.rfind(digest);
  answer.bytes += Encode(body);
  answer.bytes.shrink_to_fit();
  return answer;
}

absl::StatusOr<Resolver::Answer> Resolver::MakeAnswer(const pb::ResolveHandlerRequest& request,
                                                      const RegisteredTemplate& registered) {
  std::optional<tmpl::TaskTemplate> reduced = Reduced(registered.tmpl, request.step_name(), request.environment());
  if (!reduced) return StepNotFound(registered.reference, request.step_name(), registered.tmpl);
  const tmpl::ResolvedTaskTemplate resolved = tmpl::ResolveForEnvironment(*std::move(reduced), request.environment());
  const bool is_step = !request.step_name().empty();
  if (!is_step && !resolved.tmpl.task_handler) return NoTaskHandler(registered.reference);
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
  return Answer{.bytes = Encode(response), .environment_defined = resolved.environment_defined};
}

}  // namespace tasker::registry
