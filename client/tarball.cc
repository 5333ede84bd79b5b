#include "client/tarball.h"

#include <absl/status/statusor.h>
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "lib/base/utf8.h"

namespace tasker::client {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBlock = size_t{64} << 10;
constexpr size_t kMaxDepth = 16;

absl::Status Invalid(std::string message) { return absl::InvalidArgumentError(std::move(message)); }

std::string ErrorText(archive* of) {
  const char* const text = archive_error_string(of);
  return text != nullptr ? text : "unknown error";
}

struct FreeEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

struct FreeReader {
  void operator()(archive* in) const { archive_read_free(in); }
};
using Reader = std::unique_ptr<archive, FreeReader>;

// `path` from the archive's root, without "./"; "" for the root itself.
absl::StatusOr<std::string> SafePath(const char* path) {
  if (path == nullptr) return Invalid("an entry's name cannot be read");
  std::string safe;
  size_t depth = 0;
  std::string_view rest = path;
  const auto refuse = [&](const char* why) {
    return Invalid(fmt::format("the entry '{}' {}", base::Shortened(path, 120), why));
  };
  if (rest.starts_with('/')) return refuse("has an absolute path");
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    if (part == "." || part.empty()) continue;
    if (part == "..") return refuse("leads out of the archive");
    if (part.size() > 255 || ++depth > kMaxDepth) return refuse("has a path that is too long");
    if (!safe.empty()) safe += '/';
    safe += part;
  }
  return safe;
}

// Unpacks one archive.
class Unpacker {
 public:
  Unpacker(archive* in, const std::string& folder, const UnpackLimits& limits)
      : in_(in), folder_(folder), limits_(limits), buffer_(kBlock) {}

  absl::Status Run() {
    for (;;) {
      archive_entry* entry = nullptr;
      const int result = archive_read_next_header(in_, &entry);
      if (result == ARCHIVE_EOF) return absl::OkStatus();
      if (result != ARCHIVE_OK) return Damaged();
      if (absl::Status status = UnpackEntry(entry); !status.ok()) return status;
    }
  }

 private:
  absl::Status Damaged() const { return Invalid("it is no .tar.gz, or is damaged: " + ErrorText(in_)); }

  absl::Status CheckRatio() const {
    const int64_t packed = std::max<int64_t>(archive_filter_bytes(in_, -1), 1);
    const int64_t unpacked = std::max(archive_filter_bytes(in_, 0), written_);
    if (unpacked <= limits_.free_bytes || unpacked / packed <= limits_.ratio) return absl::OkStatus();
    return Invalid(fmt::format("it unpacks to more than {} times its size", limits_.ratio));
  }

  absl::Status UnpackEntry(archive_entry* entry) {
    const absl::StatusOr<std::string> path = SafePath(archive_entry_pathname(entry));
    if (!path.ok()) return path.status();
    const bool is_link = archive_entry_hardlink(entry) != nullptr || archive_entry_symlink(entry) != nullptr;
    const auto type = archive_entry_filetype(entry);
    if (is_link || (type != AE_IFREG && type != AE_IFDIR)) {
      return Invalid(fmt::format("the entry '{}' is neither a file nor a folder", *path));
    }
    if (absl::Status status = CheckRatio(); !status.ok()) return status;
    if (type == AE_IFDIR) return absl::OkStatus();  // folders are made for the files in them
    if (path->empty()) return Invalid("an entry has no name");
    return UnpackFile(*path);
  }

