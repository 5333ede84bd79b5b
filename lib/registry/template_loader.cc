#include "lib/registry/template_loader.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <optional>
#include <utility>

#include "lib/registry/error.h"
#include "lib/registry/not_found.h"

namespace tasker::registry {
namespace {

// Bytes of a parsed template for each byte of its JSON; measured with glibc's malloc over the test corpus (7 to 10).
constexpr size_t kParsedFactor = 10;

// Several keys of a SingleFlight. Those that were not landed are left to whoever waits for them.
class Flights {
 public:
  using Loaded = TemplateLoader::Loaded;

  explicit Flights(SingleFlight<Loaded>& flights) : flights_(flights) {}
  ~Flights() {
    for (const std::string& key : keys_) {
      if (!key.empty()) flights_.Land(key, absl::DeadlineExceededError(""));
    }
  }
  Flights(const Flights&) = delete;
  Flights& operator=(const Flights&) = delete;

  bool Begin(std::string key) {
    if (!flights_.Begin(key)) return false;
    keys_.push_back(std::move(key));
    return true;
  }
  // The `i`th of those that began.
  void Land(size_t i, const absl::StatusOr<Loaded>& loaded) {
    flights_.Land(keys_[i], loaded);
    keys_[i].clear();
  }

 private:
  SingleFlight<Loaded>& flights_;
  std::vector<std::string> keys_;
};

}  // namespace

absl::StatusOr<tmpl::Reference> ParseRequestReference(std::string_view reference) {
  absl::StatusOr<tmpl::Reference> parsed = tmpl::ParseReference(reference);
  if (parsed.ok()) return parsed;
  const std::string message(parsed.status().message());
  return Error(parsed.status().code(), message, {"REFERENCE_MALFORMED", {}, {{"reference", message}}});
}

absl::StatusOr<tmpl::TaskTemplate> ParseStored(const store::StoredVersion& stored) {
  absl::StatusOr<tmpl::TaskTemplate> tmpl = tmpl::TemplateFromJsonb(stored.configuration);
  if (tmpl.ok()) return tmpl;
  const std::string reference = ExactReference(stored.summary);
  spdlog::error("the stored configuration of {} is damaged: {}", reference, std::string(tmpl.status().message()));
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
  return flights_.Do(FlightOf(reference), deadline, [&] {
    return known != nullptr ? AskState(*known, *parsed, deadline) : Ask(*parsed, reference, deadline);
  });
}

std::string TemplateLoader::FlightOf(std::string_view reference) const {
  return fmt::format("{} {} {}", counters_.Selections(reference), counters_.States(reference), reference);
}

void TemplateLoader::LoadTogether(std::span<const std::string_view> references, absl::Time deadline,
                                  const std::function<void(size_t, const Loaded&)>& use) {
  Flights flights(flights_);
  std::vector<size_t> places;
  std::vector<uint64_t> states;
  std::vector<tmpl::Reference> wanted;
  for (size_t i = 0; i < references.size(); ++i) {
    absl::StatusOr<tmpl::Reference> parsed = tmpl::ParseReference(references[i]);
    if (!parsed.ok() || parsed->kind != tmpl::SelectorKind::kExact) continue;
    if (const ByteCache<Loaded>::Handle known = cache_.Find(references[i])) {
      if (IsCurrent(*known)) use(i, *known);
    } else if (flights.Begin(FlightOf(references[i]))) {
      places.push_back(i);
      states.push_back(counters_.States(references[i]));
      wanted.push_back(*std::move(parsed));
    }
  }
  if (wanted.empty()) return;
  const absl::StatusOr<std::vector<std::optional<store::StoredVersion>>> stored =
      store_->LoadVersions(wanted, deadline);
  if (!stored.ok()) return;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (!(*stored)[i]) continue;
    const absl::StatusOr<Loaded> parsed = Parse(*(*stored)[i], states[i]);
    flights.Land(i, parsed);
    if (parsed.ok()) use(places[i], *parsed);
  }
}

absl::StatusOr<TemplateLoader::Loaded> TemplateLoader::Ask(const tmpl::Reference& parsed, std::string_view reference,
                                                           absl::Time deadline) {
  const uint64_t ticket = selections_.TicketFor(reference);
  const uint64_t states = counters_.States(reference);
  absl::StatusOr<store::StoredVersion> stored = Select(parsed, deadline, store::VersionParts::kResolving);
  if (absl::IsNotFound(stored.status())) selections_.PutMissing(reference, stored.status(), ticket);
  if (!stored.ok()) return stored.status();
  if (parsed.kind != tmpl::SelectorKind::kExact) {
    const std::string exact = ExactReference(stored->summary);
    selections_.Put(reference, exact, ticket);
    if (const ByteCache<Loaded>::Handle known = cache_.Find(exact)) {
      if (IsCurrent(*known)) return *known;
      return Keep({known->registered, NoticeOf(stored->summary.state), states, known->bytes});
    }
  }
  return Parse(*stored, states);
}

absl::StatusOr<TemplateLoader::Loaded> TemplateLoader::Parse(const store::StoredVersion& stored, uint64_t states) {
  absl::StatusOr<tmpl::TaskTemplate> tmpl = ParseStored(stored);
  if (!tmpl.ok()) return tmpl.status();
  auto registered = std::make_shared<RegisteredTemplate>(
      RegisteredTemplate{ExactReference(stored.summary), stored.summary.digest, *std::move(tmpl)});
  return Keep(
      {std::move(registered), NoticeOf(stored.summary.state), states, kParsedFactor * stored.configuration.size()});
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
