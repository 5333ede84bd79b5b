#include "client/archive_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "client/archive_format.h"
#include "client/tarball.h"
#include "lib/base/utf8.h"

namespace tasker::client {
namespace {

namespace fs = std::filesystem;

absl::Status Invalid(std::string message) { return absl::InvalidArgumentError(std::move(message)); }

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) close(value_);
  }
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

// Opens a file below `root` without following a link in any component; a pipe is not waited for.
absl::StatusOr<Descriptor> OpenBelow(int root, const std::string& path) {
  Descriptor at(dup(root));
  std::string_view rest = path;
  for (size_t slash = rest.find('/'); slash != std::string_view::npos; slash = rest.find('/')) {
    at = Descriptor(
        openat(at.get(), std::string(rest.substr(0, slash)).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (at.get() < 0) break;
    rest.remove_prefix(slash + 1);
  }
  Descriptor file(
      at.get() < 0 ? -1 : openat(at.get(), std::string(rest).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (file.get() < 0) {
    if (errno == ENOENT) return Invalid(fmt::format("'{}' is not there", path));
    if (errno == ELOOP || errno == ENOTDIR) return Invalid(fmt::format("'{}' is a link, or below one", path));
    return absl::InternalError(fmt::format("'{}' cannot be read: {}", path, std::strerror(errno)));
  }
  if (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return Invalid(fmt::format("'{}' is no file", path));
  return file;
}

absl::Status ReadWhole(int file, const std::string& name, std::string& text) {
  constexpr size_t kBlock = size_t{64} << 10;
  for (;;) {
    const size_t before = text.size();
    text.resize(before + kBlock);
    const ssize_t count = read(file, text.data() + before, kBlock);
    text.resize(before + static_cast<size_t>(std::max<ssize_t>(count, 0)));
    if (count == 0) return absl::OkStatus();
    if (count < 0 && errno != EINTR) {
      return absl::InternalError(fmt::format("'{}' cannot be read: {}", name, std::strerror(errno)));
    }
    if (text.size() > kMaxTextBytes)
      return Invalid(fmt::format("'{}' has more than {} MiB", name, kMaxTextBytes >> 20));
  }
}

// The folder that holds the index: of an archive that was packed as a folder, the one in it.
std::string ArchiveRoot(const std::string& folder) {
  std::error_code error;
  if (fs::exists(folder + "/" + std::string(kArchiveIndex), error)) return folder;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (fs::exists(entry.path() / kArchiveIndex, error)) return entry.path().string();
  }
  return folder;
}

}  // namespace

// A temporary folder with what was in a .tar.gz.
class ArchiveReader::Unpacked {
 public:
  ~Unpacked() {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }

  absl::Status Unpack(int file) {
    std::error_code error;
    std::string folder = (fs::temp_directory_path(error) / "tasker-import-XXXXXX").string();
    if (error || mkdtemp(folder.data()) == nullptr) {
      return absl::InternalError(fmt::format("no temporary folder can be made: {}", std::strerror(errno)));
    }
    folder_ = folder;
    UnpackLimits limits;
    limits.entry_bytes = kMaxTextBytes;
    limits.large_file = kArchiveIndex;
    return UnpackTar(file, folder_, limits);
  }

  const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
};

absl::StatusOr<std::unique_ptr<ArchiveReader>> ArchiveReader::Open(const std::string& source) {
  std::unique_ptr<ArchiveReader> reader(new ArchiveReader);
  std::error_code error;
  const fs::file_status status = fs::status(source, error);
  if (source != "-" && !fs::exists(status)) {
    return absl::NotFoundError(fmt::format("'{}': there is no such file or folder", source));
  }
  if (source != "-" && fs::is_directory(status)) {
    if (absl::Status opened = reader->OpenFolder(source); !opened.ok()) return opened;
    return reader;
  }
  const Descriptor file(source == "-" ? dup(STDIN_FILENO) : open(source.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    return absl::InternalError(fmt::format("'{}' cannot be read: {}", source, std::strerror(errno)));
  }
  reader->unpacked_ = std::make_unique<Unpacked>();
  absl::Status unpacked = reader->unpacked_->Unpack(file.get());
  if (unpacked.ok()) unpacked = reader->OpenFolder(ArchiveRoot(reader->unpacked_->folder()));
  if (unpacked.ok()) return reader;
  return absl::Status(unpacked.code(), fmt::format("'{}': {}", source, std::string(unpacked.message())));
}

ArchiveReader::~ArchiveReader() {
  if (root_ >= 0) close(root_);
}

absl::Status ArchiveReader::OpenFolder(const std::string& folder) {
  folder_ = folder;
  root_ = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root_ < 0) return absl::InternalError(fmt::format("'{}' cannot be read: {}", folder, std::strerror(errno)));
  absl::StatusOr<Descriptor> index = OpenBelow(root_, std::string(kArchiveIndex));
  if (!index.ok()) {
    return Invalid(fmt::format("it is no archive, or not all of one: {}", std::string(index.status().message())));
  }
  index_.reset(fdopen(index->get(), "r"));
  if (index_ == nullptr) return absl::InternalError("out of memory");
  index->release();
  return absl::OkStatus();
}

absl::Status ArchiveReader::Complaint(const absl::Status& status) const {
  return absl::Status(status.code(),
                      fmt::format("{}:{}: {}", kArchiveIndex, line_number_, std::string(status.message())));
}

absl::StatusOr<bool> ArchiveReader::ReadLine(std::string& line) {
  line.clear();
  ++line_number_;
  for (int c = std::getc(index_.get()); c != EOF; c = std::getc(index_.get())) {
    if (c == '\n') return true;
    if (line.size() == kMaxIndexLine) {
      return Complaint(Invalid(fmt::format("the line has more than {} KiB", kMaxIndexLine >> 10)));
    }
    line += static_cast<char>(c);
  }
  if (std::ferror(index_.get()) != 0) return absl::InternalError("the index cannot be read");
  return !line.empty();
}

absl::Status ArchiveReader::ReadText(const std::string& file, pb::ArchivedVersion& version) const {
  const absl::StatusOr<Descriptor> opened = OpenBelow(root_, file);
  if (!opened.ok()) return opened.status();
  std::string text;
  if (absl::Status status = ReadWhole(opened->get(), file, text); !status.ok()) return status;
  if (!base::IsValidUtf8(text)) return Invalid(fmt::format("'{}' is not UTF-8", file));
  if (file.ends_with(".json")) {
    version.set_template_json(std::move(text));
  } else {
    version.set_source(std::move(text));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<pb::ArchiveItem>> ArchiveReader::Next() {
  std::string text;
  for (;;) {
    const absl::StatusOr<bool> more = ReadLine(text);
    if (!more.ok()) return more.status();
    if (!*more) return Complaint(Invalid("the index ends early: its last line must be {\"item_count\":…}"));
    absl::StatusOr<IndexLine> line = ParseIndexLine(text);
    if (!line.ok()) return Complaint(line.status());
    const bool is_header = line->kind == IndexLine::Kind::kHeader;
    if (is_header != (line_number_ == 1)) {
      return Complaint(Invalid("the index must begin with one line of {\"format\":…}"));
    }
    if (is_header) continue;
    if (line->kind == IndexLine::Kind::kTrailer) {
      if (line->item_count != item_count_) {
        return Complaint(Invalid(fmt::format("the index has {} items, not {}", item_count_, line->item_count)));
      }
      const absl::StatusOr<bool> rest = ReadLine(text);
      if (!rest.ok() || *rest) return Complaint(Invalid("something stands after the index's last line"));
      return std::nullopt;
    }
    ++item_count_;
    if (!line->file.empty()) {
      ++text_count_;
      absl::Status status = ReadText(line->file, *line->item.mutable_archived_version());
      if (!status.ok()) return Complaint(status);
    }
    return std::move(line->item);
  }
}

size_t ArchiveReader::CountStrayFiles() const {
  size_t files = 0;
  std::error_code error;
  fs::recursive_directory_iterator entry(fs::path(folder_) / kArchiveTexts, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code no_type;
    const std::string extension = entry->path().extension().string();
    if (entry->is_regular_file(no_type) && (extension == ".yaml" || extension == ".json")) ++files;
  }
  return files > text_count_ ? files - text_count_ : 0;
}

}  // namespace tasker::client
