#include "lib/registry/checked_source.h"

#include <absl/status/statusor.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <string_view>
#include <thread>
#include <utility>

#include "lib/base/digest.h"
#include "lib/base/json.h"
#include "lib/base/utf8.h"
#include "lib/template/canonical.h"
#include "lib/template/document.h"
#include "lib/template/reference.h"
#include "lib/template/yaml_reader.h"
#include "lib/validate/check.h"
#include "lib/wire/task_template.h"

namespace tasker::registry {
namespace {

// Sources that a thread takes at once, and below which another thread does not pay.
constexpr size_t kChunk = 16;

// The text of the scalar member `key` of the document's root.
std::string_view RootText(const tmpl::Document& document, std::string_view key) {
  const tmpl::Node root = document.root();
  for (size_t i = 0; root.is_map() && i < root.size(); ++i) {
    const tmpl::Node::Member member = root.member(i);
    if (member.key == key) return member.value.text();
  }
  return {};
}

std::string ReferenceOf(const tmpl::Document& document) {
  const std::string_view namespace_name = RootText(document, "namespace_name");
  const std::string_view name = RootText(document, "name");
  const std::string_view version = RootText(document, "version");
  if (!tmpl::IsName(namespace_name) || !tmpl::IsName(name) || !tmpl::ParseVersion(version)) return "";
  return tmpl::ExactReference(namespace_name, name, version);
}

bool HoldsNul(const base::Json& value) {
  if (value.is_string()) return value.get_string().find('\0') != boost::json::string::npos;
  if (value.is_array()) return std::any_of(value.get_array().begin(), value.get_array().end(), HoldsNul);
  if (!value.is_object()) return false;
  return std::any_of(value.get_object().begin(), value.get_object().end(), [](const auto& member) {
    return member.key().find('\0') != boost::json::string_view::npos || HoldsNul(member.value());
  });
}

std::optional<tmpl::Document> MessageDocument(const pb::TaskTemplate& message, base::IssueList& issues) {
  const absl::StatusOr<tmpl::TaskTemplate> model = wire::FromProto(message);
  if (!model.ok()) {
    issues.AddError("MESSAGE_INVALID", "", {}, std::string(model.status().message()));
    return std::nullopt;
  }
  const base::Json json = tmpl::ToJson(*model);
  if (HoldsNul(json)) {
    issues.AddError("TEXT_NUL", "", {}, "a text of the template holds the character NUL",
                    "PostgreSQL cannot store it; leave it out");
    return std::nullopt;
  }
  return tmpl::Document::FromJson(json);
}

std::optional<tmpl::Document> ReadSource(const pb::TemplateSource& source, const tmpl::ReadLimits& limits,
                                         base::IssueList& issues) {
  switch (source.content_case()) {
    case pb::TemplateSource::kYaml:
      return tmpl::ReadYaml(source.yaml(), limits, issues);
    case pb::TemplateSource::kTemplate:
      return MessageDocument(source.template_(), issues);
    case pb::TemplateSource::CONTENT_NOT_SET:
      break;
  }
  issues.AddError("SOURCE_MISSING", "", {}, "the source has neither 'yaml' nor 'template'");
  return std::nullopt;
}

void PutPlaces(const tmpl::TaskTemplate& tmpl, const tmpl::Document& document, CheckedSource& checked) {
  checked.version = {"/version", document.Locate("/version")};
  const auto put = [&](const auto& events, const std::string& list) {
    for (size_t i = 0; i < events.size(); ++i) {
      if (!events[i].schema || checked.events.contains(events[i].name)) continue;
      const std::string path = fmt::format("{}/{}", list, i);
      checked.events.emplace(events[i].name, Place{path, document.Locate(path)});
    }
  };
  put(tmpl.domain_events, "/domain_events");
  for (size_t i = 0; i < tmpl.steps.size(); ++i) {
    put(tmpl.steps[i].publishes_events, fmt::format("/steps/{}/publishes_events", i));
  }
}

}  // namespace

CheckedSource CheckSource(const pb::TemplateSource& source, const tmpl::ReadLimits& limits,
                          std::optional<tmpl::Document>* kept_document) {
  CheckedSource checked;
  std::optional<tmpl::Document> document = ReadSource(source, limits, checked.issues);
  if (!document) return checked;
  checked.reference = ReferenceOf(*document);
  const tmpl::LoadOptions options{source.keep_unknown_keys(), limits};
  std::optional<tmpl::TaskTemplate> tmpl = tmpl::BuildTemplate(*document, options, checked.issues);
  if (tmpl) validate::CheckTemplate(*tmpl, *document, checked.issues);
  if (!tmpl || checked.issues.has_errors()) return checked;
  checked.canonical = tmpl::CanonicalText(*tmpl);
  checked.digest = base::Sha256Digest(checked.canonical);
  PutPlaces(*tmpl, *document, checked);
  checked.tmpl = std::move(tmpl);
  if (kept_document != nullptr) *kept_document = std::move(document);
  return checked;
}

std::vector<CheckedSource> CheckSources(const Sources& sources, const tmpl::ReadLimits& limits,
                                        const std::function<void(size_t, CheckedSource&)>& finish) {
  const size_t count = sources.size();
  std::vector<CheckedSource> checked(count);
  std::atomic<size_t> next = 0;
  const auto work = [&] {
    for (size_t begin = next.fetch_add(kChunk); begin < count; begin = next.fetch_add(kChunk)) {
      for (size_t i = begin; i < std::min(begin + kChunk, count); ++i) {
        checked[i] = CheckSource(*sources[i], limits);
        if (finish) finish(i, checked[i]);
      }
    }
  };
  const size_t cores = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::jthread> helpers;
  for (size_t n = 1; n < std::min(cores, (count + kChunk - 1) / kChunk); ++n) helpers.emplace_back(work);
  work();
  helpers.clear();  // joins
  return checked;
}

}  // namespace tasker::registry
