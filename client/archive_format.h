#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "tasker/registry/v1/registry.pb.h"

/// The archive's index, one JSON object a line (docs/backup-and-archive.md):
///
///     {"format":"tasker-registry-archive","format_version":1}
///     {"archived_namespace":{"name":"payments",…}}
///     {"archived_version":{"reference":"payments/refund:1.0.0",…},"file":"templates/payments/refund/1.0.0.yaml"}
///     {"archived_tombstone":{…}}
///     {"archived_channel":{…}}
///     {"item_count":4}
///
/// The lines between the first and the last are protobuf's JSON of ArchiveItem without the templates' texts, which are
/// in files of their own: .yaml the author's, .json the canonical JSON of a template that came as a message.
namespace tasker::client {

namespace pb = ::tasker::registry::v1;

inline constexpr std::string_view kArchiveIndex = "index.jsonl";
inline constexpr std::string_view kArchiveTexts = "templates";

/// More than any line that a registry gives.
inline constexpr size_t kMaxIndexLine = size_t{256} << 10;
/// Of one text; the server takes far less.
inline constexpr size_t kMaxTextBytes = size_t{64} << 20;

std::string ArchiveHeaderLine();
std::string ArchiveTrailerLine(size_t item_count);

/// An item apart: what stands in the index, and the text that does not.
struct ArchiveEntry {
  std::string line;  ///< without the line end
  std::string file;  ///< the text's, relative to the archive; empty: the item has no text
  std::string text;
};

/// INVALID_ARGUMENT for an item that no index can hold: none of the kinds, a version without an exact reference.
absl::StatusOr<ArchiveEntry> ToEntry(pb::ArchiveItem item);

/// One line of an index.
struct IndexLine {
  enum class Kind { kHeader, kItem, kTrailer };
  Kind kind = Kind::kItem;
  pb::ArchiveItem item;   ///< kItem, without its text
  std::string file;       ///< kItem: the text's file; empty: it has none. Exactly what ToEntry would give it
  size_t item_count = 0;  ///< kTrailer
};

/// INVALID_ARGUMENT that says what is wrong with it.
absl::StatusOr<IndexLine> ParseIndexLine(std::string_view line);

}  // namespace tasker::client
