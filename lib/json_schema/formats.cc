#include "lib/json_schema/formats.h"

#include <array>

#include "lib/json_schema/ecma_pattern.h"
#include "lib/json_schema/uri.h"

namespace tasker::json_schema {
namespace {

struct Format {
  std::string_view name;
  FormatCheck check;
};

constexpr Format kFormats[] = {
    {"date-time", IsDateTime},
    {"date", IsDate},
    {"time", IsTime},
    {"duration", IsDuration},
    {"email", IsEmail},
    {"idn-email", IsIdnEmail},
    {"hostname", IsHostname},
    {"idn-hostname", IsIdnHostname},
    {"ipv4", IsIpv4},
    {"ipv6", IsIpv6},
    {"uri", IsUri},
    {"uri-reference", IsUriReference},
    {"iri", IsIri},
    {"iri-reference", IsIriReference},
    {"uri-template", IsUriTemplate},
    {"uuid", IsUuid},
    {"json-pointer", IsJsonPointer},
    {"relative-json-pointer", IsRelativeJsonPointer},
    {"regex", IsRegex},
};

constexpr auto kNames = [] {
  std::array<std::string_view, std::size(kFormats)> names;
  for (size_t i = 0; i < names.size(); ++i) names[i] = kFormats[i].name;
  return names;
}();

bool IsHex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

}  // namespace

FormatCheck FindFormat(std::string_view name) {
  for (const Format& format : kFormats) {
    if (format.name == name) return format.check;
  }
  return nullptr;
}

std::span<const std::string_view> FormatNames() { return kNames; }

bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !IsHex(text[i])) return false;
  }
  return true;
}

bool IsJsonPointer(std::string_view text) {
  if (!text.empty() && text.front() != '/') return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '~' && (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1'))) return false;
  }
  return true;
}

bool IsRelativeJsonPointer(std::string_view text) {
  size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  if (digits == 0 || (digits > 1 && text[0] == '0')) return false;
  const std::string_view rest = text.substr(digits);
  return rest == "#" || IsJsonPointer(rest);
}

// What ECMA-262 allows, not only what RE2 can run.
bool IsRegex(std::string_view text) { return TranslatePattern(text).error.empty(); }

}  // namespace tasker::json_schema
