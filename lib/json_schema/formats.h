#pragma once

#include <span>
#include <string_view>

#include "lib/json_schema/node.h"

namespace tasker::json_schema {

/// The check of a format, or null for one that is not known (which then accepts everything, as the specification asks).
FormatCheck FindFormat(std::string_view name);

/// The names of all known formats.
std::span<const std::string_view> FormatNames();

/// RFC 3339, with leap seconds only at 23:59:60 UTC.
bool IsDateTime(std::string_view text);
bool IsDate(std::string_view text);
bool IsTime(std::string_view text);
/// RFC 3339 appendix A.
bool IsDuration(std::string_view text);

/// RFC 5321 (ASCII) and RFC 6531.
bool IsEmail(std::string_view text);
bool IsIdnEmail(std::string_view text);
/// RFC 1123 with RFC 5891's A-labels; RFC 5890 with U-labels.
bool IsHostname(std::string_view text);
bool IsIdnHostname(std::string_view text);
bool IsIpv4(std::string_view text);
bool IsIpv6(std::string_view text);

/// RFC 6570, RFC 6901, draft-handrews-relative-json-pointer-01, RFC 4122, ECMA-262.
bool IsUriTemplate(std::string_view text);
bool IsJsonPointer(std::string_view text);
bool IsRelativeJsonPointer(std::string_view text);
bool IsUuid(std::string_view text);
bool IsRegex(std::string_view text);

}  // namespace tasker::json_schema
