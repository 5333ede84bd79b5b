#include "lib/store/register_parameters.h"

#include <fmt/format.h>

#include <cstddef>
#include <initializer_list>
#include <utility>

#include "lib/base/json.h"
#include "lib/store/array_text.h"
#include "lib/store/rows.h"

namespace tasker::store {
namespace {

void AppendEntry(std::initializer_list<std::string_view> parts, std::string& out) {
  if (out.back() != '[') out += ',';
  for (char separator = '['; const std::string_view part : parts) {
    out += separator;
    base::AppendJsonString(part, out);
    separator = ',';
  }
  out += ']';
}

// The same, of the batch's item `item`, from 1.
void AppendItemEntry(size_t item, std::initializer_list<std::string_view> parts, std::string& out) {
  if (out.back() != '[') out += ',';
  out += fmt::format("[{}", item);
  for (const std::string_view part : parts) {
    out += ',';
    base::AppendJsonString(part, out);
  }
  out += ']';
}

// What an item from an archive has beside.
void AppendImported(const ImportedVersion& imported, std::string& out) {
  AppendJsonField("kind", "IMPORT", out);
  AppendJsonField("created_at", TimestampText(imported.create_time), out);
  AppendJsonField("actor", imported.actor, out);
  AppendJsonField("peer", imported.peer, out);
  if (imported.state.state == VersionState::kActive) return;
  AppendJsonField("state", StateWord(imported.state.state), out);
  AppendJsonField("state_message", imported.state.message, out);
  AppendJsonField("state_replacement", imported.state.replacement, out);
  AppendJsonField("state_actor", imported.state.actor, out);
  AppendJsonField("state_at", TimestampText(imported.state.time), out);
}

// One element of register_templates' p_items; migrations/0004_register_templates.sql has its shape.
void AppendItem(const NewVersion& version, const ImportedVersion* imported, std::string& out) {
  out += '{';
  AppendJsonField("namespace", version.namespace_name, out);
  AppendJsonField("name", version.name, out);
  AppendJsonField("version", version.version, out);
  if (version.description) AppendJsonField("description", *version.description, out);
  AppendJsonField("digest", version.digest, out);
  AppendJsonField("file_name", version.file_name, out);
  AppendJsonField("source_revision", version.source_revision, out);
  AppendJsonField("source_uri", version.source_uri, out);
  if (!version.checked_against.empty()) AppendJsonField("checked_against", version.checked_against, out);
  if (!version.allowance.empty()) {
    out += "\"change_detail\":{\"allow_breaking\":true,\"message\":";
    base::AppendJsonString(version.allowance, out);
    out += "},";
  }
  if (imported != nullptr) AppendImported(*imported, out);
  out += fmt::format("\"step_count\":{},\"tags\":[", version.step_count);
  for (const std::string& tag : version.tags) {
    if (out.back() != '[') out += ',';
    base::AppendJsonString(tag, out);
  }
  out += "],\"entries\":[";
  for (const std::string& tag : version.tags) AppendEntry({"tag", tag, "", "", "", ""}, out);
  for (const IndexEntry& entry : version.entries) {
    AppendEntry({SubjectWord(entry.subject), entry.term, entry.role, entry.step, entry.environment, entry.detail}, out);
  }
  out += "]}";
}

// Puts the texts together, version by version.
class BatchWriter {
 public:
  void AddItem(const NewVersion& version, const ImportedVersion* imported) {
    if (items_++ > 0) texts_.items += ',';
    AppendItem(version, imported, texts_.items);
    for (const DomainEvent& event : version.events) {
      AppendItemEntry(items_, {event.name, event.schema_digest, event.description, event.schema_json}, texts_.events);
    }
    for (const std::string& channel : version.channels) AppendItemEntry(items_, {channel}, texts_.channels);
  }

  void AddLargeTexts(const NewVersion& version) {
    if (texts_.configurations.size() > 1) {
      texts_.configurations += ',';
      texts_.source_texts += ',';
    }
    AppendArrayElement(version.configuration, texts_.configurations);
    if (version.source_text) {
      AppendArrayElement(*version.source_text, texts_.source_texts);
    } else {
      texts_.source_texts += "NULL";
    }
  }

  BatchTexts Take() {
    for (std::string* list : {&texts_.items, &texts_.events, &texts_.channels}) *list += ']';
    for (std::string* list : {&texts_.configurations, &texts_.source_texts}) *list += '}';
    return std::move(texts_);
  }

 private:
  BatchTexts texts_{.items = "[", .configurations = "{", .source_texts = "{", .events = "[", .channels = "["};
  size_t items_ = 0;
};

}  // namespace

void AppendJsonField(std::string_view key, std::string_view value, std::string& out) {
  base::AppendJsonString(key, out);
  out += ':';
  base::AppendJsonString(value, out);
  out += ',';
}

std::string TimestampText(absl::Time time) {
  return absl::FormatTime("%E4Y-%m-%dT%H:%M:%E6SZ", time, absl::UTCTimeZone());
}

BatchTexts ToBatchTexts(std::span<const NewVersion> batch) {
  BatchWriter writer;
  for (const NewVersion& version : batch) {
    writer.AddItem(version, nullptr);
    writer.AddLargeTexts(version);
  }
  return writer.Take();
}

BatchTexts ToBatchTexts(std::span<const ImportedVersion> batch) {
  BatchWriter writer;
  for (const ImportedVersion& imported : batch) {
    writer.AddItem(imported.version, &imported);
    writer.AddLargeTexts(imported.version);
  }
  return writer.Take();
}

BatchTexts ItemTexts(std::span<const NewVersion> batch) {
  BatchWriter writer;
  for (const NewVersion& version : batch) writer.AddItem(version, nullptr);
  return writer.Take();
}

BatchTexts LargeTexts(std::span<const NewVersion> batch) {
  BatchWriter writer;
  for (const NewVersion& version : batch) writer.AddLargeTexts(version);
  return writer.Take();
}

}  // namespace tasker::store
