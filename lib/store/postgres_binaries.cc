#include "lib/store/postgres_binaries.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <sstream>
#include <vector>

#include "lib/store/postgres_process.h"

namespace tasker::store {
namespace {

namespace fs = std::filesystem;

constexpr int kOldestMajor = 13;  // gen_random_uuid

std::optional<PostgresBinaries> Examine(const std::string& folder) {
  const std::string postgres = folder + "/postgres";
  const std::string initdb = folder + "/initdb";
  if (access(postgres.c_str(), X_OK) != 0 || access(initdb.c_str(), X_OK) != 0) return std::nullopt;
  const absl::StatusOr<FinishedProcess> run = RunProcess({postgres, "--version"}, ProcessUser::Current());
  if (!run.ok() || run->exit_code != 0) return std::nullopt;
  const int major = ParsePostgresMajor(run->output);
  if (major == 0) return std::nullopt;
  return PostgresBinaries{.folder = folder, .major = major};
}

std::vector<std::string> PathFolders() {
  std::vector<std::string> folders;
  const char* const path = std::getenv("PATH");
  std::istringstream stream(path != nullptr ? path : "");
  for (std::string folder; std::getline(stream, folder, ':');) {
    if (!folder.empty()) folders.push_back(folder);
  }
  return folders;
}

std::vector<std::string> Candidates() {
  std::vector<std::string> candidates;
  std::error_code error;
  for (fs::directory_iterator entry("/usr/lib/postgresql", error), end; !error && entry != end;
       entry.increment(error)) {
    candidates.push_back((entry->path() / "bin").string());
  }
  for (const std::string& folder : PathFolders()) {
    candidates.push_back(folder);
    const std::string pg_config = folder + "/pg_config";
    if (access(pg_config.c_str(), X_OK) != 0) continue;
    absl::StatusOr<FinishedProcess> run = RunProcess({pg_config, "--bindir"}, ProcessUser::Current());
    if (run.ok() && run->exit_code == 0) candidates.push_back(run->output.substr(0, run->output.find('\n')));
  }
  return candidates;
}

}  // namespace

int ParsePostgresMajor(std::string_view version_line) {
  constexpr std::string_view kPrefix = "postgres (PostgreSQL) ";
  if (version_line.substr(0, kPrefix.size()) != kPrefix) return 0;
  version_line.remove_prefix(kPrefix.size());
  int major = 0;
  std::from_chars(version_line.data(), version_line.data() + version_line.size(), major);
  return major;
}

absl::StatusOr<PostgresBinaries> FindPostgresBinaries(const std::string& wanted_folder, int wanted_major) {
  std::optional<PostgresBinaries> best;
  for (const std::string& folder : wanted_folder.empty() ? Candidates() : std::vector<std::string>{wanted_folder}) {
    const std::optional<PostgresBinaries> found = Examine(folder);
    if (!found) continue;
    const bool fits = found->major == wanted_major;
    const bool best_fits = best && best->major == wanted_major;
    if (!best || (fits && !best_fits) || (fits == best_fits && found->major > best->major)) best = found;
  }
  if (!best) {
    return absl::FailedPreconditionError(
        wanted_folder.empty()
            ? "no PostgreSQL server programs on this machine; install the package postgresql, or name a database with "
              "--database-url"
            : fmt::format("{} holds no PostgreSQL server programs (postgres, initdb)", wanted_folder));
  }
  if (wanted_major != 0 && best->major != wanted_major) {
    return absl::FailedPreconditionError(
        fmt::format("the data was made by PostgreSQL {}, but this machine has PostgreSQL {}; install the package "
                    "postgresql-{}, or upgrade the data with pg_upgrade",
                    wanted_major, best->major, wanted_major));
  }
  if (best->major < kOldestMajor) {
    return absl::FailedPreconditionError(fmt::format("PostgreSQL {} in {} is too old; the registry needs {} or newer",
                                                     best->major, best->folder, kOldestMajor));
  }
  return *best;
}

}  // namespace tasker::store
