// Times every list page, usage query and selector in a registry of 100,000 versions beside the same in one of 1,000, in
// turn, in one run. The ratio is how many times as fast as in the small one an answer comes: 1 is just as fast.
//
//   build/release/bin/catalog_bench              a table; about three minutes
//   build/release/bin/catalog_bench --json FILE  the same as JSON, too
//   build/release/bin/catalog_bench --smoke      2,000 versions beside 1,000, one short round, to see that it works
//
// Ends with 1 when an answer takes more than three times as long as in the small registry (not with --smoke).
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <fstream>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "lib/registry/callable_checker.h"
#include "lib/registry/catalog.h"
#include "lib/registry/template_loader.h"
#include "lib/store/store.h"
#include "tests/bench/bench_main.h"
#include "tests/bench/measure.h"
#include "tests/support/large_catalog.h"
#include "tests/support/postgres_fixture.h"

namespace tasker::bench {
namespace {

namespace pb = ::tasker::registry::v1;

constexpr double kLowestRatio = 1.0 / 3;
// So few that the small registry can fill the page, too, of most lists: what is compared are answers of the same size.
constexpr int kPageSize = 10;

// The use cases over a database of so many templates, ten versions each.
struct Registry {
  explicit Registry(int count) : templates(count) { test::FillCatalog(*pool, count); }

