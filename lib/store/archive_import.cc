#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <pqxx/result>
#include <pqxx/row>
#include <string_view>
#include <utility>

#include "lib/base/json.h"
#include "lib/store/archive.h"
#include "lib/store/connection_pool.h"
#include "lib/store/register_parameters.h"
#include "lib/store/session.h"
#include "lib/template/reference.h"

namespace tasker::store {
namespace {

// Opens and closes the JSON objects of a list.
class ObjectList {
 public:
  ObjectList& Next() {
    if (text_.back() == ',') text_.back() = '}';
    if (text_.size() > 1) text_ += ',';
    text_ += '{';
    return *this;
  }

  ObjectList& Add(std::string_view key, std::string_view value) {
    AppendJsonField(key, value, text_);
    return *this;
  }

  std::string Take() {
    if (text_.back() == ',') text_.back() = '}';
    return std::move(text_) + "]";
  }

 private:
  std::string text_ = "[";
};

std::string NamespacesText(const std::vector<ArchivedNamespace>& namespaces) {
  ObjectList list;
  for (const ArchivedNamespace& n : namespaces) {
    list.Next()
        .Add("name", n.name)
        .Add("description", n.description)
        .Add("version_policy", n.version_policy)
        .Add("created_at", TimestampText(n.create_time));
  }
  return list.Take();
}

std::string TombstonesText(const std::vector<ArchivedTombstone>& tombstones) {
  ObjectList list;
  for (const ArchivedTombstone& t : tombstones) {
    list.Next()
        .Add("namespace", t.namespace_name)
        .Add("name", t.name)
        .Add("version", t.version)
        .Add("digest", t.digest)
        .Add("message", t.message)
        .Add("actor", t.actor)
        .Add("purged_at", TimestampText(t.purge_time));
  }
  return list.Take();
}

std::string ChannelsText(const std::vector<ArchivedChannel>& channels) {
  ObjectList list;
  for (const ArchivedChannel& c : channels) {
    list.Next()
        .Add("namespace", c.namespace_name)
        .Add("name", c.name)
        .Add("channel", c.channel)
        .Add("version", c.version)
        .Add("actor", c.actor)
        .Add("updated_at", TimestampText(c.update_time));
  }
  return list.Take();
}

void PutChunk(Session& session, int number, const ImportChunk& chunk) {
  static const Statement kStatement = {"put_archive_chunk",
                                       "INSERT INTO pg_temp.archive_chunks VALUES ($1::int, $2::jsonb, $3::text[], "
                                       "$4::text[], $5::jsonb, $6::jsonb, $7::jsonb, $8::jsonb)"};
  BatchTexts texts = ToBatchTexts(chunk.versions);
  session.Query(kStatement, {std::to_string(number), std::move(texts.items), std::move(texts.configurations),
                             std::move(texts.source_texts), std::move(texts.events), NamespacesText(chunk.namespaces),
                             TombstonesText(chunk.tombstones), ChannelsText(chunk.channels)});
}

// The objects of a list that import_archive gives; null is none.
template <typename Take>
void ForEachObject(const pqxx::field& field, Take take) {
  if (field.is_null()) return;
  const absl::StatusOr<base::Json> json = base::ParseJson(field.as<std::string>());
  if (!json.ok() || !json->is_array()) return;
  for (const base::Json& object : json->get_array()) take(object.as_object());
}

std::string TextOf(const base::JsonObject& object, const char* key) { return std::string(object.at(key).as_string()); }

ImportResult ReadResult(const pqxx::row& row) {
  ImportResult result{.created_versions = row[0].as<int64_t>(),
                      .unchanged_versions = row[1].as<int64_t>(),
                      .set_states = row[2].as<int64_t>(),
                      .set_channels = row[3].as<int64_t>(),
                      .created_tombstones = row[4].as<int64_t>(),
                      .revision = row[5].as<int64_t>()};
  ForEachObject(row[6], [&](const base::JsonObject& object) {
    result.conflicts.push_back({.reference = tmpl::ExactReference(TextOf(object, "namespace"), TextOf(object, "name"),
                                                                  TextOf(object, "version")),
                                .digest = TextOf(object, "digest"),
                                .stored_digest = TextOf(object, "stored_digest"),
                                .purged = object.at("purged").as_bool()});
  });
  ForEachObject(row[7], [&](const base::JsonObject& object) {
    result.homeless.push_back({.namespace_name = TextOf(object, "namespace"),
                               .name = TextOf(object, "name"),
                               .channel = TextOf(object, "channel"),
                               .version = TextOf(object, "version")});
  });
  return result;
}

}  // namespace

absl::StatusOr<ImportResult> ImportArchive(ConnectionPool& pool, const RegisterOptions& options, absl::Time deadline,
                                           const ImportSource& source) {
  static const Statement kImport = {
      "import_archive",
      "SELECT created_versions, unchanged_versions, set_states, set_channels, created_tombstones, revision, "
      "conflicts::text, homeless::text FROM tasker.import_archive($1, $2)"};
  std::optional<ImportResult> result;
  absl::Status status = pool.RunTransaction("import an archive", deadline, [&](Session& session) -> absl::Status {
    session.Execute(
        "CREATE TEMPORARY TABLE archive_chunks (chunk int NOT NULL, items jsonb NOT NULL, configurations text[], "
        "source_texts text[], events jsonb NOT NULL, namespaces jsonb NOT NULL, tombstones jsonb NOT NULL, "
        "channels jsonb NOT NULL) ON COMMIT DROP");
    for (int number = 1;; ++number) {
      ImportChunk chunk;
      const absl::StatusOr<bool> more = source(chunk);
      if (!more.ok()) return more.status();
      if (!*more) break;
      PutChunk(session, number, chunk);
    }
    result = ReadResult(session.Query(kImport, {options.actor, options.peer})[0]);
    const bool keep = result->conflicts.empty() && result->homeless.empty() && !options.dry_run;
    return keep ? absl::OkStatus() : absl::AbortedError("rolls back what was tried");
  });
  if (absl::IsAborted(status) && result) {
    result->revision = 0;
    return *std::move(result);
  }
  if (!status.ok()) return status;
  return *std::move(result);
}

}  // namespace tasker::store
