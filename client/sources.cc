#include "client/sources.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <unordered_set>
#include <utility>

namespace tasker::client {
namespace {

namespace fs = std::filesystem;

bool IsTemplateName(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".yaml" || extension == ".yml" || extension == ".json";
}

bool IsHidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

// "" and the text, or why it cannot be read.
std::string ReadAll(int file, std::string& text) {
  constexpr size_t kBlock = 64 << 10;
  for (;;) {
    const size_t before = text.size();
    text.resize(before + kBlock);
    const ssize_t count = read(file, text.data() + before, kBlock);
    text.resize(before + static_cast<size_t>(std::max<ssize_t>(count, 0)));
    if (count == 0) return "";
    if (count < 0 && errno != EINTR) return std::strerror(errno);
    if (text.size() > kMaxSourceBytes) return fmt::format("it has more than {} MiB", kMaxSourceBytes >> 20);
  }
}

class SourceReader {
 public:
  Sources Take() { return std::move(sources_); }

  void AddPath(const std::string& path) {
    if (path == "-") return AddStdin();
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) {
      if (!seen_.insert(path).second) return;
      const bool missing = status.type() == fs::file_type::not_found;
      AddProblem(path, missing ? "there is no such file or folder" : error.message());
    } else if (fs::is_directory(status)) {
      AddFolder(path);
    } else {
      AddFile(path);
    }
  }

 private:
  void AddProblem(const std::string& name, std::string message) {
    sources_.problems.push_back({name, std::move(message)});
  }

  void AddStdin() {
    if (!seen_.insert("-").second) return sources_.repeated.push_back("-");
    Source source{"-", ""};
    if (const std::string problem = ReadAll(STDIN_FILENO, source.text); !problem.empty()) {
      return AddProblem("-", "stdin cannot be read: " + problem);
    }
    sources_.files.push_back(std::move(source));
  }

  void AddFile(const std::string& path) {
    std::error_code error;
    const fs::path canonical = fs::canonical(path, error);
    // Pipes (/dev/fd/63) have no path of their own.
    if (!seen_.insert(error ? path : canonical.string()).second) return sources_.repeated.push_back(path);
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return AddProblem(path, fmt::format("it cannot be read: {}", std::strerror(errno)));
    Source source{path, ""};
    const std::string problem = ReadAll(file, source.text);
    close(file);
    if (!problem.empty()) return AddProblem(path, "it cannot be read: " + problem);
    sources_.files.push_back(std::move(source));
  }

  void AddFolder(const std::string& folder) {
    std::vector<std::string> files;
    const size_t problems_before = sources_.problems.size();
    ListFolder(folder, files);
    if (files.empty() && sources_.problems.size() == problems_before) {
      AddProblem(folder, "the folder holds no *.yaml, *.yml or *.json file");
    }
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) AddFile(file);
  }

  void AddEntry(const fs::directory_entry& entry, std::vector<std::string>& files) {
    std::error_code error;
    if (entry.is_regular_file(error) || !entry.exists(error)) {
      files.push_back(entry.path().string());  // reading a link that leads nowhere says so
    } else {
      AddProblem(entry.path().string(), "it is no file");  // reading a pipe would wait for ever
    }
  }

  void ListFolder(const fs::path& folder, std::vector<std::string>& files) {
    std::error_code error;
    fs::directory_iterator entry(folder, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
      const fs::path path = entry->path();
      if (IsHidden(path)) continue;
      std::error_code no_type;
      if (entry->is_directory(no_type)) {
        if (!entry->is_symlink(no_type)) ListFolder(path, files);
      } else if (IsTemplateName(path)) {
        AddEntry(*entry, files);
      }
    }
    if (error) AddProblem(folder.string(), "the folder cannot be read: " + error.message());
  }

  Sources sources_;
  std::unordered_set<std::string> seen_;
};

}  // namespace

Sources ReadSources(std::span<const std::string> paths) {
  SourceReader reader;
  for (const std::string& path : paths) reader.AddPath(path);
  return reader.Take();
}

}  // namespace tasker::client
