#include "lib/json_schema/dialect.h"

#include <absl/container/flat_hash_map.h>
#include <fmt/format.h>

#include <string>

#include "lib/json_schema/metaschemas.h"

namespace tasker::json_schema {
namespace {

constexpr Dialect k4 = Dialect::kDraft4, k6 = Dialect::kDraft6, k7 = Dialect::kDraft7, k19 = Dialect::k2019_09,
                  k20 = Dialect::k2020_12;

// `$defs` and `definitions`, and `dependencies`, are read in all dialects: authors mix them, and the newer metaschemas
// still reserve the older words.
constexpr KeywordInfo kKeywords[] = {
    {"$schema", Keyword::kSchema, Holds::kNothing, kCore, k4, k20},
    {"$id", Keyword::kId, Holds::kNothing, kCore, k6, k20},
    {"id", Keyword::kId, Holds::kNothing, kCore, k4, k4},
    {"$anchor", Keyword::kAnchor, Holds::kNothing, kCore, k19, k20},
    {"$dynamicAnchor", Keyword::kDynamicAnchor, Holds::kNothing, kCore, k20, k20},
    {"$recursiveAnchor", Keyword::kRecursiveAnchor, Holds::kNothing, kCore, k19, k19},
    {"$ref", Keyword::kRef, Holds::kNothing, kCore, k4, k20},
    {"$dynamicRef", Keyword::kDynamicRef, Holds::kNothing, kCore, k20, k20},
    {"$recursiveRef", Keyword::kRecursiveRef, Holds::kNothing, kCore, k19, k19},
    {"$vocabulary", Keyword::kVocabulary, Holds::kNothing, kCore, k19, k20},
    {"$comment", Keyword::kComment, Holds::kNothing, kCore, k7, k20},
    {"$defs", Keyword::kDefs, Holds::kSchemaMap, kCore, k4, k20},
    {"definitions", Keyword::kDefs, Holds::kSchemaMap, kCore, k4, k20},
    {"allOf", Keyword::kAllOf, Holds::kSchemas, kApplicator, k4, k20},
    {"anyOf", Keyword::kAnyOf, Holds::kSchemas, kApplicator, k4, k20},
    {"oneOf", Keyword::kOneOf, Holds::kSchemas, kApplicator, k4, k20},
    {"not", Keyword::kNot, Holds::kSchema, kApplicator, k4, k20},
    {"if", Keyword::kIf, Holds::kSchema, kApplicator, k7, k20},
    {"then", Keyword::kThen, Holds::kSchema, kApplicator, k7, k20},
    {"else", Keyword::kElse, Holds::kSchema, kApplicator, k7, k20},
    {"dependentSchemas", Keyword::kDependentSchemas, Holds::kSchemaMap, kApplicator, k19, k20},
    {"dependencies", Keyword::kDependencies, Holds::kDependencies, kApplicator, k4, k20},
    {"prefixItems", Keyword::kPrefixItems, Holds::kSchemas, kApplicator, k20, k20},
    {"items", Keyword::kItems, Holds::kSchemaOrSchemas, kApplicator, k4, k20},
    {"additionalItems", Keyword::kAdditionalItems, Holds::kSchema, kApplicator, k4, k19},
    {"contains", Keyword::kContains, Holds::kSchema, kApplicator, k6, k20},
    {"properties", Keyword::kProperties, Holds::kSchemaMap, kApplicator, k4, k20},
    {"patternProperties", Keyword::kPatternProperties, Holds::kSchemaMap, kApplicator, k4, k20},
    {"additionalProperties", Keyword::kAdditionalProperties, Holds::kSchema, kApplicator, k4, k20},
    {"propertyNames", Keyword::kPropertyNames, Holds::kSchema, kApplicator, k6, k20},
    {"unevaluatedItems", Keyword::kUnevaluatedItems, Holds::kSchema, kUnevaluated, k19, k20},
    {"unevaluatedProperties", Keyword::kUnevaluatedProperties, Holds::kSchema, kUnevaluated, k19, k20},
    {"type", Keyword::kType, Holds::kNothing, kValidation, k4, k20},
    {"enum", Keyword::kEnum, Holds::kNothing, kValidation, k4, k20},
    {"const", Keyword::kConst, Holds::kNothing, kValidation, k6, k20},
    {"multipleOf", Keyword::kMultipleOf, Holds::kNothing, kValidation, k4, k20},
    {"maximum", Keyword::kMaximum, Holds::kNothing, kValidation, k4, k20},
    {"exclusiveMaximum", Keyword::kExclusiveMaximum, Holds::kNothing, kValidation, k4, k20},
    {"minimum", Keyword::kMinimum, Holds::kNothing, kValidation, k4, k20},
    {"exclusiveMinimum", Keyword::kExclusiveMinimum, Holds::kNothing, kValidation, k4, k20},
    {"maxLength", Keyword::kMaxLength, Holds::kNothing, kValidation, k4, k20},
    {"minLength", Keyword::kMinLength, Holds::kNothing, kValidation, k4, k20},
    {"pattern", Keyword::kPattern, Holds::kNothing, kValidation, k4, k20},
    {"maxItems", Keyword::kMaxItems, Holds::kNothing, kValidation, k4, k20},
    {"minItems", Keyword::kMinItems, Holds::kNothing, kValidation, k4, k20},
    {"uniqueItems", Keyword::kUniqueItems, Holds::kNothing, kValidation, k4, k20},
    {"maxContains", Keyword::kMaxContains, Holds::kNothing, kValidation, k19, k20},
    {"minContains", Keyword::kMinContains, Holds::kNothing, kValidation, k19, k20},
    {"maxProperties", Keyword::kMaxProperties, Holds::kNothing, kValidation, k4, k20},
    {"minProperties", Keyword::kMinProperties, Holds::kNothing, kValidation, k4, k20},
    {"required", Keyword::kRequired, Holds::kNothing, kValidation, k4, k20},
    {"dependentRequired", Keyword::kDependentRequired, Holds::kNothing, kValidation, k19, k20},
    {"title", Keyword::kTitle, Holds::kNothing, kMetaData, k4, k20},
    {"description", Keyword::kDescription, Holds::kNothing, kMetaData, k4, k20},
    {"default", Keyword::kDefault, Holds::kNothing, kMetaData, k4, k20},
    {"examples", Keyword::kExamples, Holds::kNothing, kMetaData, k6, k20},
    {"deprecated", Keyword::kDeprecated, Holds::kNothing, kMetaData, k19, k20},
    {"readOnly", Keyword::kReadOnly, Holds::kNothing, kMetaData, k7, k20},
    {"writeOnly", Keyword::kWriteOnly, Holds::kNothing, kMetaData, k7, k20},
    {"format", Keyword::kFormat, Holds::kNothing, kFormat, k4, k20},
    {"contentEncoding", Keyword::kContentEncoding, Holds::kNothing, kContent, k7, k20},
    {"contentMediaType", Keyword::kContentMediaType, Holds::kNothing, kContent, k7, k20},
    {"contentSchema", Keyword::kContentSchema, Holds::kSchema, kContent, k19, k20},
};

struct DialectUri {
  std::string_view uri;
  Dialect dialect;
};

constexpr DialectUri kDialectUris[] = {
    {"http://json-schema.org/draft-04/schema", k4},        {"http://json-schema.org/draft-06/schema", k6},
    {"http://json-schema.org/draft-07/schema", k7},        {"https://json-schema.org/draft/2019-09/schema", k19},
    {"https://json-schema.org/draft/2020-12/schema", k20},
};

std::string_view WithoutEmptyFragment(std::string_view uri) {
  if (uri.ends_with('#')) uri.remove_suffix(1);
  return uri;
}

// The vocabulary's bit, 0 when this dialect does not know it.
uint8_t VocabularyBit(std::string_view uri, Dialect dialect) {
  const std::string_view prefix =
      dialect == k19 ? "https://json-schema.org/draft/2019-09/vocab/" : "https://json-schema.org/draft/2020-12/vocab/";
  if (!uri.starts_with(prefix)) return 0;
  uri.remove_prefix(prefix.size());
  if (uri == "core") return kCore;
  // 2019-09 keeps the unevaluated keywords among the applicators.
  if (uri == "applicator") return dialect == k19 ? kApplicator | kUnevaluated : kApplicator;
  if (uri == "unevaluated" && dialect == k20) return kUnevaluated;
  if (uri == "validation") return kValidation;
  if (uri == "meta-data") return kMetaData;
  if (uri == "format" && dialect == k19) return kFormat;
  if ((uri == "format-annotation" || uri == "format-assertion") && dialect == k20) return kFormat;
  if (uri == "content") return kContent;
  return 0;
}

}  // namespace

std::string_view DialectName(Dialect dialect) {
  constexpr std::string_view kNames[] = {"draft-04", "draft-06", "draft-07", "2019-09", "2020-12"};
  return kNames[static_cast<size_t>(dialect)];
}

std::span<const KeywordInfo> Keywords() { return kKeywords; }

const KeywordInfo* FindKeyword(std::string_view name) {
  static const auto* const kByName = [] {
    auto* map = new absl::flat_hash_map<std::string, const KeywordInfo*>;
    for (const KeywordInfo& info : kKeywords) map->emplace(info.name, &info);
    return map;
  }();
  const auto found = kByName->find(absl::string_view(name.data(), name.size()));
  return found == kByName->end() ? nullptr : found->second;
}

const KeywordInfo* Rules::Find(std::string_view name) const {
  const KeywordInfo* info = FindKeyword(name);
  return info != nullptr && info->IsIn(dialect) && (info->vocabulary & vocabularies) != 0 ? info : nullptr;
}

Rules RulesOf(Dialect dialect) {
  return Rules{.dialect = dialect, .vocabularies = kAllVocabularies, .assert_formats = dialect <= Dialect::kDraft7};
}

std::optional<Dialect> DialectOfUri(std::string_view uri) {
  uri = WithoutEmptyFragment(uri);
  for (const DialectUri& entry : kDialectUris) {
    if (entry.uri == uri) return entry.dialect;
  }
  return std::nullopt;
}

std::string ApplyVocabularies(const base::JsonObject& vocabularies, Rules& rules) {
  rules.vocabularies = kCore;
  rules.assert_formats = false;
  for (const auto& [key, required] : vocabularies) {
    const std::string_view uri(key.data(), key.size());
    const uint8_t bit = VocabularyBit(uri, rules.dialect);
    const bool is_required = required.is_bool() && required.get_bool();
    if (bit == 0 && is_required) return std::string(uri);
    rules.vocabularies |= bit;
    if (uri.ends_with("/format-assertion") || (bit == kFormat && rules.dialect == k19 && is_required)) {
      rules.assert_formats = true;
    }
  }
  return "";
}

const Json* FindMetaschema(std::string_view uri) {
  static const auto* const kByUri = [] {
    auto* map = new absl::flat_hash_map<std::string, const Json*>;
    for (const std::string_view text : MetaschemaTexts()) {
      auto document = base::ParseJson(text);
      if (!document.ok()) continue;
      const base::JsonObject& object = document->as_object();
      const Json* id = object.if_contains("$id");
      if (id == nullptr) id = object.if_contains("id");
      const auto& name = id->as_string();
      map->emplace(WithoutEmptyFragment({name.data(), name.size()}), new Json(*std::move(document)));
    }
    return map;
  }();
  const auto found = kByUri->find(absl::string_view(uri.data(), uri.size()));
  return found == kByUri->end() ? nullptr : found->second;
}

}  // namespace tasker::json_schema
