#include "lib/registry/template_loader.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <optional>
#include <utility>

#include "lib/base/json.h"
#include "lib/registry/error.h"
#include "lib/registry/not_found.h"

namespace tasker::registry {
namespace {

// Bytes of a parsed template for each byte of its JSON; measured with glibc's malloc over the test corpus (7 to 10).
constexpr size_t kParsedFactor = 10;

}  // namespace

absl::StatusOr<tmpl::Reference> ParseRequestReference(std::string_view reference) {
  absl::StatusOr<tmpl::Reference> parsed = tmpl::ParseReference(reference);
  if (parsed.ok()) return parsed;
  const std::string message(parsed.status().message());
  return Error(parsed.status().code(), message, {"REFERENCE_MALFORMED", {}, {{"reference", message}}});
}

absl::StatusOr<tmpl::TaskTemplate> ParseStored(const store::StoredVersion& stored) {
  absl::Status problem;
  if (absl::StatusOr<base::Json> json = base::ParseJson(stored.configuration, base::HugeIntegers::kAsReals);
      json.ok()) {
    absl::StatusOr<tmpl::TaskTemplate> tmpl = tmpl::TemplateFromJson(*json);
    if (tmpl.ok()) return tmpl;
    problem = tmpl.status();
  } else {
    problem = json.status();
  }
  const std::string reference = ExactReference(stored.summary);
  spdlog::error("the stored configuration of {} is damaged: {}", reference, std::string(problem.message()));
  return Error(absl::StatusCode::kInternal, fmt::format("the stored configuration of {} is damaged", reference),
               {"CONFIGURATION_DAMAGED", {{"reference", reference}}, {}});
}

absl::StatusOr<tmpl::LoadedTemplate> LoadWithPositions(const store::StoredVersion& stored) {
  if (stored.source_text) {
    if (std::optional<tmpl::LoadedTemplate> loaded = tmpl::LoadAccepted(*stored.source_text)) return *std::move(loaded);
  }
  absl::StatusOr<tmpl::TaskTemplate> tmpl = ParseStored(stored);
  if (!tmpl.ok()) return tmpl.status();
  return tmpl::WithoutPositions(*std::move(tmpl));
}

std::string ExactReference(const store::VersionSummary& summary) {
  return tmpl::ExactReference(summary.namespace_name, summary.name, summary.version);
}

TemplateLoader::TemplateLoader(std::shared_ptr<store::Store> store, size_t cache_bytes, Selections::Options selections)
    : store_(std::move(store)), cache_(cache_bytes), selections_(counters_, std::move(selections)) {}

absl::StatusOr<TemplateLoader::Handle> TemplateLoader::Load(std::string_view reference, absl::Time deadline) {
  absl::StatusOr<Loaded> loaded = LoadWithNotice(reference, deadline);
  if (!loaded.ok()) return loaded.status();
  return std::move(loaded->registered);
}

absl::StatusOr<TemplateLoader::Loaded> TemplateLoader::LoadWithNotice(std::string_view reference, absl::Time deadline) {
  if (const std::optional<Selections::Found> found = selections_.Find(reference)) {
    if (!found->selected->missing.ok()) return found->selected->missing;
    const ByteCache<Loaded>::Handle known = cache_.Find(found->selected->exact);
    if (known != nullptr && IsCurrent(*known)) return *known;
  }
  const absl::StatusOr<tmpl::Reference> parsed = ParseRequestReference(reference);
  if (!parsed.ok()) return parsed.status();
  ByteCache<Loaded>::Handle known;
  if (parsed->kind == tmpl::SelectorKind::kExact) known = cache_.Find(parsed->ToString());
  if (known != nullptr && IsCurrent(*known)) return *known;
  // With the counts, so that nobody who comes after a change gets what was asked for before it.
  const std::string flight =
      fmt::format("{} {} {}", counters_.Selections(reference), counters_.States(reference), reference);
  return flights_.Do(flight, deadline, [&] {
    return known != nullptr ? AskState(*known, *parsed, deadline) : Ask(*parsed, reference, deadline);
  });
}

absl::StatusOr<TemplateLoader::Loaded> TemplateLoader::Ask(const tmpl::Reference& parsed, std::string_view reference,
                                                           absl::Time deadline) {
  const uint64_t ticket = selections_.TicketFor(reference);
  const uint64_t states = counters_.States(reference);
  absl::StatusOr<store::StoredVersion> stored = Select(parsed, deadline, store::VersionParts::kResolving);
  if (absl::IsNotFound(stored.status())) selections_.PutMissing(reference, stored.status(), ticket);
  if (!stored.ok()) return stored.status();
  const std::string exact = ExactReference(stored->summary);
  const Notice notice = NoticeOf(stored->summary.state);
  if (parsed.kind != tmpl::SelectorKind::kExact) {
    selections_.Put(reference, exact, ticket);
    if (const ByteCache<Loaded>::Handle known = cache_.Find(exact)) {
      return IsCurrent(*known) ? *known : Keep({known->registered, notice, states, known->bytes});
    }
  }
  absl::StatusOr<tmpl::TaskTemplate> tmpl = ParseStored(*stored);
  if (!tmpl.ok()) return tmpl.status();
  const size_t bytes = kParsedFactor * stored->configuration.size();
  auto registered =
      std::make_shared<RegisteredTemplate>(RegisteredTemplate{exact, stored->summary.digest, *std::move(tmpl)});
  return Keep({std::move(registered), notice, states, bytes});
}

absl::StatusOr<TemplateLoader::Loaded> TemplateLoader::AskState(const Loaded& known, const tmpl::Reference& exact,
                                                                absl::Time deadline) {
  const uint64_t states = counters_.States(known.registered->reference);
  const absl::StatusOr<std::optional<store::StateInfo>> state =
      store_->LoadState(exact.namespace_name, exact.name, exact.version, deadline);
  if (!state.ok()) return known;
  if (!*state) return NotFound(exact, deadline);
  return Keep({known.registered, NoticeOf(**state), states, known.bytes});
}

TemplateLoader::Loaded TemplateLoader::Keep(Loaded loaded) {
  const size_t bytes = sizeof(Loaded) + loaded.bytes + (loaded.notice == nullptr ? 0 : loaded.notice->SpaceUsedLong());
  const auto kept = std::make_shared<const Loaded>(std::move(loaded));
  return *cache_.Put(kept->registered->reference, kept, bytes);
}

absl::Status TemplateLoader::NotFound(const tmpl::Reference& reference, absl::Time deadline) const {
  const absl::StatusOr<store::Neighbours> neighbours = store_->LoadNeighbours(reference, deadline);
  return neighbours.ok() ? ReferenceNotFound(reference, *neighbours) : neighbours.status();
}

absl::StatusOr<store::StoredVersion> TemplateLoader::LoadStored(std::string_view reference, absl::Time deadline) {
  absl::StatusOr<tmpl::Reference> parsed = ParseRequestReference(reference);
  if (!parsed.ok()) return parsed.status();
  return Select(*parsed, deadline, store::VersionParts::kAll);
}

absl::StatusOr<store::StoredVersion> TemplateLoader::Select(const tmpl::Reference& reference, absl::Time deadline,
                                                            store::VersionParts parts) const {
  const std::string& space = reference.namespace_name;
  const std::string& name = reference.name;
  absl::StatusOr<std::optional<store::StoredVersion>> found = std::nullopt;
  switch (reference.kind) {
    case tmpl::SelectorKind::kExact:
      found = store_->LoadVersion(space, name, reference.version, deadline, parts);
      break;
    case tmpl::SelectorKind::kRange:
      found = store_->LoadHighest(space, name, reference.range, deadline, parts);
      break;
    case tmpl::SelectorKind::kLatest:
      found = store_->LoadLatest(space, name, deadline, parts);
      break;
    case tmpl::SelectorKind::kDigest:
      found = store_->LoadByDigest(space, name, reference.selector, deadline, parts);
      break;
    case tmpl::SelectorKind::kChannel:
      found = store_->LoadByChannel(space, name, reference.selector, deadline, parts);
      if (found.ok() && *found && (*found)->summary.state.state == store::VersionState::kYanked) {
        return ChannelYanked(reference, (*found)->summary);
      }
      break;
  }
  if (!found.ok()) return found.status();
  if (*found) return **std::move(found);
  return NotFound(reference, deadline);
}

}  // namespace tasker::registry
