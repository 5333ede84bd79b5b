#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>

#include "tasker/registry/v1/registry.pb.h"

namespace tasker::client {

namespace pb = ::tasker::registry::v1;

/// Writes an archive: a folder; where the target's name ends with .tar.gz or .tgz, one such file; for "-" the same to
/// stdout. It comes into being as a whole: under another name beside the target, which gets its name last.
/// Memory: one item. Errors are INTERNAL with a message for people unless another code is named.
class ArchiveWriter {
 public:
  /// ALREADY_EXISTS: the target is a file, or a folder that is not empty.
  static absl::StatusOr<std::unique_ptr<ArchiveWriter>> Create(const std::string& target);
  /// Removes what was written unless Finish succeeded.
  ~ArchiveWriter();
  ArchiveWriter(const ArchiveWriter&) = delete;
  ArchiveWriter& operator=(const ArchiveWriter&) = delete;

  /// INVALID_ARGUMENT: no archive can hold this item.
  absl::Status Add(pb::ArchiveItem item);
  /// Writes the index and gives the archive its name.
  absl::Status Finish();

  class Place;

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  ArchiveWriter(std::unique_ptr<Place> place, std::FILE* index);
  absl::Status AddLine(const std::string& line);

  std::unique_ptr<Place> place_;
  std::unique_ptr<std::FILE, CloseFile> index_;  // without a name; copied into the archive last
  size_t item_count_ = 0;
};

}  // namespace tasker::client
