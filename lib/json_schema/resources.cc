#include "lib/json_schema/resources.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "lib/base/nearest.h"
#include "lib/base/utf8.h"
#include "lib/json_schema/uri.h"

namespace tasker::json_schema {
namespace {

std::string_view View(const boost::json::string& text) { return {text.data(), text.size()}; }
std::string_view View(boost::json::string_view text) { return {text.data(), text.size()}; }

// The text of a member, "" when it is absent or no string.
std::string_view Text(const base::JsonObject& object, std::string_view key) {
  const Json* member = object.if_contains(boost::json::string_view(key.data(), key.size()));
  return member != nullptr && member->is_string() ? View(member->get_string()) : "";
}

bool IsSchema(const Json& value) { return value.is_object() || value.is_bool(); }

}  // namespace

Resources::Resources(const CompileOptions& options, ProblemList& problems) : options_(options), problems_(problems) {}

void Resources::AddProblem(base::Severity severity, std::string_view code, const Place& place, std::string_view below,
                           std::string message, std::string hint) {
  const Resource& resource = resources_[place.resource];
  problems_.Add({.severity = severity,
                 .code = std::string(code),
                 .document = resource.document,
                 .location = fmt::format("{}{}{}", resource.document_pointer, place.pointer, below),
                 .message = std::move(message),
                 .hint = std::move(hint)});
}

uint32_t Resources::AddMain(const Json& schema) {
  std::string base(Split(options_.base_uri).resource);
  if (base.empty()) base = kNoBase;
  return AddDocument(schema, std::move(base), "", RulesOf(options_.dialect));
}

uint32_t Resources::AddDocument(const Json& root, std::string uri, std::string document, const Rules& rules) {
  const uint32_t index = AddResource(root, std::move(uri), std::move(document), "", rules);
  Walk(root, {.resource = index, .pointer = "", .depth = 0});
  return index;
}

void Resources::AddGivenDocument(const std::string& uri, const Json& document) {
  // A document that names no dialect is read in that of the schema it was given for.
  if (taken_in_.insert(uri).second) AddDocument(document, uri, uri, RulesOf(resources_.front().rules.dialect));
}

uint32_t Resources::AddResource(const Json& root, std::string uri, std::string document, std::string document_pointer,
                                const Rules& rules) {
  const uint32_t index = static_cast<uint32_t>(resources_.size());
  by_uri_.emplace(uri, index);
  resources_.push_back({.uri = std::move(uri),
                        .root = &root,
                        .document = std::move(document),
                        .document_pointer = std::move(document_pointer),
                        .rules = rules,
                        .anchors = {},
                        .dynamic_anchors = {}});
  return index;
}

void Resources::Walk(const Json& schema, Position position) {
  if (!IsSchema(schema)) return;
  if (position.depth > options_.limits.schema_depth) {
    AddProblem(base::Severity::kError, "SCHEMA_TOO_DEEP", {position.resource, position.pointer}, "",
               fmt::format("the schema is nested more than {} levels deep", options_.limits.schema_depth));
    return;
  }
  if (schema.is_bool()) {
    places_.emplace(&schema, Place{position.resource, std::move(position.pointer)});
    return;
  }
  const base::JsonObject& object = schema.get_object();
  ReadIdentity(schema, object, position);
  places_.emplace(&schema, Place{position.resource, position.pointer});
  const bool hidden = resources_[position.resource].rules.ref_hides_siblings() && object.contains("$ref");
  WalkMembers(object, position, hidden);
}

void Resources::ReadIdentity(const Json& schema, const base::JsonObject& object, Position& position) {
  Rules rules = resources_[position.resource].rules;
  const bool is_root = resources_[position.resource].root == &schema;
  if (rules.ref_hides_siblings() && object.contains("$ref") && !is_root) return;
  const std::string_view metaschema = Text(object, "$schema");
  if (!metaschema.empty()) {
    std::string problem;
    const Rules own = RulesFor(metaschema, rules, problem, 0);
    // Only a resource's root has a say; a subschema becomes one by its identifier in the dialect it names.
    if (is_root || !Text(object, own.id_keyword()).empty()) {
      rules = own;
      if (!problem.empty()) {
        AddProblem(base::Severity::kError, "SCHEMA_DIALECT_UNKNOWN", {position.resource, position.pointer}, "/$schema",
                   std::move(problem), "use \"https://json-schema.org/draft/2020-12/schema\", or leave $schema out");
      }
    }
  }
  if (is_root) resources_[position.resource].rules = rules;
  const bool hidden = rules.ref_hides_siblings() && object.contains("$ref");
  const std::string_view id = Text(object, rules.id_keyword());
  if (!id.empty() && !hidden) ReadId(schema, id, rules, position);
  if (!hidden) ReadAnchors(schema, object, position);
}

void Resources::ReadId(const Json& schema, std::string_view id, const Rules& rules, Position& position) {
  const auto [reference, fragment] = Split(id);
  const std::string below = fmt::format("/{}", rules.id_keyword());
  if (!fragment.empty() && !rules.ref_hides_siblings()) {
    AddProblem(base::Severity::kError, "SCHEMA_ID_INVALID", {position.resource, position.pointer}, below,
               fmt::format("the identifier '{}' has a fragment", base::Shortened(id)), "name the place by $anchor");
    return;
  }
  if (!reference.empty()) {
    std::string uri = ResolveUri(resources_[position.resource].uri, reference);
    if (uri.empty()) {
      AddProblem(base::Severity::kError, "SCHEMA_ID_INVALID", {position.resource, position.pointer}, below,
                 fmt::format("the identifier '{}' is no URI reference", base::Shortened(id)));
      return;
    }
    const auto taken = by_uri_.find(uri);
    if (taken != by_uri_.end() && resources_[taken->second].root != &schema &&
        resources_[taken->second].document == resources_[position.resource].document) {
      AddProblem(base::Severity::kError, "SCHEMA_ID_DUPLICATE", {position.resource, position.pointer}, below,
                 fmt::format("the identifier '{}' is taken by another part of the schema", base::Shortened(id)));
      return;
    }
    if (resources_[position.resource].root == &schema) {
      // A document is known by where it was found and by what it calls itself, which is its base from now on.
      by_uri_.emplace(uri, position.resource);
      resources_[position.resource].uri = std::move(uri);
    } else {
      const Resource& outer = resources_[position.resource];
      std::string document_pointer = outer.document_pointer + position.pointer;
      position.resource = AddResource(schema, std::move(uri), outer.document, std::move(document_pointer), rules);
      position.pointer.clear();
    }
  }
  if (!fragment.empty()) AddAnchor(rules.id_keyword(), fragment, schema, position, /*dynamic=*/false);
}

void Resources::ReadAnchors(const Json& schema, const base::JsonObject& object, const Position& position) {
  const Rules& rules = resources_[position.resource].rules;
  for (const std::string_view keyword : {"$anchor", "$dynamicAnchor"}) {
    const std::string_view name = Text(object, keyword);
    if (name.empty() || rules.Find(keyword) == nullptr) continue;
    AddAnchor(keyword, name, schema, position, keyword == "$dynamicAnchor");
  }
  if (resources_[position.resource].root != &schema || rules.Find("$recursiveAnchor") == nullptr) return;
  const Json* recursive = object.if_contains("$recursiveAnchor");
  if (recursive != nullptr && recursive->is_bool() && recursive->get_bool()) {
    resources_[position.resource].dynamic_anchors.emplace(std::string(kRecursive), &schema);
  }
}

void Resources::AddAnchor(std::string_view keyword, std::string_view name, const Json& schema, const Position& position,
                          bool dynamic) {
  Resource& resource = resources_[position.resource];
  const auto [found, fresh] = resource.anchors.emplace(std::string(name), &schema);
  if (dynamic) resource.dynamic_anchors.emplace(std::string(name), &schema);
  if (!fresh && found->second != &schema) {
    AddProblem(base::Severity::kError, "SCHEMA_ID_DUPLICATE", {position.resource, position.pointer},
               fmt::format("/{}", keyword), fmt::format("the anchor '{}' is taken", base::Shortened(name)));
  }
}

void Resources::WalkMembers(const base::JsonObject& object, const Position& position, bool only_definitions) {
  const Dialect dialect = resources_[position.resource].rules.dialect;
  for (const auto& member : object) {
    const std::string_view name = View(member.key());
    const KeywordInfo* info = FindKeyword(name);
    if (info == nullptr || info->holds == Holds::kNothing || !info->IsIn(dialect)) continue;
    if (only_definitions && info->keyword != Keyword::kDefs) continue;
    const Json& value = member.value();
    const bool map = info->holds == Holds::kSchemaMap || info->holds == Holds::kDependencies;
    if (map && value.is_object()) {
      const Position below{position.resource, base::JsonPointer(position.pointer, name), position.depth + 1};
      for (const auto& child : value.get_object()) WalkChild(child.value(), below, View(child.key()));
    } else if (!map && value.is_array() && info->holds != Holds::kSchema) {
      const Position below{position.resource, base::JsonPointer(position.pointer, name), position.depth + 1};
      for (size_t i = 0; i < value.get_array().size(); ++i) {
        WalkChild(value.get_array()[i], below, std::to_string(i));
      }
    } else if (!map && info->holds != Holds::kSchemas) {
      WalkChild(value, position, name);
    }
  }
}

void Resources::WalkChild(const Json& child, const Position& parent, std::string_view keyword) {
  if (IsSchema(child)) Walk(child, {parent.resource, base::JsonPointer(parent.pointer, keyword), parent.depth + 1});
}

const Json* Resources::FindDocument(std::string_view uri) const {
  if (options_.resources != nullptr) {
    const auto given = options_.resources->find(std::string(uri));
    if (given != options_.resources->end()) return &given->second;
  }
  return FindMetaschema(uri);
}

Rules Resources::RulesFor(std::string_view metaschema, const Rules& fallback, std::string& problem, int depth) {
  if (const std::optional<Dialect> dialect = DialectOfUri(metaschema)) return RulesOf(*dialect);
  // A metaschema whose metaschema has a metaschema …: nobody needs more.
  constexpr int kDeepest = 8;
  const Json* document = FindDocument(Split(metaschema).resource);
  const bool usable = document != nullptr && document->is_object() && depth < kDeepest;
  const std::string_view above = usable ? Text(document->get_object(), "$schema") : "";
  if (!usable || above == metaschema) {
    problem = fmt::format("the dialect '{}' is not known", base::Shortened(metaschema, 100));
    return fallback;
  }
  Rules rules = above.empty() ? RulesOf(options_.dialect) : RulesFor(above, fallback, problem, depth + 1);
  if (above.empty() || !problem.empty()) return rules;
  const Json* vocabularies = document->get_object().if_contains("$vocabulary");
  if (vocabularies == nullptr || !vocabularies->is_object() || rules.ref_hides_siblings()) return rules;
  const std::string unknown = ApplyVocabularies(vocabularies->get_object(), rules);
  if (!unknown.empty()) {
    problem = fmt::format("the dialect '{}' requires the vocabulary '{}', which is not known",
                          base::Shortened(metaschema, 100), base::Shortened(unknown, 100));
  }
  return rules;
}

std::optional<uint32_t> Resources::FindResource(const std::string& uri) {
  const auto known = by_uri_.find(uri);
  if (known != by_uri_.end()) return known->second;
  if (options_.resources != nullptr) {
    if (const auto given = options_.resources->find(uri); given != options_.resources->end()) {
      AddGivenDocument(given->first, given->second);
      return by_uri_.at(uri);
    }
  }
  if (const Json* metaschema = FindMetaschema(uri))
    return AddDocument(*metaschema, uri, uri, RulesOf(options_.dialect));
  if (options_.resources == nullptr || all_taken_in_) return std::nullopt;
  // It may be the identifier of a part of a given document.
  all_taken_in_ = true;
  for (const auto& [key, document] : *options_.resources) AddGivenDocument(key, document);
  const auto found = by_uri_.find(uri);
  return found == by_uri_.end() ? std::nullopt : std::optional(found->second);
}

Resources::Target Resources::Find(uint32_t resource, std::string_view reference) {
  const auto [uri_part, fragment] = Split(reference);
  const std::string uri = ResolveUri(resources_[resource].uri, uri_part);
  if (uri.empty()) return {.schema = nullptr, .problem = "is no URI reference", .hint = ""};
  if (!uri_part.empty()) {
    const std::optional<uint32_t> found = FindResource(uri);
    if (!found) {
      return {
          .schema = nullptr,
          .problem = fmt::format("names a document that was not given ('{}')", base::Shortened(DisplayUri(uri), 100)),
          .hint = "nothing is fetched: put the schema into $defs and refer to \"#/$defs/…\""};
    }
    resource = *found;
  }
  return FindFragment(resource, fragment);
}

Resources::Target Resources::FindFragment(uint32_t resource, std::string_view fragment) {
  if (fragment.empty()) return {.schema = resources_[resource].root, .problem = "", .hint = ""};
  const std::string decoded = PercentDecoded(fragment);
  if (decoded.front() == '/') return FindPointer(resource, decoded);
  const auto& anchors = resources_[resource].anchors;
  if (const auto anchor = anchors.find(decoded); anchor != anchors.end()) {
    return {.schema = anchor->second, .problem = "", .hint = ""};
  }
  std::vector<std::string> names;
  for (const auto& [name, schema] : anchors) names.push_back(name);
  std::sort(names.begin(), names.end());
  return {.schema = nullptr,
          .problem = fmt::format("names an anchor '{}' that the schema does not have", base::Shortened(decoded)),
          .hint = base::DidYouMean(decoded, names)};
}

Resources::Target Resources::FindPointer(uint32_t resource, std::string_view pointer) {
  const Json* at = resources_[resource].root;
  Position position{resource, "", 0};
  for (const std::string& token : base::JsonPointerTokens(pointer)) {
    const Json* next = nullptr;
    std::string hint;
    if (at->is_object()) {
      next = at->get_object().if_contains(token);
      if (next == nullptr) {
        std::vector<std::string> keys;
        for (const auto& member : at->get_object()) keys.emplace_back(View(member.key()));
        hint = base::DidYouMean(token, keys);
      }
    } else if (at->is_array()) {
      size_t index = 0;
      const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
      const bool canonical =
          error == std::errc() && end == token.data() + token.size() && std::to_string(index) == token;
      if (canonical && index < at->get_array().size()) next = &at->get_array()[index];
    }
    if (next == nullptr) {
      return {.schema = nullptr,
              .problem = fmt::format("leads nowhere: there is no '{}' in '#{}'", base::Shortened(token),
                                     base::Shortened(position.pointer, 100)),
              .hint = std::move(hint)};
    }
    at = next;
    position.pointer = base::JsonPointer(position.pointer, token);
    if (const Place* place = PlaceOf(*at)) position = {place->resource, place->pointer, 0};
  }
  if (!IsSchema(*at)) {
    return {
        .schema = nullptr, .problem = fmt::format("leads to {}, not to a schema", base::JsonKindName(*at)), .hint = ""};
  }
  // A place that no keyword makes a schema, `#/components/x`: it becomes one by being referred to.
  if (PlaceOf(*at) == nullptr) Walk(*at, position);
  return {.schema = at, .problem = "", .hint = ""};
}

const Place* Resources::PlaceOf(const Json& schema) const {
  const auto found = places_.find(&schema);
  return found == places_.end() ? nullptr : &found->second;
}

}  // namespace tasker::json_schema
