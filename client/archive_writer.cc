#include "client/archive_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <system_error>
#include <utility>

#include "client/archive_format.h"
#include "client/tarball.h"

namespace tasker::client {
namespace {

namespace fs = std::filesystem;

using ReadPiece = std::function<int64_t(char* buffer, size_t size)>;

absl::Status Failure(const std::string& path, const std::string& why) {
  return absl::InternalError(fmt::format("'{}' cannot be written: {}", path, why));
}

absl::Status SystemFailure(const std::string& path) { return Failure(path, std::strerror(errno)); }

// mkstemp and mkdtemp make what only its owner reads; the finished archive is as readable as any file of the user's.
mode_t WithUmask(mode_t mode) {
  const mode_t mask = umask(0);
  umask(mask);
  return mode & ~mask;
}

// A template for mkstemp and mkdtemp beside `target`.
std::string PartialName(const fs::path& target) {
  return (target.parent_path() / fmt::format(".{}.partial-XXXXXX", target.filename().string())).string();
}

}  // namespace

/// Where the files of an archive go.
class ArchiveWriter::Place {
 public:
  virtual ~Place() = default;
  virtual absl::Status Add(const std::string& path, const std::string& content, int64_t unix_seconds) = 0;
  virtual absl::Status AddStream(const std::string& path, int64_t size, const ReadPiece& read) = 0;
  virtual absl::Status Finish() = 0;
};

namespace {

class FolderPlace final : public ArchiveWriter::Place {
 public:
  static absl::StatusOr<std::unique_ptr<Place>> Create(const fs::path& target) {
    std::error_code error;
    if (fs::exists(target, error) && (!fs::is_directory(target, error) || !fs::is_empty(target, error))) {
      return absl::AlreadyExistsError(fmt::format("'{}' exists and is no empty folder", target.string()));
    }
    std::string partial = PartialName(target);
    if (mkdtemp(partial.data()) == nullptr) return SystemFailure(partial);
    return std::unique_ptr<Place>(new FolderPlace(target.string(), partial));
  }

  ~FolderPlace() override {
    std::error_code ignored;
    if (!done_) fs::remove_all(partial_, ignored);
  }

  absl::Status Add(const std::string& path, const std::string& content, int64_t /*unix_seconds*/) override {
    size_t next = 0;
    return AddStream(path, static_cast<int64_t>(content.size()), [&](char* buffer, size_t size) {
      const size_t count = content.copy(buffer, size, next);
      next += count;
      return static_cast<int64_t>(count);
    });
  }

  absl::Status AddStream(const std::string& path, int64_t size, const ReadPiece& read) override {
    const fs::path file = fs::path(partial_) / path;
    std::error_code error;
    fs::create_directories(file.parent_path(), error);
    if (error) return Failure(file.string(), error.message());
    const int out = open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (out < 0 && errno == EEXIST) {
      return Failure(file.string(),
                     "it is there already: this file system does not tell upper from lower case; a "
                     ".tar.gz does");
    }
    if (out < 0) return SystemFailure(file.string());
    absl::Status status = Copy(out, file.string(), size, read);
    if (close(out) != 0) status.Update(SystemFailure(file.string()));
    return status;
  }

  absl::Status Finish() override {
    const int folder = open(partial_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = folder >= 0 && syncfs(folder) == 0;
    if (folder >= 0) close(folder);
    if (!synced) return SystemFailure(partial_);
    if (chmod(partial_.c_str(), WithUmask(0777)) != 0) return SystemFailure(partial_);
    // Replaces an empty folder, and fails on anything else that came meanwhile.
    if (rename(partial_.c_str(), target_.c_str()) != 0) return SystemFailure(target_);
    done_ = true;
    return absl::OkStatus();
  }

 private:
  FolderPlace(std::string target, std::string partial) : target_(std::move(target)), partial_(std::move(partial)) {}

  static absl::Status Copy(int out, const std::string& name, int64_t size, const ReadPiece& read) {
    char buffer[64 << 10];
    while (size > 0) {
      const int64_t count = read(buffer, static_cast<size_t>(std::min<int64_t>(sizeof buffer, size)));
      if (count <= 0) return absl::InternalError("a temporary file cannot be read back");
      for (int64_t done = 0; done < count;) {
        const ssize_t wrote = write(out, buffer + done, static_cast<size_t>(count - done));
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return SystemFailure(name);
        done += wrote;
      }
      size -= count;
    }
    return absl::OkStatus();
  }

  const std::string target_;
  const std::string partial_;
  bool done_ = false;
};

class TarPlace final : public ArchiveWriter::Place {
 public:
  static absl::StatusOr<std::unique_ptr<Place>> Create(const fs::path& target) {
    std::error_code error;
    if (fs::exists(fs::symlink_status(target, error))) {
      return absl::AlreadyExistsError(fmt::format("'{}' exists", target.string()));
    }
    std::string partial = PartialName(target);
    const int file = mkostemp(partial.data(), O_CLOEXEC);
    if (file < 0) return SystemFailure(partial);
    return std::unique_ptr<Place>(new TarPlace(file, target.string(), partial));
  }

