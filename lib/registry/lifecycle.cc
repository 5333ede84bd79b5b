#include "lib/registry/lifecycle.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "lib/registry/catalog_messages.h"
#include "lib/registry/channel_name.h"
#include "lib/registry/error.h"
#include "lib/template/reference.h"

namespace tasker::registry {
namespace {

constexpr size_t kMaxMessage = 2048;  // bytes

store::Author AuthorOf(const Caller& caller) { return {caller.actor, caller.peer}; }

absl::Status CheckMessage(std::string_view field, std::string_view text) {
  if (text.size() > kMaxMessage) return InvalidField(field, fmt::format("is longer than {} bytes", kMaxMessage));
  if (text.find('\0') != std::string_view::npos) return InvalidField(field, "holds the character NUL");
  return absl::OkStatus();
}

absl::Status CheckReplacement(const std::string& replacement) {
  if (replacement.empty()) return absl::OkStatus();
  if (absl::Status status = CheckMessage("replacement", replacement); !status.ok()) return status;
  const absl::StatusOr<tmpl::Reference> parsed = tmpl::ParseReference(replacement);
  return parsed.ok() ? absl::OkStatus() : InvalidField("replacement", std::string(parsed.status().message()));
}

// NAMESPACE/NAME.
absl::StatusOr<tmpl::Reference> TemplateOf(const std::string& reference) {
  absl::StatusOr<tmpl::Reference> parsed = ParseRequestReference(reference);
  if (parsed.ok() && !parsed->selector.empty()) {
    return InvalidField("reference", "must be NAMESPACE/NAME, without a selector");
  }
  return parsed;
}

// A state is given to one version for ever, so a selector whose meaning moves would be a trap.
absl::StatusOr<tmpl::Reference> VersionOf(const std::string& reference) {
  absl::StatusOr<tmpl::Reference> parsed = ParseRequestReference(reference);
  if (!parsed.ok()) return parsed;
  if (parsed->kind == tmpl::SelectorKind::kExact || parsed->kind == tmpl::SelectorKind::kDigest) return parsed;
  return InvalidField("reference",
                      fmt::format("'{}' may mean another version tomorrow: name one version, {}/{}:MAJOR.MINOR.PATCH, "
                                  "or its digest",
                                  parsed->ToString(), parsed->namespace_name, parsed->name));
}

absl::Status CheckExpected(const std::string& expected, bool may_be_empty) {
  if (tmpl::ParseVersion(expected) || (may_be_empty && expected.empty())) return absl::OkStatus();
  const tmpl::VersionProblem problem = tmpl::ExplainVersion(expected);
  return InvalidField("expected_version", fmt::format("is wrong: {}; {}", problem.message, problem.hint));
}

template <typename Request>
std::optional<std::string> ExpectedOf(const Request& request) {
  return request.has_expected_version() ? std::optional(request.expected_version()) : std::nullopt;
}

std::string Path(const tmpl::Reference& reference) {
  return fmt::format("{}/{}", reference.namespace_name, reference.name);
}

// The same template with another selector, which must be a valid one.
absl::StatusOr<tmpl::Reference> WithSelector(const tmpl::Reference& of, std::string_view selector) {
  return tmpl::ParseReference(fmt::format("{}{}{}", Path(of), selector.starts_with("sha256:") ? '@' : ':', selector));
}

absl::Status ChannelMoved(const tmpl::Reference& of, const std::string& channel, const std::string& expected,
                          const std::string& actual) {
  const std::string where = actual.empty() ? fmt::format("{} has no channel '{}'", Path(of), channel)
                                           : fmt::format("channel '{}' of {} points at {}", channel, Path(of), actual);
  const std::string wanted =
      expected.empty() ? "it was expected not to exist" : fmt::format("it was expected at {}", expected);
  return Error(absl::StatusCode::kAborted, fmt::format("{}; {}; nothing was changed", where, wanted),
               {"CHANNEL_MOVED",
                {{"reference", Path(of)}, {"channel", channel}, {"version", actual}, {"expected_version", expected}},
                {}});
}

absl::Status Precondition(std::string_view reason, const std::string& exact, const std::string& message,
                          std::map<std::string, std::string> metadata = {}) {
  metadata.emplace("reference", exact);
  return Error(absl::StatusCode::kFailedPrecondition, message, {std::string(reason), std::move(metadata), {}});
}

std::optional<store::VersionPolicy> PolicyOf(pb::VersionPolicy policy) {
  switch (policy) {
    case pb::VERSION_POLICY_NONE:
      return store::VersionPolicy::kNone;
    case pb::VERSION_POLICY_WARN:
      return store::VersionPolicy::kWarn;
    case pb::VERSION_POLICY_ENFORCE:
      return store::VersionPolicy::kEnforce;
    default:
      return std::nullopt;
  }
}

}  // namespace

Lifecycle::Lifecycle(std::shared_ptr<store::Store> store, std::shared_ptr<TemplateLoader> loader)
    : store_(std::move(store)), loader_(std::move(loader)) {}

absl::StatusOr<pb::SetChannelResponse> Lifecycle::SetChannel(const pb::SetChannelRequest& request,
                                                             const Caller& caller) const {
  const absl::StatusOr<tmpl::Reference> of = TemplateOf(request.reference());
  if (!of.ok()) return of.status();
  absl::Status status = CheckChannelName("channel", request.channel());
  if (request.has_expected_version()) status.Update(CheckExpected(request.expected_version(), true));
  if (request.version().empty()) status.Update(InvalidField("version", "is missing"));
  if (!status.ok()) return status;
  absl::StatusOr<tmpl::Reference> target = WithSelector(*of, request.version());
  if (!target.ok()) return InvalidField("version", std::string(target.status().message()));
  if (target->kind != tmpl::SelectorKind::kExact) {
    const auto found = loader_->Load(target->ToString(), caller.deadline);
    if (!found.ok()) return found.status();
    target = tmpl::ParseReference((*found)->reference);
  }
  const absl::StatusOr<store::LifecycleResult> result =
      store_->SetChannel(of->namespace_name, of->name, request.channel(), target->version, ExpectedOf(request),
                         AuthorOf(caller), caller.deadline);
  const std::string exact = target->ToString();
  loader_->counters().CountSelections(exact);
  if (!result.ok()) return result.status();
  switch (result->outcome) {
    case store::LifecycleOutcome::kNoVersion:
      return loader_->NotFound(*target, caller.deadline);
    case store::LifecycleOutcome::kChannelMoved:
      return ChannelMoved(*of, request.channel(), request.expected_version(), result->old_version);
    case store::LifecycleOutcome::kYanked:
      return Precondition("VERSION_YANKED", exact,
                          fmt::format("{} is yanked{}, so no channel can point at it; restore it first", exact,
                                      result->message.empty() ? "" : fmt::format(" ({})", result->message)));
    default:
      break;
  }
  pb::SetChannelResponse response;
  response.set_reference(exact);
  response.set_channel(request.channel());
  response.set_old_version(result->old_version);
  response.set_version(result->version);
  response.set_revision(result->revision);
  return response;
}

absl::StatusOr<pb::DeleteChannelResponse> Lifecycle::DeleteChannel(const pb::DeleteChannelRequest& request,
                                                                   const Caller& caller) const {
  const absl::StatusOr<tmpl::Reference> of = TemplateOf(request.reference());
  if (!of.ok()) return of.status();
  absl::Status status = CheckChannelName("channel", request.channel());
  if (request.has_expected_version()) status.Update(CheckExpected(request.expected_version(), false));
  if (!status.ok()) return status;
  const absl::StatusOr<store::LifecycleResult> result = store_->DeleteChannel(
      of->namespace_name, of->name, request.channel(), ExpectedOf(request), AuthorOf(caller), caller.deadline);
  loader_->counters().CountSelections(of->ToString());
  if (!result.ok()) return result.status();
  if (result->outcome == store::LifecycleOutcome::kNoChannel) {
    return loader_->NotFound(*WithSelector(*of, request.channel()), caller.deadline);
  }
  if (result->outcome == store::LifecycleOutcome::kChannelMoved) {
    return ChannelMoved(*of, request.channel(), request.expected_version(), result->old_version);
  }
  pb::DeleteChannelResponse response;
  response.set_reference(Path(*of));
  response.set_channel(request.channel());
  response.set_old_version(result->old_version);
  response.set_revision(result->revision);
  return response;
}

struct Lifecycle::StateChange {
  const std::string& reference;
  store::VersionState state;
  std::string_view message = {};
  std::string_view replacement = {};
};

struct Lifecycle::Changed {
  std::string exact;
  store::LifecycleResult result;
};

absl::StatusOr<Lifecycle::Changed> Lifecycle::SetState(const StateChange& change, const Caller& caller) const {
  const absl::StatusOr<tmpl::Reference> version = VersionOf(change.reference);
  if (!version.ok()) return version.status();
  absl::StatusOr<store::LifecycleResult> result =
      store_->SetState(*version, change.state, change.message, change.replacement, AuthorOf(caller), caller.deadline);
  // Also when it failed: what the database did may be unknown.
  loader_->counters().CountTemplate(fmt::format("{}/{}", version->namespace_name, version->name));
  if (!result.ok()) return result.status();
  if (result->outcome == store::LifecycleOutcome::kNoVersion) return loader_->NotFound(*version, caller.deadline);
  const std::string exact = tmpl::ExactReference(version->namespace_name, version->name, result->version);
  if (result->outcome == store::LifecycleOutcome::kYanked) {
    return Precondition("VERSION_YANKED", exact,
                        fmt::format("{} is yanked, which says more than deprecated; restore it first", exact));
  }
  return Changed{exact, *std::move(result)};
}

absl::StatusOr<pb::DeprecateTemplateResponse> Lifecycle::Deprecate(const pb::DeprecateTemplateRequest& request,
                                                                   const Caller& caller) const {
  absl::Status status = CheckMessage("message", request.message());
  status.Update(CheckReplacement(request.replacement()));
  if (!status.ok()) return status;
  const absl::StatusOr<Changed> changed = SetState(
      {request.reference(), store::VersionState::kDeprecated, request.message(), request.replacement()}, caller);
  if (!changed.ok()) return changed.status();
  pb::DeprecateTemplateResponse response;
  response.set_reference(changed->exact);
  response.set_state(pb::TEMPLATE_STATE_DEPRECATED);
  response.set_revision(changed->result.revision);
  return response;
}

absl::StatusOr<pb::YankTemplateResponse> Lifecycle::Yank(const pb::YankTemplateRequest& request,
                                                         const Caller& caller) const {
  absl::Status status = CheckMessage("reason", request.reason());
  status.Update(CheckReplacement(request.replacement()));
  if (!status.ok()) return status;
  const absl::StatusOr<Changed> changed =
      SetState({request.reference(), store::VersionState::kYanked, request.reason(), request.replacement()}, caller);
  if (!changed.ok()) return changed.status();
  pb::YankTemplateResponse response;
  response.set_reference(changed->exact);
  response.set_state(pb::TEMPLATE_STATE_YANKED);
  response.set_revision(changed->result.revision);
  for (const std::string& channel : changed->result.channels) response.add_channels(channel);
  return response;
}

absl::StatusOr<pb::RestoreTemplateResponse> Lifecycle::Restore(const pb::RestoreTemplateRequest& request,
                                                               const Caller& caller) const {
  const absl::StatusOr<Changed> changed = SetState({request.reference(), store::VersionState::kActive}, caller);
  if (!changed.ok()) return changed.status();
  pb::RestoreTemplateResponse response;
  response.set_reference(changed->exact);
  response.set_state(pb::TEMPLATE_STATE_ACTIVE);
  response.set_revision(changed->result.revision);
  return response;
}

absl::StatusOr<pb::PurgeTemplateResponse> Lifecycle::Purge(const pb::PurgeTemplateRequest& request,
                                                           const Caller& caller) const {
  if (absl::Status status = CheckMessage("reason", request.reason()); !status.ok()) return status;
  const absl::StatusOr<tmpl::Reference> version = VersionOf(request.reference());
  if (!version.ok()) return version.status();
  const absl::StatusOr<store::LifecycleResult> result =
      store_->Purge(*version, request.reason(), AuthorOf(caller), caller.deadline);
  loader_->counters().CountTemplate(fmt::format("{}/{}", version->namespace_name, version->name));
  if (!result.ok()) return result.status();
  const std::string exact = tmpl::ExactReference(version->namespace_name, version->name, result->version);
  switch (result->outcome) {
    case store::LifecycleOutcome::kNoVersion:
      return loader_->NotFound(*version, caller.deadline);
    case store::LifecycleOutcome::kNotYanked:
      return Precondition("VERSION_NOT_YANKED", exact,
                          fmt::format("{} is not yanked; only a yanked version can be purged, yank it first", exact));
    case store::LifecycleOutcome::kChannels: {
      const std::string channels = fmt::format("{}", fmt::join(result->channels, ", "));
      return Precondition("CHANNEL_POINTS_HERE", exact,
                          fmt::format("channels point at {}: {}; move or delete them first", exact, channels),
                          {{"channels", channels}});
    }
    default:
      break;
  }
  pb::PurgeTemplateResponse response;
  response.set_reference(exact);
  response.set_digest(result->digest);
  response.set_revision(result->revision);
  return response;
}

absl::StatusOr<pb::SetVersionPolicyResponse> Lifecycle::SetVersionPolicy(const pb::SetVersionPolicyRequest& request,
                                                                         const Caller& caller) const {
  absl::Status status;
  if (!tmpl::IsName(request.namespace_name())) {
    status.Update(InvalidField("namespace_name", fmt::format("is no name: {}", tmpl::kNameRule)));
  }
  const std::optional<store::VersionPolicy> policy = PolicyOf(request.policy());
  if (!policy) status.Update(InvalidField("policy", "must be NONE, WARN or ENFORCE"));
  if (!status.ok()) return status;
  const absl::StatusOr<store::LifecycleResult> result =
      store_->SetVersionPolicy(request.namespace_name(), *policy, AuthorOf(caller), caller.deadline);
  if (!result.ok()) return result.status();
  pb::SetVersionPolicyResponse response;
  response.set_namespace_name(request.namespace_name());
  response.set_old_policy(ToProto(result->old_policy));
  response.set_policy(request.policy());
  response.set_revision(result->revision);
  return response;
}

}  // namespace tasker::registry
