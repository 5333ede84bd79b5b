#include "lib/template/reference.h"

#include <absl/status/status.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <vector>

#include "lib/base/utf8.h"

namespace tasker::tmpl {
namespace {

constexpr int32_t kMaxPart = std::numeric_limits<int32_t>::max();

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::vector<std::string_view> SplitDots(std::string_view text) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t dot = text.find('.');
    parts.push_back(text.substr(0, dot));
    if (dot == std::string_view::npos) return parts;
    text.remove_prefix(dot + 1);
  }
}

std::optional<int32_t> ParsePart(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  if (text.size() > 1 && text[0] == '0') return std::nullopt;
  int32_t value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) return std::nullopt;
  return value;
}

// One to three version parts; nullopt when any of them is malformed.
std::optional<std::vector<int32_t>> ParseParts(std::string_view text) {
  std::vector<int32_t> parts;
  for (const std::string_view part : SplitDots(text)) {
    const std::optional<int32_t> value = ParsePart(part);
    if (!value || parts.size() == 3) return std::nullopt;
    parts.push_back(*value);
  }
  return parts;
}

// The first version after all that begin with the same `places` parts as `v`; nullopt when there is none.
std::optional<Version> Next(Version v, size_t places) {
  if (places >= 3 && v.patch < kMaxPart) return Version{v.major, v.minor, v.patch + 1};
  if (places >= 2 && v.minor < kMaxPart) return Version{v.major, v.minor + 1, 0};
  if (v.major < kMaxPart) return Version{v.major + 1, 0, 0};
  return std::nullopt;
}

// How many leading parts Cargo's '^' keeps fixed: up to the first that is not zero, within those written.
size_t CaretPlaces(const std::vector<int32_t>& parts) {
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i] != 0) return i + 1;
  }
  return parts.size();
}

std::optional<VersionRange> ParseRange(std::string_view text) {
  const char op = text.empty() ? '\0' : text[0];
  if (op == '^' || op == '~') text.remove_prefix(1);
  const std::optional<std::vector<int32_t>> parts = ParseParts(text);
  if (!parts) return std::nullopt;
  const auto part = [&](size_t i) { return i < parts->size() ? (*parts)[i] : 0; };
  const Version lower{part(0), part(1), part(2)};
  const size_t places = op == '^' ? CaretPlaces(*parts) : std::min<size_t>(parts->size(), 2);
  return VersionRange{lower, Next(lower, places)};
}

constexpr std::string_view kForms =
    "write NAMESPACE/NAME, NAMESPACE/NAME:SELECTOR or NAMESPACE/NAME@sha256:DIGEST; a selector is a version (1.2.3), a "
    "prefix (1 or 1.2), a range (^1.2.3 or ~1.2.3), latest, or a channel";

absl::Status Malformed(std::string_view text, std::string_view problem) {
  return absl::InvalidArgumentError(
      fmt::format("reference '{}' is malformed: {}; {}", base::Shortened(text, 300), problem, kForms));
}

bool IsSha256(std::string_view digest) {
  constexpr std::string_view kPrefix = "sha256:";
  return digest.size() == kPrefix.size() + 64 && digest.starts_with(kPrefix) &&
         digest.substr(kPrefix.size()).find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

absl::Status ParseSelector(std::string_view text, std::string_view selector, Reference& reference) {
  reference.selector = std::string(selector);
  if (const std::optional<Version> version = ParseVersion(selector)) {
    reference.kind = SelectorKind::kExact;
    reference.version = *version;
  } else if (const std::optional<VersionRange> range = ParseRange(selector)) {
    reference.kind = SelectorKind::kRange;
    reference.range = *range;
  } else if (selector == "latest") {
    reference.kind = SelectorKind::kLatest;
  } else if (IsName(selector) && !(selector[0] >= '0' && selector[0] <= '9')) {
    reference.kind = SelectorKind::kChannel;
  } else {
    return Malformed(text, fmt::format("'{}' is no version, range or channel", base::Shortened(selector)));
  }
  return absl::OkStatus();
}

}  // namespace

std::string Version::ToString() const { return fmt::format("{}.{}.{}", major, minor, patch); }

std::optional<Version> ParseVersion(std::string_view text) {
  const std::optional<std::vector<int32_t>> parts = ParseParts(text);
  if (!parts || parts->size() != 3) return std::nullopt;
  return Version{(*parts)[0], (*parts)[1], (*parts)[2]};
}

VersionProblem ExplainVersion(std::string_view text) {
  const std::string message = fmt::format(
      "'{}' is not a version: MAJOR.MINOR.PATCH is wanted, three numbers without leading zeros", base::Shortened(text));
  std::string_view core = text;
  if (core.starts_with('v') || core.starts_with('V')) core.remove_prefix(1);
  core = core.substr(0, core.find_first_of("-+"));
  std::vector<std::string> parts;
  for (std::string_view part : SplitDots(core)) {
    while (part.size() > 1 && part[0] == '0') part.remove_prefix(1);
    if (!ParsePart(part) || parts.size() == 3) return {message, "write 1.0.0, for example"};
    parts.emplace_back(part);
  }
  parts.resize(3, "0");
  return {message, fmt::format("write {}.{}.{}", parts[0], parts[1], parts[2])};
}

bool IsName(std::string_view name) {
  return !name.empty() && name.size() <= 255 && IsWordCharacter(name[0]) &&
         std::all_of(name.begin(), name.end(), [](char c) { return IsWordCharacter(c) || c == '-' || c == '.'; });
}

absl::StatusOr<Reference> ParseReference(std::string_view text) {
  Reference reference;
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return Malformed(text, "there is no '/' between namespace and name");
  const std::string_view rest = text.substr(slash + 1);
  const size_t mark = rest.find_first_of(":@");
  reference.namespace_name = std::string(text.substr(0, slash));
  reference.name = std::string(rest.substr(0, mark));
  if (!IsName(reference.namespace_name)) {
    return Malformed(text, fmt::format("'{}' is no namespace name", base::Shortened(reference.namespace_name)));
  }
  if (!IsName(reference.name)) {
    return Malformed(text, fmt::format("'{}' is no template name", base::Shortened(reference.name)));
  }
  if (mark == std::string_view::npos) return reference;
  const std::string_view selector = rest.substr(mark + 1);
  if (rest[mark] == '@') {
    if (!IsSha256(selector)) return Malformed(text, "after '@' comes sha256: and 64 lower-case hexadecimal digits");
    reference.kind = SelectorKind::kDigest;
    reference.selector = std::string(selector);
    return reference;
  }
  if (absl::Status status = ParseSelector(text, selector, reference); !status.ok()) return status;
  return reference;
}

std::string Reference::ToString() const {
  if (selector.empty()) return fmt::format("{}/{}", namespace_name, name);
  return fmt::format("{}/{}{}{}", namespace_name, name, kind == SelectorKind::kDigest ? '@' : ':', selector);
}

std::string ExactReference(std::string_view namespace_name, std::string_view name, std::string_view version) {
  return fmt::format("{}/{}:{}", namespace_name, name, version);
}

}  // namespace tasker::tmpl