  const int templates;
  std::shared_ptr<store::ConnectionPool> pool = test::TestCluster::Get().NewMigratedPool(1);
  std::shared_ptr<store::Store> store = std::make_shared<store::Store>(pool);
  std::shared_ptr<registry::TemplateLoader> loader = std::make_shared<registry::TemplateLoader>(store, 1 << 20);
  registry::Catalog catalog{store, loader};
  registry::CallableChecker callables{store, loader};
};

// What is timed: a page, or the one answer there is. Gives the token of the next page.
struct Query {
  std::string name;
  std::function<std::string(Registry&, int page_size, const std::string& token)> ask;
};

template <typename Answer>
Answer Need(absl::StatusOr<Answer> answer) {
  if (!answer.ok()) throw std::runtime_error(std::string(answer.status().message()));
  return *std::move(answer);
}

// A list of the catalog. `set` says what is asked for.
template <typename Request, typename Response>
Query List(std::string name, absl::StatusOr<Response> (registry::Catalog::*method)(const Request&, absl::Time),
           const std::function<void(Request&)>& set) {
  Request request;
  set(request);
  return {std::move(name), [=](Registry& registry, int page_size, const std::string& token) mutable {
            request.set_page_size(page_size);
            request.set_page_token(token);
            return Need((registry.catalog.*method)(request, absl::InfiniteFuture())).next_page_token();
          }};
}

Query Templates(const std::string& name, const std::function<void(pb::ListTemplatesRequest&)>& set) {
  return List<pb::ListTemplatesRequest>("templates" + name, &registry::Catalog::ListTemplates, set);
}

Query Callables(const std::string& name, const std::function<void(pb::FindCallableUsagesRequest&)>& set) {
  return List<pb::FindCallableUsagesRequest>("usages of " + name, &registry::Catalog::FindCallableUsages, set);
}

Query Selector(const std::string& name, const std::string& reference) {
  return {"selector " + name, [=](Registry& registry, int, const std::string&) {
            Need(registry.loader->LoadStored(reference, absl::InfiniteFuture()));
            return std::string();
          }};
}

void AddSelectors(std::vector<Query>& queries) {
  queries.push_back(Selector("exact", "big/t4:1.3.0"));
  queries.push_back(Selector("latest", "big/t4"));
  queries.push_back(Selector("caret", "big/t4:^1.2.0"));
  queries.push_back(Selector("digest",
                             "big/t4@sha256:87069d0b9cbfd259ce8e4a8198f527fe"
                             "87069d0b9cbfd259ce8e4a8198f527fe"));
  queries.push_back(Selector("channel", "big/t4:stable"));
}

void AddTemplateLists(std::vector<Query>& queries) {
  using R = pb::ListTemplatesRequest;
  queries.push_back(Templates("", [](R&) {}));
  queries.push_back(Templates(" of a namespace", [](R& r) { r.set_namespace_name("big"); }));
  queries.push_back(Templates(" by name", [](R& r) { r.set_name_prefix("t"); }));
  queries.push_back(Templates(" by rare name", [](R& r) { r.set_name_prefix("t7777"); }));
  queries.push_back(Templates(" by common tag", [](R& r) { r.set_tag("common"); }));
  queries.push_back(Templates(" by rare tag", [](R& r) { r.set_tag("group0"); }));
  queries.push_back(Templates(" by system", [](R& r) { r.set_system("system3"); }));
  queries.push_back(Templates(" by event", [](R& r) { r.set_event("event.t7"); }));
  queries.push_back(Templates(" by callable", [](R& r) { r.set_callable("Shared::Step"); }));
  queries.push_back(Templates(" by common tag, rare system", [](R& r) {
    r.set_tag("common");
    r.set_system("rare");
  }));
  queries.push_back(Templates(" by two common terms", [](R& r) {
    r.set_tag("even");
    r.set_system("system4");
  }));
  queries.push_back(Templates(" by common word", [](R& r) { r.set_text("settles"); }));
  queries.push_back(Templates(" by rare word", [](R& r) { r.set_text("word7"); }));
  queries.push_back(Templates(" by common word, rare tag", [](R& r) {
    r.set_text("sett");
    r.set_tag("group0");
  }));
  queries.push_back(Templates(" deprecated", [](R& r) { r.add_states(pb::TEMPLATE_STATE_DEPRECATED); }));
}

void AddOtherLists(std::vector<Query>& queries) {
  using registry::Catalog;
  queries.push_back(List<pb::ListNamespacesRequest>("namespaces", &Catalog::ListNamespaces, [](auto&) {}));
  queries.push_back(List<pb::ListTemplateVersionsRequest>("versions", &Catalog::ListTemplateVersions,
                                                          [](auto& r) { r.set_reference("big/t4"); }));
  queries.push_back(List<pb::ListChannelsRequest>("channels", &Catalog::ListChannels, [](auto&) {}));
  queries.push_back(List<pb::ListChannelsRequest>("channels of a template", &Catalog::ListChannels,
                                                  [](auto& r) { r.set_reference("big/t10"); }));
  queries.push_back(List<pb::ListChannelsRequest>("channels by name", &Catalog::ListChannels,
                                                  [](auto& r) { r.set_channel("canary"); }));
  queries.push_back(List<pb::ListChannelHistoryRequest>("channel history", &Catalog::ListChannelHistory, [](auto& r) {
    r.set_reference("big/t10");
    r.set_channel("canary");
  }));
  queries.push_back(List<pb::ListDomainEventsRequest>("events", &Catalog::ListDomainEvents, [](auto&) {}));
  queries.push_back(List<pb::ListDomainEventsRequest>("events by rare name", &Catalog::ListDomainEvents,
                                                      [](auto& r) { r.set_name_prefix("event.t7777"); }));
  queries.push_back({"callables checked", [](Registry& registry, int page_size, const std::string& token) {
                       pb::CheckCallablesRequest request;
                       request.add_callables("Shared::Step");
                       request.set_page_size(page_size);
                       request.set_page_token(token);
                       return Need(registry.callables.Check(request, absl::InfiniteFuture())).next_page_token();
                     }});
}

void AddUsages(std::vector<Query>& queries) {
  using registry::Catalog;
  using R = pb::FindCallableUsagesRequest;
  queries.push_back(Callables("a rare callable", [](R& r) { r.set_callable("Tasks::T7"); }));
  queries.push_back(Callables("a common callable", [](R& r) { r.set_callable("Shared::Step"); }));
  queries.push_back(Callables("it in all versions", [](R& r) {
    r.set_callable("Shared::Step");
    r.set_all_versions(true);
  }));
  queries.push_back(Callables("callables by prefix", [](R& r) {
    r.set_callable("Tasks::");
    r.set_prefix(true);
  }));
  queries.push_back(Callables("them in all versions", [](R& r) {
    r.set_callable("Tasks::");
    r.set_prefix(true);
    r.set_all_versions(true);
  }));
  queries.push_back(Callables("them in a namespace", [](R& r) {
    r.set_callable("Tasks::");
    r.set_prefix(true);
    r.set_namespace_name("ns0");
  }));
  queries.push_back(List<pb::FindEventUsagesRequest>("usages of an event", &Catalog::FindEventUsages,
                                                     [](auto& r) { r.set_event("order.paid"); }));
  queries.push_back(List<pb::FindSystemUsagesRequest>("usages of a system", &Catalog::FindSystemUsages,
                                                      [](auto& r) { r.set_system("default"); }));
  queries.push_back(
      List<pb::FindSystemUsagesRequest>("usages of systems by prefix", &Catalog::FindSystemUsages, [](auto& r) {
        r.set_system("system");
        r.set_prefix(true);
      }));
}

// The token of a page in the middle, or as near to it as ten pages go; empty where the list has one page.
std::string MiddleOf(const Query& query, Registry& registry) {
  const int size = std::clamp(registry.templates / 20, 1, store::PageOptions::kMaxSize);
  std::string token;
  for (int n = 0; n < 10; ++n) {
    const std::string next = query.ask(registry, size, token);
    if (next.empty()) break;
    token = next;
  }
  return token;
}

Result Time(const Plan& plan, const Query& query, const std::string& what, Registry& small,
            const std::string& small_token, Registry& large, const std::string& large_token) {
  const auto ask = [&](Registry& registry, const std::string& token) {
    query.ask(registry, kPageSize, token);
    return 1L;
  };
  ask(small, small_token);
  ask(large, large_token);
  return Measure(
      plan, query.name + what, [&] { return ask(large, large_token); },
      fmt::format("{} versions", small.templates * 10), [&] { return ask(small, small_token); });
}

int Run(const Arguments& arguments) {
  Registry small(100);
  Registry large(arguments.smoke ? 200 : 10'000);
  const Plan plan = arguments.smoke ? Plan{1, 0.001} : Plan{7, 0.1};
  std::vector<Query> queries;
  AddSelectors(queries);
  AddTemplateLists(queries);
  AddOtherLists(queries);
  AddUsages(queries);
  std::vector<Result> results;
  for (const Query& query : queries) {
    results.push_back(Time(plan, query, "", small, "", large, ""));
    const std::string middle = MiddleOf(query, large);
    if (middle.empty()) continue;
    results.push_back(Time(plan, query, ", middle", small, MiddleOf(query, small), large, middle));
  }
  fmt::print("{}", Table(results));
  if (!arguments.json_file.empty()) std::ofstream(arguments.json_file) << Json(results) << "\n";
  if (arguments.smoke) return 0;
  bool flat = true;
  for (const Result& result : results) {
    if (result.ratio >= kLowestRatio) continue;
    flat = false;
    fmt::print("{}: takes {:.1f} times as long\n", result.name, 1 / result.ratio);
  }
  return flat ? 0 : 1;
}

}  // namespace
}  // namespace tasker::bench

int main(int argc, char** argv) { return tasker::bench::BenchMain(argc, argv, tasker::bench::Run); }
