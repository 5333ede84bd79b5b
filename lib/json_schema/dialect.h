#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "lib/json_schema/schema.h"

namespace tasker::json_schema {

/// Every keyword that has an effect in some dialect.
enum class Keyword : uint8_t {
  // core
  kSchema,
  kId,
  kAnchor,
  kDynamicAnchor,
  kRecursiveAnchor,
  kRef,
  kDynamicRef,
  kRecursiveRef,
  kVocabulary,
  kComment,
  kDefs,
  // applicators
  kAllOf,
  kAnyOf,
  kOneOf,
  kNot,
  kIf,
  kThen,
  kElse,
  kDependentSchemas,
  kDependencies,
  kPrefixItems,
  kItems,
  kAdditionalItems,
  kContains,
  kProperties,
  kPatternProperties,
  kAdditionalProperties,
  kPropertyNames,
  kUnevaluatedItems,
  kUnevaluatedProperties,
  // validation
  kType,
  kEnum,
  kConst,
  kMultipleOf,
  kMaximum,
  kExclusiveMaximum,
  kMinimum,
  kExclusiveMinimum,
  kMaxLength,
  kMinLength,
  kPattern,
  kMaxItems,
  kMinItems,
  kUniqueItems,
  kMaxContains,
  kMinContains,
  kMaxProperties,
  kMinProperties,
  kRequired,
  kDependentRequired,
  // meta-data, format, content
  kTitle,
  kDescription,
  kDefault,
  kExamples,
  kDeprecated,
  kReadOnly,
  kWriteOnly,
  kFormat,
  kContentEncoding,
  kContentMediaType,
  kContentSchema,
};

/// What of a keyword's value is a schema.
enum class Holds : uint8_t {
  kNothing,
  kSchema,           ///< itself
  kSchemas,          ///< each item of the array
  kSchemaMap,        ///< each member of the object
  kSchemaOrSchemas,  ///< itself or each item: `items` before 2020-12
  kDependencies,     ///< each member that is not an array
};

/// The vocabularies of 2020-12; older dialects have all of them.
enum Vocabulary : uint8_t {
  kCore = 1,
  kApplicator = 2,
  kUnevaluated = 4,
  kValidation = 8,
  kMetaData = 16,
  kFormat = 32,
  kContent = 64,
  kAllVocabularies = 127,
};

struct KeywordInfo {
  std::string_view name;
  Keyword keyword;
  Holds holds;
  Vocabulary vocabulary;
  Dialect first, last;  ///< the dialects that have it

  bool IsIn(Dialect dialect) const { return first <= dialect && dialect <= last; }
};

/// All keywords of all dialects; `id` and `$id` are two entries of one keyword.
std::span<const KeywordInfo> Keywords();

/// The entry of `name` in any dialect, or null.
const KeywordInfo* FindKeyword(std::string_view name);

/// What governs one schema resource.
struct Rules {
  Dialect dialect = Dialect::k2020_12;
  uint8_t vocabularies = kAllVocabularies;
  bool assert_formats = false;  ///< where CompileOptions leaves it to the dialect

  /// The entry of a keyword that has an effect under these rules, or null.
  const KeywordInfo* Find(std::string_view name) const;
  /// Draft-07 and older: `$ref` hides all its siblings.
  bool ref_hides_siblings() const { return dialect <= Dialect::kDraft7; }
  std::string_view id_keyword() const { return dialect == Dialect::kDraft4 ? "id" : "$id"; }
};

/// The rules of one of the five dialects.
Rules RulesOf(Dialect dialect);

/// The dialect whose metaschema has this URI (an empty fragment is ignored), or nothing.
std::optional<Dialect> DialectOfUri(std::string_view uri);

/// Applies a `$vocabulary` value of a metaschema written in `base`'s dialect. Returns "" or the URI of a vocabulary
/// that is required and unknown.
std::string ApplyVocabularies(const base::JsonObject& vocabularies, Rules& rules);

/// The built-in metaschema document with this URI (no fragment), or null. Parsed once, lives forever.
const Json* FindMetaschema(std::string_view uri);

}  // namespace tasker::json_schema
