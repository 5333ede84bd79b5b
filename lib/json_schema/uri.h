#pragma once

#include <string>
#include <string_view>

namespace tasker::json_schema {

/// The base of schemas that have none, so that relative references can be resolved; never shown (see DisplayUri).
inline constexpr std::string_view kNoBase = "json-schema:///";

/// A reference cut at its '#'. `fragment` is still percent-encoded.
struct SplitUri {
  std::string_view resource;
  std::string_view fragment;
};
SplitUri Split(std::string_view reference);

/// RFC 3986 section 5.2: `reference` (without fragment) seen from `base` (absolute). "" when either is not a URI.
std::string ResolveUri(std::string_view base, std::string_view reference);

/// `uri` as messages and output show it: without kNoBase.
std::string_view DisplayUri(std::string_view uri);

/// "%41" becomes "A"; a '%' that starts no escape stays.
std::string PercentDecoded(std::string_view text);

/// A JSON pointer as the fragment of a URI: what may not stand there is percent-encoded.
std::string FragmentEncoded(std::string_view pointer);

/// RFC 3986 and RFC 3987 (by way of their mapping to URIs).
bool IsUri(std::string_view text);
bool IsUriReference(std::string_view text);
bool IsIri(std::string_view text);
bool IsIriReference(std::string_view text);

}  // namespace tasker::json_schema
