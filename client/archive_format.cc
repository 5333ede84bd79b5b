#include "client/archive_format.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include <boost/json/object.hpp>
#include <optional>
#include <utility>

#include "lib/base/json.h"
#include "lib/base/utf8.h"
#include "lib/template/reference.h"

namespace tasker::client {
namespace {

constexpr std::string_view kFormat = "tasker-registry-archive";
constexpr int64_t kFormatVersion = 1;

absl::Status Invalid(std::string message) { return absl::InvalidArgumentError(std::move(message)); }

absl::StatusOr<std::string> FileOf(const std::string& reference, std::string_view extension) {
  const absl::StatusOr<tmpl::Reference> parsed = tmpl::ParseReference(reference);
  if (!parsed.ok() || parsed->kind != tmpl::SelectorKind::kExact) {
    return Invalid(fmt::format("'{}' is no NAMESPACE/NAME:MAJOR.MINOR.PATCH", base::Shortened(reference)));
  }
  // Names hold no '/' and do not begin with a dot, so the path stays inside the archive.
  return fmt::format("{}/{}/{}/{}{}", kArchiveTexts, parsed->namespace_name, parsed->name, parsed->version.ToString(),
                     extension);
}

absl::StatusOr<std::string> ToLine(const pb::ArchiveItem& item, const std::string& file) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string line;
  const auto status = google::protobuf::util::MessageToJsonString(item, &line, options);
  if (!status.ok()) return Invalid("an item cannot be written as JSON: " + status.ToString());
  if (!file.empty()) line.insert(line.size() - 1, fmt::format(",\"file\":{}", base::JsonString(file)));
  return line;
}

std::optional<int64_t> Number(const base::JsonObject& object, std::string_view key) {
  const base::Json* const value = object.if_contains({key.data(), key.size()});
  return value != nullptr && value->is_int64() ? std::optional(value->get_int64()) : std::nullopt;
}

absl::StatusOr<IndexLine> ParseHeader(const base::JsonObject& object) {
  const base::Json& format = object.at("format");
  if (!format.is_string() || std::string_view(format.get_string()) != kFormat) {
    return Invalid(fmt::format("\"format\" is not \"{}\"", kFormat));
  }
  const std::optional<int64_t> version = Number(object, "format_version");
  if (version != kFormatVersion) {
    return Invalid(fmt::format("this program reads archives of format_version {} only", kFormatVersion));
  }
  IndexLine line;
  line.kind = IndexLine::Kind::kHeader;
  return line;
}

absl::StatusOr<IndexLine> ParseTrailer(const base::JsonObject& object) {
  const std::optional<int64_t> count = Number(object, "item_count");
  if (object.size() != 1 || !count || *count < 0) return Invalid("\"item_count\" must be a number and stand alone");
  IndexLine line;
  line.kind = IndexLine::Kind::kTrailer;
  line.item_count = static_cast<size_t>(*count);
  return line;
}

// "file" is said for people; what it may be follows from the reference, so no path of an archive is ever trusted.
absl::Status CheckFile(const IndexLine& line) {
  if (!line.item.has_archived_version()) {
    return line.file.empty() ? absl::OkStatus() : Invalid("only a version has a \"file\"");
  }
  const pb::ArchivedVersion& version = line.item.archived_version();
  if (version.has_source() || version.has_template_json()) {
    return Invalid("a version's text belongs into its file, not into the index");
  }
  const absl::StatusOr<std::string> yaml = FileOf(version.reference(), ".yaml");
  if (!yaml.ok()) return yaml.status();
  const std::string json = *FileOf(version.reference(), ".json");
  if (line.file == *yaml || line.file == json) return absl::OkStatus();
  return Invalid(
      fmt::format("\"file\" must be \"{}\", or \"{}\" for a template without a text of its author", *yaml, json));
}

absl::StatusOr<IndexLine> ParseItem(base::JsonObject object) {
  IndexLine line;
  if (const base::Json* const file = object.if_contains("file")) {
    if (!file->is_string()) return Invalid("\"file\" must be text");
    line.file = std::string(file->get_string());
    object.erase("file");
  }
  const auto status = google::protobuf::util::JsonStringToMessage(base::CanonicalJson(object), &line.item);
  if (!status.ok()) return Invalid(base::Shortened(std::string(status.message()), 300));
  if (line.item.item_case() == pb::ArchiveItem::ITEM_NOT_SET) {
    return Invalid(
        "it holds none of archived_namespace, archived_version, archived_tombstone, archived_channel, item_count");
  }
  if (absl::Status file = CheckFile(line); !file.ok()) return file;
  return line;
}

}  // namespace

std::string ArchiveHeaderLine() {
  return fmt::format(R"({{"format":"{}","format_version":{}}})", kFormat, kFormatVersion);
}

std::string ArchiveTrailerLine(size_t item_count) { return fmt::format(R"({{"item_count":{}}})", item_count); }

absl::StatusOr<ArchiveEntry> ToEntry(pb::ArchiveItem item) {
  ArchiveEntry entry;
  if (item.item_case() == pb::ArchiveItem::ITEM_NOT_SET) {
    return Invalid("the server sent an item of a kind that this program does not know");
  }
  if (item.has_archived_version()) {
    pb::ArchivedVersion& version = *item.mutable_archived_version();
    const bool is_text = version.has_source();
    absl::StatusOr<std::string> file = FileOf(version.reference(), is_text ? ".yaml" : ".json");
    if (!file.ok()) return file.status();
    entry.file = *std::move(file);
    entry.text = std::move(is_text ? *version.mutable_source() : *version.mutable_template_json());
    version.clear_source();
    version.clear_template_json();
  }
  absl::StatusOr<std::string> line = ToLine(item, entry.file);
  if (!line.ok()) return line.status();
  entry.line = *std::move(line);
  return entry;
}

absl::StatusOr<IndexLine> ParseIndexLine(std::string_view line) {
  absl::StatusOr<base::Json> json = base::ParseJson(line);
  if (!json.ok()) return Invalid("it is no JSON: " + std::string(json.status().message()));
  if (!json->is_object()) return Invalid("it is no JSON object");
  base::JsonObject& object = json->as_object();
  if (object.contains("format")) return ParseHeader(object);
  if (object.contains("item_count")) return ParseTrailer(object);
  return ParseItem(std::move(object));
}

}  // namespace tasker::client
