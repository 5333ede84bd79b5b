#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "tasker/registry/v1/registry.pb.h"

namespace tasker::client {

namespace pb = ::tasker::registry::v1;

/// Reads an archive: a folder, a .tar.gz file, or "-", such a file from stdin. A .tar.gz is unpacked into a folder
/// below TMPDIR first, because its files may stand in any order. Nothing in an archive is trusted: no link is followed,
/// no path leaves it, and what is too large is refused. Memory: one item. Errors are INVALID_ARGUMENT for what the
/// archive holds, naming the file and the line, NOT_FOUND where there is no such archive, INTERNAL for what the machine
/// cannot do.
class ArchiveReader {
 public:
  static absl::StatusOr<std::unique_ptr<ArchiveReader>> Open(const std::string& source);
  ~ArchiveReader();
  ArchiveReader(const ArchiveReader&) = delete;
  ArchiveReader& operator=(const ArchiveReader&) = delete;

  /// The next item with its text; nullopt after the last, when the index was whole.
  absl::StatusOr<std::optional<pb::ArchiveItem>> Next();

  /// Files of templates in the archive's folders that its index does not name: only their number is known. After the
  /// last item.
  size_t CountStrayFiles() const;

 private:
  class Unpacked;
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  ArchiveReader() = default;
  absl::Status OpenFolder(const std::string& folder);
  absl::StatusOr<bool> ReadLine(std::string& line);
  absl::Status ReadText(const std::string& file, pb::ArchivedVersion& version) const;
  absl::Status Complaint(const absl::Status& status) const;

  std::unique_ptr<Unpacked> unpacked_;
  std::string folder_;
  int root_ = -1;
  std::unique_ptr<std::FILE, CloseFile> index_;
  size_t line_number_ = 0;
  size_t item_count_ = 0;
  size_t text_count_ = 0;
};

}  // namespace tasker::client