  absl::Status UnpackFile(const std::string& path) {
    const std::string target = folder_ + "/" + path;
    std::error_code error;
    fs::create_directories(fs::path(target).parent_path(), error);
    // With O_EXCL, no entry replaces another one or follows it.
    const int file = error ? -1 : open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0) {
      if (!error && (errno == EEXIST || errno == EISDIR)) return Invalid(fmt::format("'{}' stands in it twice", path));
      if (error ? error == std::errc::not_a_directory || error == std::errc::file_exists : errno == ENOTDIR) {
        return Invalid(fmt::format("'{}' stands below a file", path));
      }
      return absl::InternalError(
          fmt::format("'{}' cannot be written: {}", target, error ? error.message() : std::strerror(errno)));
    }
    absl::Status status = UnpackContent(path, file);
    if (close(file) != 0) status.Update(WriteFailure(path));
    return status;
  }

  absl::Status UnpackContent(const std::string& path, int file) {
    const bool may_be_large = fs::path(path).filename() == limits_.large_file;
    size_t size = 0;
    for (;;) {
      const la_ssize_t count = archive_read_data(in_, buffer_.data(), buffer_.size());
      if (count == 0) return absl::OkStatus();
      if (count < 0) return Damaged();
      size += static_cast<size_t>(count);
      written_ += count;
      if (size > limits_.entry_bytes && !may_be_large) {
        return Invalid(fmt::format("'{}' has more than {} MiB", path, limits_.entry_bytes >> 20));
      }
      if (absl::Status status = CheckRatio(); !status.ok()) return status;
      for (la_ssize_t done = 0; done < count;) {
        const ssize_t wrote = write(file, buffer_.data() + done, static_cast<size_t>(count - done));
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return WriteFailure(path);
        done += wrote;
      }
    }
  }

  absl::Status WriteFailure(const std::string& path) const {
    return absl::InternalError(fmt::format("'{}/{}' cannot be written: {}", folder_, path, std::strerror(errno)));
  }

  archive* const in_;
  const std::string& folder_;
  const UnpackLimits& limits_;
  std::vector<char> buffer_;
  int64_t written_ = 0;
};

}  // namespace

void TarWriter::Close::operator()(archive* out) const {
  archive_write_fail(out);  // else one that was not finished would get an end, and look whole
  archive_write_free(out);
}

TarWriter::TarWriter(int file_descriptor) : out_(archive_write_new()) {
  archive_write_set_format_pax_restricted(out_.get());
  archive_write_add_filter_gzip(out_.get());
  archive_write_set_filter_option(out_.get(), "gzip", "timestamp", nullptr);
  archive_write_set_bytes_in_last_block(out_.get(), 1);  // else a file is padded to 10 KiB
  archive_write_open_fd(out_.get(), file_descriptor);    // a failure shows at the first entry
}

TarWriter::~TarWriter() = default;

absl::Status TarWriter::Failure() const {
  return absl::InternalError("the archive cannot be written: " + ErrorText(out_.get()));
}

absl::Status TarWriter::BeginEntry(const std::string& path, int64_t size, int64_t unix_seconds) {
  const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), path.c_str());
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0644);
  archive_entry_set_size(entry.get(), size);
  archive_entry_set_mtime(entry.get(), unix_seconds, 0);
  return archive_write_header(out_.get(), entry.get()) == ARCHIVE_OK ? absl::OkStatus() : Failure();
}

absl::Status TarWriter::Append(const char* bytes, size_t size) {
  const la_ssize_t written = archive_write_data(out_.get(), bytes, size);
  return written == static_cast<la_ssize_t>(size) ? absl::OkStatus() : Failure();
}

absl::Status TarWriter::Add(const std::string& path, std::string_view content, int64_t unix_seconds) {
  absl::Status status = BeginEntry(path, static_cast<int64_t>(content.size()), unix_seconds);
  return status.ok() && !content.empty() ? Append(content.data(), content.size()) : status;
}

absl::Status TarWriter::AddStream(const std::string& path, int64_t size, int64_t unix_seconds,
                                  const std::function<int64_t(char* buffer, size_t size)>& read) {
  if (absl::Status status = BeginEntry(path, size, unix_seconds); !status.ok()) return status;
  std::vector<char> buffer(kBlock);
  while (size > 0) {
    const int64_t count = read(buffer.data(), std::min(buffer.size(), static_cast<size_t>(size)));
    if (count <= 0) return absl::InternalError("a temporary file cannot be read back");
    if (absl::Status status = Append(buffer.data(), static_cast<size_t>(count)); !status.ok()) return status;
    size -= count;
  }
  return absl::OkStatus();
}

absl::Status TarWriter::Finish() {
  return archive_write_close(out_.get()) == ARCHIVE_OK ? absl::OkStatus() : Failure();
}

absl::Status UnpackTar(int file_descriptor, const std::string& folder, const UnpackLimits& limits) {
  const Reader in(archive_read_new());
  archive_read_support_filter_gzip(in.get());
  archive_read_support_format_tar(in.get());
  if (archive_read_open_fd(in.get(), file_descriptor, kBlock) != ARCHIVE_OK) {
    return Invalid("it is no .tar.gz: " + ErrorText(in.get()));
  }
  return Unpacker(in.get(), folder, limits).Run();
}

}  // namespace tasker::client