  static absl::StatusOr<std::unique_ptr<Place>> Stdout() {
    return std::unique_ptr<Place>(new TarPlace(STDOUT_FILENO, "", ""));
  }

  ~TarPlace() override {
    if (target_.empty()) return;
    close(file_);
    if (!done_) unlink(partial_.c_str());
  }

  absl::Status Add(const std::string& path, const std::string& content, int64_t unix_seconds) override {
    return tar_.Add(path, content, unix_seconds);
  }

  absl::Status AddStream(const std::string& path, int64_t size, const ReadPiece& read) override {
    return tar_.AddStream(path, size, 0, read);
  }

  absl::Status Finish() override {
    if (absl::Status status = tar_.Finish(); !status.ok() || target_.empty()) return status;
    if (fchmod(file_, WithUmask(0666)) != 0 || fsync(file_) != 0) return SystemFailure(partial_);
    if (rename(partial_.c_str(), target_.c_str()) != 0) return SystemFailure(target_);
    done_ = true;
    return absl::OkStatus();
  }

 private:
  TarPlace(int file, std::string target, std::string partial)
      : file_(file), target_(std::move(target)), partial_(std::move(partial)), tar_(file) {}

  const int file_;
  const std::string target_;  // empty: stdout
  const std::string partial_;
  bool done_ = false;
  TarWriter tar_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ArchiveWriter>> ArchiveWriter::Create(const std::string& target) {
  fs::path path = fs::path(target).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // "backup/"
  const bool is_tar = target.ends_with(".tar.gz") || target.ends_with(".tgz");
  auto place = target == "-" ? TarPlace::Stdout() : is_tar ? TarPlace::Create(path) : FolderPlace::Create(path);
  if (!place.ok()) return place.status();
  std::FILE* const index = std::tmpfile();
  if (index == nullptr) return SystemFailure("a temporary file");
  std::unique_ptr<ArchiveWriter> writer(new ArchiveWriter(*std::move(place), index));
  if (absl::Status status = writer->AddLine(ArchiveHeaderLine()); !status.ok()) return status;
  return writer;
}

ArchiveWriter::ArchiveWriter(std::unique_ptr<Place> place, std::FILE* index)
    : place_(std::move(place)), index_(index) {}
ArchiveWriter::~ArchiveWriter() = default;

absl::Status ArchiveWriter::AddLine(const std::string& line) {
  const bool ok =
      std::fwrite(line.data(), 1, line.size(), index_.get()) == line.size() && std::fputc('\n', index_.get()) != EOF;
  return ok ? absl::OkStatus() : SystemFailure("a temporary file");
}

absl::Status ArchiveWriter::Add(pb::ArchiveItem item) {
  const int64_t time = item.archived_version().create_time().seconds();
  const absl::StatusOr<ArchiveEntry> entry = ToEntry(std::move(item));
  if (!entry.ok()) return entry.status();
  ++item_count_;
  if (!entry->file.empty()) {
    if (absl::Status status = place_->Add(entry->file, entry->text, time); !status.ok()) return status;
  }
  return AddLine(entry->line);
}

absl::Status ArchiveWriter::Finish() {
  if (absl::Status status = AddLine(ArchiveTrailerLine(item_count_)); !status.ok()) return status;
  const long size = std::ftell(index_.get());
  if (size < 0 || std::fflush(index_.get()) != 0 || std::fseek(index_.get(), 0, SEEK_SET) != 0) {
    return SystemFailure("a temporary file");
  }
  const absl::Status added = place_->AddStream(std::string(kArchiveIndex), size, [this](char* buffer, size_t room) {
    return static_cast<int64_t>(std::fread(buffer, 1, room, index_.get()));
  });
  return added.ok() ? place_->Finish() : added;
}

}  // namespace tasker::client
