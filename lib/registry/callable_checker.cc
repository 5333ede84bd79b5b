#include "lib/registry/callable_checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "lib/registry/catalog_messages.h"
#include "lib/registry/error.h"
#include "lib/store/page_token.h"
#include "lib/template/callable.h"
#include "lib/wire/issue.h"

namespace tasker::registry {
namespace {

constexpr size_t kPageBytes = size_t{2} << 20;
// Templates read at once: each may have some MiB.
constexpr int kAtOnce = 16;

absl::Status CheckSizes(const pb::CheckCallablesRequest& request) {
  if (request.callables_size() > kMaxCheckedCallables) {
    return Error(absl::StatusCode::kResourceExhausted,
                 fmt::format("a check takes at most {} callables", kMaxCheckedCallables),
                 {"TOO_MANY_CALLABLES", {}, {}});
  }
  if (request.references_size() > kMaxCheckedReferences) {
    return InvalidField("references", fmt::format("has more than {}", kMaxCheckedReferences));
  }
  if (!request.references().empty() && !(request.namespace_name().empty() && request.name_prefix().empty())) {
    return InvalidField("references", "do not go with namespace_name or name_prefix");
  }
  return absl::OkStatus();
}

// The name of the list of these references, for its tokens.
std::string ReferenceList(const pb::CheckCallablesRequest& request) {
  std::string list = "check callables";
  for (const std::string& reference : request.references()) list += "\n" + reference;
  return list;
}

}  // namespace

// The answer as it grows.
class CallableChecker::Page {
 public:
  Page(const pb::CheckCallablesRequest& request, const store::PageOptions& options)
      : known_(request.callables().begin(), request.callables().end()),
        size_(options.size == 0 ? store::PageOptions::kDefaultSize
                                : std::min(options.size, store::PageOptions::kMaxSize)) {}

  int room() const { return bytes_ >= kPageBytes ? 0 : size_ - response_.templates_size(); }

  void Add(const std::string& reference, const tmpl::TaskTemplate& tmpl) {
    pb::CallableCheck& check = *response_.add_templates();
    check.set_reference(reference);
    if (tmpl.task_handler) Look(tmpl.task_handler->callable, "", check);
    for (const tmpl::StepDefinition& step : tmpl.steps) Look(step.handler.callable, step.name, check);
    check.set_runnable(check.missing().empty());
    bytes_ += check.ByteSizeLong();
  }

  pb::CheckCallablesResponse Take(const std::string& next_token) {
    response_.set_next_page_token(next_token);
    return std::move(response_);
  }

 private:
  void Look(const std::string& callable, const std::string& step_name, pb::CallableCheck& check) const {
    if (known_.contains(callable)) return;
    pb::MissingCallable& missing = *check.add_missing();
    missing.set_callable(callable);
    missing.set_kind(wire::ToProto(tmpl::DetectCallableKind(callable)));
    missing.set_step_name(step_name);
  }

  std::unordered_set<std::string_view> known_;  // texts of the request
  int size_;
  pb::CheckCallablesResponse response_;
  size_t bytes_ = 0;
};

CallableChecker::CallableChecker(std::shared_ptr<store::Store> store, std::shared_ptr<TemplateLoader> loader)
    : store_(std::move(store)), loader_(std::move(loader)) {}

absl::StatusOr<pb::CheckCallablesResponse> CallableChecker::Check(const pb::CheckCallablesRequest& request,
                                                                  absl::Time deadline) const {
  if (absl::Status status = CheckSizes(request); !status.ok()) return status;
  const absl::StatusOr<store::PageOptions> options = PageOf(request);
  if (!options.ok()) return options.status();
  Page page(request, *options);
  return request.references().empty() ? CheckLatest(request, std::move(page), deadline)
                                      : CheckReferences(request, std::move(page), deadline);
}

absl::StatusOr<pb::CheckCallablesResponse> CallableChecker::CheckReferences(const pb::CheckCallablesRequest& request,
                                                                            Page page, absl::Time deadline) const {
  const std::string list = ReferenceList(request);
  int next = 0;
  if (!request.page_token().empty()) {
    const auto keys = store::DecodePageToken(list, request.page_token(), 1);
    if (!keys.ok()) return keys.status();
    const std::string& text = keys->front();
    if (std::from_chars(text.data(), text.data() + text.size(), next).ec != std::errc() || next < 0) {
      return InvalidField("page_token", "does not belong to this check");
    }
  }
  for (; next < request.references_size() && page.room() > 0; ++next) {
    const absl::StatusOr<TemplateLoader::Handle> registered = loader_->Load(request.references(next), deadline);
    if (!registered.ok()) return registered.status();
    page.Add((*registered)->reference, (*registered)->tmpl);
  }
  return page.Take(next < request.references_size() ? store::EncodePageToken(list, {std::to_string(next)}) : "");
}

absl::StatusOr<pb::CheckCallablesResponse> CallableChecker::CheckLatest(const pb::CheckCallablesRequest& request,
                                                                        Page page, absl::Time deadline) const {
  const store::TemplateFilter filter{.namespace_name = request.namespace_name(), .name_prefix = request.name_prefix()};
  std::string token = request.page_token();
  do {
    auto found = store_->ListTemplates(filter, {std::min(kAtOnce, page.room()), token}, deadline);
    if (!found.ok()) return found.status();
    std::vector<std::string> uuids;
    for (const store::TemplateSummary& row : found->rows) uuids.push_back(row.latest.named_task_uuid);
    auto configurations = store_->LoadConfigurations(uuids, deadline);
    if (!configurations.ok()) return configurations.status();
    for (size_t i = 0; i < uuids.size(); ++i) {
      if ((*configurations)[i].empty()) continue;  // purged meanwhile
      store::StoredVersion stored{std::move(found->rows[i].latest), std::move((*configurations)[i])};
      const absl::StatusOr<tmpl::TaskTemplate> tmpl = ParseStored(stored);
      if (!tmpl.ok()) return tmpl.status();
      page.Add(ExactReference(stored.summary), *tmpl);
    }
    token = std::move(found->next_token);
  } while (!token.empty() && page.room() > 0);
  return page.Take(token);
}

}  // namespace tasker::registry
