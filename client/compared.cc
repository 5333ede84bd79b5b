#include "client/compared.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "client/failure.h"
#include "client/local_check.h"
#include "client/report.h"
#include "lib/base/json.h"

namespace tasker::client {
namespace {

constexpr int kPageSize = 1000;  // the most that the server gives

bool HasTemplateExtension(const std::string& argument) {
  const std::string extension = std::filesystem::path(argument).extension().string();
  return extension == ".yaml" || extension == ".yml" || extension == ".json";
}

std::optional<tmpl::LoadedTemplate> Load(const pb::GetTemplateResponse& response) {
  if (response.has_source()) {
    if (auto loaded = tmpl::LoadAccepted(response.source())) return loaded;
  }
  const absl::StatusOr<base::Json> json = base::ParseJson(response.template_json());
  if (!json.ok()) return std::nullopt;
  absl::StatusOr<tmpl::TaskTemplate> tmpl = tmpl::TemplateFromJson(*json);
  if (!tmpl.ok() || !tmpl::ParseVersion(tmpl->version)) return std::nullopt;
  return tmpl::WithoutPositions(*std::move(tmpl));
}

}  // namespace

const RegisteredVersion* HighestLower(const std::vector<RegisteredVersion>& versions, const tmpl::Version& version) {
  for (const RegisteredVersion& registered : versions) {
    if (registered.version < version && !registered.is_yanked) return &registered;
  }
  return nullptr;
}

bool MeansFile(const std::string& argument) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(argument, error);
  if (argument == "-" || (std::filesystem::exists(status) && !std::filesystem::is_directory(status))) return true;
  return HasTemplateExtension(argument) || !tmpl::ParseReference(argument).ok();
}

std::optional<Compared> ComparedLoader::LoadFile(const std::string& path) {
  const Sources sources = ReadSources({&path, 1});
  if (sources.problems.empty() && sources.files.size() == 1) return LoadText(sources.files[0]);
  for (const SourceProblem& problem : sources.problems) {
    PrintError(fmt::format("{}: {}", DisplayName(problem.name), problem.message));
  }
  if (sources.problems.empty()) PrintError(DisplayName(path) + " is a folder; it takes one file");
  exit_code_ = kWrongInput;
  return std::nullopt;
}

std::optional<Compared> ComparedLoader::LoadText(const Source& source) {
  std::optional<tmpl::LoadedTemplate> loaded;
  FileReport report = CheckLocally(source, keep_unknown_, &loaded);
  if (loaded) return Compared{DisplayName(source.name), report.reference, *std::move(loaded)};
  // Warnings are for `validate`; here they would hide why there is no comparison.
  std::erase_if(report.issues, [](const base::Issue& issue) { return issue.severity != base::Severity::kError; });
  PrintReport(TextReport({&report, 1}, UsesColor(STDERR_FILENO, {session_.options.no_color})));
  exit_code_ = kWrongInput;
  return std::nullopt;
}

std::optional<Compared> ComparedLoader::LoadReference(const std::string& reference) {
  if (client() == nullptr) return std::nullopt;
  pb::GetTemplateRequest request;
  request.set_reference(reference);
  request.set_view(pb::TEMPLATE_VIEW_JSON);
  request.set_include_source(true);
  const auto response = client_->GetTemplate(request);
  if (!response.ok()) {
    Fail(response.status());
    return std::nullopt;
  }
  if (auto loaded = Load(*response)) return Compared{response->reference(), response->reference(), *std::move(loaded)};
  PrintError(response->reference() + " is no template that this program understands; the server may be newer");
  exit_code_ = kRefused;
  return std::nullopt;
}

std::optional<std::vector<RegisteredVersion>> ComparedLoader::LoadVersions(const tmpl::TaskTemplate& tmpl) {
  if (client() == nullptr) return std::nullopt;
  std::vector<RegisteredVersion> versions;
  pb::ListTemplateVersionsRequest request;
  request.set_reference(fmt::format("{}/{}", tmpl.namespace_name, tmpl.name));
  request.set_page_size(kPageSize);
  do {
    const auto page = client_->ListTemplateVersions(request);
    if (page.status().code() == absl::StatusCode::kNotFound) break;
    if (!page.ok()) {
      Fail(page.status());
      return std::nullopt;
    }
    for (const pb::TemplateSummary& summary : page->versions()) {
      const auto version = tmpl::ParseVersion(summary.version());
      if (version) versions.push_back({*version, summary.digest(), summary.state() == pb::TEMPLATE_STATE_YANKED});
    }
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return versions;
}

RegistryClient* ComparedLoader::client() {
  if (client_ == nullptr) {
    auto client = RegistryClient::Create(session_.options.server);
    if (client.ok()) {
      client_ = *std::move(client);
    } else {
      exit_code_ = PrintOptionProblem(client.status());
    }
  }
  return client_.get();
}

void ComparedLoader::Fail(const absl::Status& status) { exit_code_ = PrintFailure(status); }

}  // namespace tasker::client
