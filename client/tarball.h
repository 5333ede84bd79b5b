#pragma once

#include <absl/status/status.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

struct archive;

/// .tar.gz files. The only code that includes libarchive. Errors are INVALID_ARGUMENT for what an archive holds,
/// INTERNAL for what the machine cannot do, each with a message for people.
namespace tasker::client {

/// Writes one .tar.gz: no owner, and no time but those it is given, so the same files give the same bytes.
class TarWriter {
 public:
  /// `file_descriptor` stays the caller's and must outlive it.
  explicit TarWriter(int file_descriptor);
  ~TarWriter();
  TarWriter(const TarWriter&) = delete;
  TarWriter& operator=(const TarWriter&) = delete;

  absl::Status Add(const std::string& path, std::string_view content, int64_t unix_seconds);
  /// The same for `size` bytes that `read` gives piece by piece into the buffer it is handed; 0 or less: a failure.
  absl::Status AddStream(const std::string& path, int64_t size, int64_t unix_seconds,
                         const std::function<int64_t(char* buffer, size_t size)>& read);
  /// Writes the end. The file is no archive without it.
  absl::Status Finish();

 private:
  absl::Status BeginEntry(const std::string& path, int64_t size, int64_t unix_seconds);
  absl::Status Append(const char* bytes, size_t size);
  absl::Status Failure() const;

  struct Close {
    void operator()(archive* out) const;
  };
  std::unique_ptr<archive, Close> out_;
};

/// What may come out of a .tar.gz.
struct UnpackLimits {
  size_t entry_bytes = size_t{64} << 20;  ///< of one file, but for `large_file`
  std::string large_file;                 ///< the last component of a path that may be larger
  /// A file of zeros shrinks 1,000 times, YAML 10 to 100 times: beyond `free_bytes`, more than `ratio` is a bomb.
  int64_t ratio = 250;
  int64_t free_bytes = int64_t{256} << 20;
};

/// Unpacks the .tar.gz (or .tar) that `file_descriptor` reads into `folder`, which must be empty and nobody else's.
/// INVALID_ARGUMENT, with some files unpacked, for anything that is no tar, is damaged or ends early, breaks a limit,
/// or has an entry that is neither file nor folder (a link above all), stands twice, or whose path could leave
/// `folder`.
absl::Status UnpackTar(int file_descriptor, const std::string& folder, const UnpackLimits& limits);

}  // namespace tasker::client
