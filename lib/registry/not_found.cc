#include "lib/registry/not_found.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "lib/base/nearest.h"
#include "lib/base/utf8.h"
#include "lib/registry/error.h"

namespace tasker::registry {
namespace {

constexpr size_t kListed = 5;

absl::Status NotFound(std::string_view reason, const std::string& reference, std::string_view what,
                      std::string_view word, std::span<const std::string> existing) {
  const std::string_view nearest = base::Nearest(word, existing);
  std::string message(what);
  ErrorDetail detail{std::string(reason), {{"reference", reference}}, {}};
  if (!nearest.empty()) {
    message += fmt::format("; did you mean '{}'?", nearest);
    detail.metadata.emplace("nearest", nearest);
  } else if (!existing.empty()) {
    const size_t listed = std::min(existing.size(), kListed);
    message +=
        fmt::format("; there is {}{}", fmt::join(existing.first(listed), ", "), listed < existing.size() ? ", …" : "");
  }
  return Error(absl::StatusCode::kNotFound, message, detail);
}

std::string InParentheses(const std::string& text) { return text.empty() ? "" : fmt::format(" ({})", text); }

absl::Status Purged(const tmpl::Reference& reference, const store::Tombstone& tombstone) {
  const std::string exact = tmpl::ExactReference(reference.namespace_name, reference.name, tombstone.version);
  return Error(absl::StatusCode::kNotFound,
               fmt::format("{} was purged at {}{}", exact, TimeText(tombstone.time), InParentheses(tombstone.message)),
               {"VERSION_PURGED", {{"reference", reference.ToString()}}, {}});
}

// "payments/refund has no version ^1.2"
std::string NoVersion(const tmpl::Reference& reference, const store::Neighbours& neighbours) {
  std::string what = fmt::format("{}/{} has no version", reference.namespace_name, reference.name);
  if (reference.kind == tmpl::SelectorKind::kLatest) return what + " that is not yanked";
  what += " " + reference.selector;
  const bool skips_yanked = reference.kind == tmpl::SelectorKind::kRange && neighbours.has_yanked_versions;
  return skips_yanked ? what + " that is not yanked" : what;
}

}  // namespace

absl::Status ReferenceNotFound(const tmpl::Reference& reference, const store::Neighbours& neighbours) {
  const std::string text = reference.ToString();
  const std::string path = fmt::format("{}/{}", reference.namespace_name, reference.name);
  if (!neighbours.namespace_exists) {
    return NotFound("NAMESPACE_NOT_FOUND", text, fmt::format("there is no namespace '{}'", reference.namespace_name),
                    reference.namespace_name, neighbours.namespaces);
  }
  if (neighbours.tombstone) return Purged(reference, *neighbours.tombstone);
  if (!neighbours.template_exists) {
    const std::string what =
        fmt::format("namespace '{}' has no template '{}'", reference.namespace_name, reference.name);
    return NotFound("TEMPLATE_NOT_FOUND", text, what, reference.name, neighbours.templates);
  }
  switch (reference.kind) {
    case tmpl::SelectorKind::kChannel:
      return NotFound("CHANNEL_NOT_FOUND", text, fmt::format("{} has no channel '{}'", path, reference.selector),
                      reference.selector, neighbours.channels);
    case tmpl::SelectorKind::kDigest:
      return NotFound("DIGEST_NOT_FOUND", text,
                      fmt::format("no version of {} has the digest {}", path, reference.selector), reference.selector,
                      {});
    case tmpl::SelectorKind::kExact:
    case tmpl::SelectorKind::kRange:
    case tmpl::SelectorKind::kLatest:
      break;
  }
  return NotFound("VERSION_NOT_FOUND", text, NoVersion(reference, neighbours), reference.selector, neighbours.versions);
}

absl::Status ChannelYanked(const tmpl::Reference& reference, const store::VersionSummary& yanked) {
  return Error(
      absl::StatusCode::kNotFound,
      fmt::format("channel '{}' of {}/{} points at {}, which is yanked{}; point the channel at another version",
                  reference.selector, reference.namespace_name, reference.name, yanked.version,
                  InParentheses(yanked.state.message)),
      {"CHANNEL_YANKED", {{"reference", reference.ToString()}, {"version", yanked.version}}, {}});
}

absl::Status StepNotFound(std::string_view exact, std::string_view step_name, const tmpl::TaskTemplate& tmpl) {
  std::vector<std::string> steps;
  for (const tmpl::StepDefinition& step : tmpl.steps) steps.push_back(step.name);
  return NotFound("STEP_NOT_FOUND", std::string(exact),
                  fmt::format("{} has no step '{}'", exact, base::Shortened(step_name, 255)), step_name, steps);
}

absl::Status EventNotFound(std::string_view exact, std::string_view event_name, const tmpl::TaskTemplate& tmpl) {
  std::set<std::string> names;
  for (const tmpl::DomainEventDefinition& event : tmpl.domain_events) names.insert(event.name);
  for (const tmpl::StepDefinition& step : tmpl.steps) {
    for (const tmpl::PublishedEvent& event : step.publishes_events) names.insert(event.name);
  }
  const std::vector<std::string> events(names.begin(), names.end());
  return NotFound("EVENT_NOT_FOUND", std::string(exact),
                  fmt::format("{} has no event '{}'", exact, base::Shortened(event_name, 255)), event_name, events);
}

absl::Status EnvironmentNotDefined(std::string_view exact, std::string_view environment,
                                   const tmpl::TaskTemplate& tmpl) {
  std::vector<std::string> defined;
  for (const auto& [name, overrides] : tmpl.environments) defined.push_back(name);
  std::string message = fmt::format("{} does not define the environment '{}'", exact, environment);
  const std::string hint = base::DidYouMean(environment, defined);
  if (!hint.empty()) {
    message += "; " + hint;
  } else if (defined.empty()) {
    message += "; it defines none";
  } else {
    defined.resize(std::min(defined.size(), 2 * kListed));
    message += fmt::format("; it defines {}", fmt::join(defined, ", "));
  }
  return Error(
      absl::StatusCode::kFailedPrecondition, message,
      {"ENVIRONMENT_NOT_DEFINED", {{"reference", std::string(exact)}, {"environment", std::string(environment)}}, {}});
}

}  // namespace tasker::registry
